// Errors are values, named for what the caller can do about them.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hawker {

enum class Errc : std::uint8_t {
    not_found,      // the thing is not here; asking elsewhere may help
    invalid,        // the input is malformed; retrying cannot help
    refused,        // the other side said no to these credentials
    denied,         // our own policy forbids it: a destination, a port, a limit
    unavailable,    // the other side is down or busy; later may help
    unsupported,    // the answer is fine for a client, but not a thing we can store
    changed,        // the representation is another one than before; start over
    exhausted,      // we are out of disk, descriptors or quota
    corrupt,        // bytes disagree with their checksum, length or digest; drop them
    cancelled,      // nobody wants the answer any more
    closed,         // the other side closed the connection
    timed_out,      // a deadline passed; the text says which
    shutting_down,  // the process is on its way out
};

// The lower-case name of a code, as it stands in log lines.
std::string_view name_of(Errc code);

struct Error {
    Errc code = Errc::invalid;
    std::string what;
    // When the other side said when to come back (Retry-After, RFC 9110 section 10.2.3).
    std::optional<std::chrono::milliseconds> retry_after = std::nullopt;

    // The same error, seen from one floor higher: "open task 3f9c: read record: version 9".
    Error within(std::string_view what_we_were_doing) &&;
};

template <typename T>
using Expected = std::expected<T, Error>;

// fail(Errc::corrupt, "piece 7: checksum differs") reads as what it is, and keeps braces out of
// co_return.
std::unexpected<Error> fail(Errc code, std::string what);
std::unexpected<Error> fail(Error error);

// errno (or another's errno) as an Error; ENOSPC, EDQUOT, EMFILE and ENFILE are `exhausted`, ENOENT
// `not_found`.
Error system_error(int error_number, std::string_view what_we_were_doing);

}  // namespace hawker
