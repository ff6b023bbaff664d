#include "base/error.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace hawker {

std::string_view name_of(Errc code) {
    switch (code) {
        case Errc::not_found:
            return "not_found";
        case Errc::invalid:
            return "invalid";
        case Errc::refused:
            return "refused";
        case Errc::denied:
            return "denied";
        case Errc::unavailable:
            return "unavailable";
        case Errc::unsupported:
            return "unsupported";
        case Errc::changed:
            return "changed";
        case Errc::exhausted:
            return "exhausted";
        case Errc::corrupt:
            return "corrupt";
        case Errc::cancelled:
            return "cancelled";
        case Errc::closed:
            return "closed";
        case Errc::timed_out:
            return "timed_out";
        case Errc::shutting_down:
            return "shutting_down";
    }
    return "unknown";
}

Error Error::within(std::string_view what_we_were_doing) && {
    what.insert(0, ": ");
    what.insert(0, what_we_were_doing);
    return std::move(*this);
}

std::unexpected<Error> fail(Errc code, std::string what) {
    Error error;
    error.code = code;
    error.what = std::move(what);
    return std::unexpected<Error>(std::move(error));
}

std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

namespace {

Errc code_of(int error_number) {
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return Errc::exhausted;
        case ENOENT:
            return Errc::not_found;
        case EPIPE:
        case ECONNRESET:
        case ENOTCONN:
            return Errc::closed;
        case ETIMEDOUT:
            return Errc::timed_out;
        case EINVAL:
            return Errc::invalid;
        default:
            return Errc::unavailable;
    }
}

}  // namespace

Error system_error(int error_number, std::string_view what_we_were_doing) {
    Error error;
    error.code = code_of(error_number);
    error.what = std::generic_category().message(error_number);
    return std::move(error).within(what_we_were_doing);
}

}  // namespace hawker
