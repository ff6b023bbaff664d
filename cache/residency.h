// Bytes of a file come into the page cache, for those who cannot take them from a thread that
// waits.
#pragma once

#include "base/byte_range.h"
#include "base/error.h"
#include "cache/data_files.h"

#include <cstdint>

namespace hawker::cache {

// Reads `range` once, so that it is resident; waits for the disk. The `ahead` bytes that follow
// come in too, without a wait. Errc::corrupt when the file is shorter, unavailable on I/O errors.
Expected<void> bring_in(const DataFile& file, ByteRange range, std::uint64_t ahead);

}  // namespace hawker::cache
