// Bytes of a file come into the page cache. A loop sends only what is there; the pool brings in the
// rest first.
#pragma once

#include "base/byte_range.h"
#include "base/error.h"
#include "cache/data_files.h"

#include <cstdint>

namespace hawker::cache {

// Reads `range` once, so that it is resident; waits for the disk. Errc::corrupt when the file is
// shorter, unavailable on I/O errors.
Expected<void> bring_in(const DataFile& file, ByteRange range);

}  // namespace hawker::cache
