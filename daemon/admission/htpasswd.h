// A file of users and bcrypt hashes, as `htpasswd -B` writes it.
//
// Thread:  load() waits for the disk; immutable afterwards.
// Failure: Errc::invalid with file and line, ending with the command that mends it. Never with
//          anything of a hash.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace hawker::admission {

// Can this be a user's name? At most 128 bytes, and none that would break a line or a terminal.
// Asked of whatever a name comes from.
bool is_user_name(std::string_view name);

class Htpasswd {
public:
    static Expected<std::shared_ptr<const Htpasswd>> load(const std::filesystem::path& path);
    // `name` stands in messages.
    static Expected<std::shared_ptr<const Htpasswd>> parse(std::string_view text,
                                                           const std::string& name);

    // The user's; for who is none, one that no password has.
    const std::string& hash_of(std::string_view user) const;
    // A no takes the time of the file's dearest hash, whoever the user is and whether there is one.
    // Takes from milliseconds to seconds: never on a loop.
    bool verify(std::string_view user, std::string_view password) const;
    std::size_t size() const { return hashes_.size(); }

private:
    Htpasswd() = default;
    std::map<std::string, std::string, std::less<>> hashes_;
    std::string nobody_;
    unsigned dearest_ = 0;
};

}  // namespace hawker::admission
