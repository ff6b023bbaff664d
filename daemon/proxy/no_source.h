// A source that has nothing: for readers of what is stored whole, or is being stored by somebody
// else. Thread: any.
#pragma once

#include "cache/source.h"

#include <memory>

namespace hawker::proxy {

// What is missing ends in `code`: not_found tells the reader that it is gone, exhausted to go on
// without the cache.
std::shared_ptr<const cache::Source> no_source(Errc code = Errc::not_found);

}  // namespace hawker::proxy
