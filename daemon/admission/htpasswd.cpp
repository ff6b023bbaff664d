#include "daemon/admission/htpasswd.h"

#include "base/unique_fd.h"
#include "daemon/admission/bcrypt.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hawker::admission {

namespace {

constexpr std::size_t kLargestFile = 4UL << 20U;
constexpr std::size_t kLongestName = 128;
constexpr unsigned kCheapest = 4;  // bcrypt knows no less
constexpr unsigned kDearest = 15;  // seconds for every try

// Whoever can write into the file makes themselves a user.
Expected<void> check_writers(int fd, const std::string& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return fail(Errc::invalid, fmt::format("{} is no regular file", path));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Errc::invalid,
                    fmt::format("chmod go-w {0}: others may write into {0}, and so make "
                                "themselves users",
                                path));
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        return fail(Errc::invalid,
                    fmt::format("sudo chown root {}: it belongs to user {}, who may make "
                                "themselves any user of the proxy",
                                path, status.st_uid));
    return {};
}

Expected<std::string> read_file(const std::string& path) {
    // O_NONBLOCK: a FIFO in its place must not hold us up.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) return fail(Errc::invalid, system_error(errno, fmt::format("open {}", path)).what);
    if (const auto ok = check_writers(file.get(), path); !ok) return fail(ok.error());
    std::string text;
    std::array<char, 64UL * 1024> run{};
    while (true) {
        const ssize_t got = ::read(file.get(), run.data(), run.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return fail(Errc::invalid, system_error(errno, fmt::format("read {}", path)).what);
        if (got == 0) return text;
        text.append(run.data(), static_cast<std::size_t>(got));
        if (text.size() > kLargestFile)
            return fail(Errc::invalid, fmt::format("{} is larger than 4 MiB", path));
    }
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

bool is_user_name(std::string_view name) {
    return !name.empty() && name.size() <= kLongestName && std::ranges::none_of(name, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

Expected<std::shared_ptr<const Htpasswd>> Htpasswd::load(const std::filesystem::path& path) {
    const auto text = read_file(path.native());
    if (!text) return fail(text.error());
    return parse(*text, path.native());
}

Expected<std::shared_ptr<const Htpasswd>> Htpasswd::parse(std::string_view text,
                                                          const std::string& name) {
    auto users = std::shared_ptr<Htpasswd>(new Htpasswd());  // NOLINT: private constructor
    users->dearest_ = kCheapest;
    for (int number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (line.empty() || line.front() == '#') continue;
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view user = line.substr(0, colon);
        const std::string_view hash = line.substr(std::min(colon + 1, line.size()));
        if (!is_user_name(user) || hash.empty())
            return fail(Errc::invalid, fmt::format("{}:{}: expected user:hash, as `htpasswd -B {} "
                                                   "USER` writes it",
                                                   name, number, name));
        const auto cost = bcrypt_cost(hash);
        if (!cost || *cost < kCheapest || *cost > kDearest)
            return fail(Errc::invalid,
                        fmt::format("{}:{}: `htpasswd -B {} {}` anew: hashes other than bcrypt, "
                                    "of a cost up to {}, are not taken",
                                    name, number, name, user, kDearest));
        if (!users->hashes_.emplace(user, hash).second)
            return fail(Errc::invalid,
                        fmt::format("{}:{}: user {} stands here twice", name, number, user));
        users->dearest_ = std::max(users->dearest_, *cost);
    }
    if (users->hashes_.empty())
        return fail(
            Errc::invalid,
            fmt::format("{}: there is no user in it: `htpasswd -B {} USER` adds one", name, name));
    users->nobody_ = hash_of_nobody(users->dearest_);
    return users;
}

const std::string& Htpasswd::hash_of(std::string_view user) const {
    const auto found = hashes_.find(user);
    return found == hashes_.end() ? nobody_ : found->second;
}

bool Htpasswd::verify(std::string_view user, std::string_view password) const {
    const std::string& hash = hash_of(user);
    if (verify_bcrypt(password, hash)) return true;
    // Each step of the cost doubles the time: 2^c and 2^c + 2^(c+1) + ... + 2^(d-1) make 2^d.
    for (unsigned cost = bcrypt_cost(hash).value_or(dearest_); cost < dearest_; ++cost)
        (void)verify_bcrypt(password, hash_of_nobody(cost));
    return false;
}

}  // namespace hawker::admission
