#include "tests/unit/cache/world.h"
