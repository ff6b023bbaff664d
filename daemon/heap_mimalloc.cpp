#include "daemon/heap.h"

#include <mimalloc.h>

namespace hawker::daemon {

void give_back_free_memory() { mi_collect(true); }

}  // namespace hawker::daemon
