// The authority's files: the key that nobody else may read, and the certificate beside it. Private
// to the room.
//
// Thread:  any; waits for the disk.
// Failure: in words that end with the command that mends it; never with anything of the contents.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace hawker::certificates {

// Any file of at most 1 MiB. Errc::not_found when there is none.
Expected<std::string> read_file(const std::filesystem::path& path);
// The same for a key: it must belong to us or to root, and be closed to everybody else. What counts
// is the file that was opened, whatever links led there. A key of root's that the group root may
// read is closed enough: systemd's credentials look like that.
Expected<std::string> read_secret_file(const std::filesystem::path& path);
// The same for the key of one certificate: whoever owns it, others may not read it, and its group
// may not change it. (Debian's group ssl-cert may read keys.)
Expected<std::string> read_key_file(const std::filesystem::path& path);

struct NewFile {
    std::string_view name;
    std::string_view content;
    unsigned mode = 0600;
};

// All of `files` into `directory`, on the disk when this returns, or none. The directory is made
// with mode 0700 if need be. As root everything gets the owner of the folder that `directory` is
// in, so that a daemon whose state folder it is can read its key. Errc::invalid when one of them is
// there: no file is ever replaced.
Expected<void> write_new_files(const std::filesystem::path& directory,
                               std::span<const NewFile> files);

}  // namespace hawker::certificates
