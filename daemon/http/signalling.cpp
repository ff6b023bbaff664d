#include "daemon/http/caching.h"
#include "daemon/http/grammar.h"

#include <fmt/format.h>

namespace hawker::http {

namespace {

// An sf-string (RFC 8941 section 3.3.3): printable ASCII; what is not becomes '?'.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c >= 0x20 && c < 0x7F ? c : '?';
    }
    result += '"';
    return result;
}

bool is_structured_token(std::string_view text) {
    return is_token(text) && !is_digit(text.front()) &&
           std::string_view("!#$%&'+-.^_`|~").find(text.front()) == std::string_view::npos;
}

}  // namespace

std::string CacheStatus::serialize() const {
    std::string value = "hawker";
    if (hit) {
        value += "; hit";
    } else {
        if (!fwd.empty()) value += fmt::format("; fwd={}", fwd);
        if (fwd_status) value += fmt::format("; fwd-status={}", *fwd_status);
        if (stored) value += "; stored";
        if (collapsed) value += "; collapsed";
    }
    if (!key.empty()) value += fmt::format("; key={}", quoted(key));
    if (!detail.empty())
        value += fmt::format("; detail={}", is_structured_token(detail) ? detail : quoted(detail));
    return value;
}

void append_hit_status(std::string& text, std::string_view key) {
    text.append("hawker; hit; key=\"").append(key).append("\"");
}

std::string proxy_status(std::string_view error_type, std::string_view details) {
    std::string value = fmt::format("hawker; error={}", error_type);
    if (!details.empty()) value += fmt::format("; details={}", quoted(details));
    return value;
}

ErrorAnswer answer_for(Errc code) {
    switch (code) {
        case Errc::not_found:
            return {502, "dns_error"};
        case Errc::invalid:  // of the origin: what a client sends wrongly is a BadRequest
            return {502, "http_protocol_error"};
        case Errc::refused:
        case Errc::denied:
            return {403, "http_request_denied"};
        case Errc::unavailable:
            return {502, "destination_unavailable"};
        case Errc::unsupported:
        case Errc::corrupt:
            return {502, "http_protocol_error"};
        case Errc::changed:
            return {502, "http_response_incomplete"};
        case Errc::exhausted:
            return {503, "proxy_internal_error"};
        case Errc::cancelled:
        case Errc::shutting_down:
            return {503, "proxy_internal_response"};
        case Errc::closed:
            return {502, "connection_terminated"};
        case Errc::timed_out:
            return {504, "http_response_timeout"};
    }
    return {500, "proxy_internal_error"};
}

}  // namespace hawker::http
