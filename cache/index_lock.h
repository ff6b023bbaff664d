// One hawkerd per cache directory, on a local file system: LMDB's map must be opened by one process
// once, and a network file system keeps neither its locks nor its map coherent.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

#include <filesystem>

namespace hawker::cache {

// Creates `directory` (0700) when missing. Errc::invalid in words when it is on NFS, SMB or AFS, or
// not ours to write.
Expected<void> prepare_directory(const std::filesystem::path& directory);

// Holds `directory`/lock until the descriptor is closed, by whatever end of the process.
// Errc::invalid, naming the process that has it, otherwise.
Expected<UniqueFd> lock_directory(const std::filesystem::path& directory);

}  // namespace hawker::cache
