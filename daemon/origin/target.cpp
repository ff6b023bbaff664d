#include "daemon/origin/target.h"

#include "daemon/http/message.h"
#include "daemon/origin/grammar.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

bool is_sendable(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F;
}

// Where the host ends and ":port" may begin.
std::size_t end_of_host(std::string_view authority) {
    const std::size_t bracket = authority.rfind(']');
    const std::size_t from = bracket == std::string_view::npos ? 0 : bracket;
    return std::min(authority.find(':', from), authority.size());
}

bool is_authority(std::string_view authority) {
    const std::string_view host = authority.substr(0, end_of_host(authority));
    std::string_view port = authority.substr(host.size());
    if (!port.empty()) port.remove_prefix(1);
    const auto of_a_name = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '.' || c == '_' || c == '~';
    };
    const auto of_an_address = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
               c == ':' || c == '.';
    };
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    const bool good_host = bracketed
                               ? std::ranges::all_of(host.substr(1, host.size() - 2), of_an_address)
                               : !host.empty() && std::ranges::all_of(host, of_a_name);
    unsigned number = 1;
    const char* const end = port.data() + port.size();
    const auto [rest, problem] = std::from_chars(port.data(), end, number);
    const bool good_port =
        port.empty() || (problem == std::errc() && rest == end && number > 0 && number <= 65535);
    return good_host && good_port;
}

// "" when `reference` has no scheme.
std::string_view scheme_of(std::string_view reference) {
    const std::size_t colon = reference.find_first_of(":/?#");
    if (colon == std::string_view::npos || reference[colon] != ':') return {};
    return reference.substr(0, colon);
}

// RFC 3986 section 5.2.4, on a path without its query.
std::string without_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    bool ends_in_slash = false;
    for (std::size_t begin = 1; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view segment = path.substr(begin, end - begin);
        ends_in_slash = segment == "." || segment == "..";
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (segment != ".") {
            kept.push_back(segment);
        }
        begin = end + 1;
    }
    std::string result;
    for (const std::string_view segment : kept) result.append("/").append(segment);
    if (ends_in_slash || result.empty()) result += '/';
    return result;
}

}  // namespace

std::string Target::origin() const {
    const std::string lowered = lower(authority);
    std::string_view place = lowered;
    const std::string_view usual = scheme == "https" ? ":443" : ":80";
    if (place.ends_with(usual)) place.remove_suffix(usual.size());
    if (place.ends_with(':')) place.remove_suffix(1);
    return fmt::format("{}://{}", scheme, place);
}

std::string_view Target::host() const {
    return std::string_view(authority).substr(0, end_of_host(authority));
}

std::uint16_t Target::port() const {
    const std::size_t digits = host().size() + 1;
    std::uint16_t port = scheme == "https" ? 443 : 80;
    if (digits < authority.size())
        std::from_chars(authority.data() + digits, authority.data() + authority.size(), port);
    return port;
}

Expected<Target> split_url(std::string_view url) {
    const std::size_t separator = url.find("://");
    if (separator == std::string_view::npos) return fail(Errc::invalid, "the URL is not absolute");
    Target target;
    target.scheme = lower(url.substr(0, separator));
    if (target.scheme != "http" && target.scheme != "https")
        return fail(Errc::invalid, "the URL's scheme is neither http nor https");
    std::string_view rest = url.substr(separator + 3);
    rest = rest.substr(0, rest.find('#'));
    if (!std::ranges::all_of(rest, is_sendable))
        return fail(Errc::invalid, "the URL holds a space or a control byte");
    const std::size_t end = std::min({rest.find('/'), rest.find('?'), rest.size()});
    target.authority = rest.substr(0, end);
    if (!is_authority(target.authority))
        return fail(Errc::invalid, "the URL's authority is not host[:port]");
    rest.remove_prefix(end);
    target.in_origin = fmt::format("{}{}", rest.starts_with('/') ? "" : "/", rest);
    return target;
}

Expected<Target> resolve_reference(const Target& base, std::string_view reference) {
    reference = reference.substr(0, reference.find('#'));
    if (!scheme_of(reference).empty()) return split_url(reference);
    if (reference.starts_with("//")) return split_url(base.scheme + ":" + std::string(reference));
    const std::string_view base_path =
        std::string_view(base.in_origin).substr(0, base.in_origin.find('?'));
    std::string place;
    if (reference.empty()) {
        place = base.in_origin;
    } else if (reference.starts_with('?')) {
        place = std::string(base_path) + std::string(reference);
    } else {
        const std::size_t query = std::min(reference.find('?'), reference.size());
        std::string path(reference.substr(0, query));
        // A Location is followed as it was signed: dot segments go only where two paths are joined.
        if (!path.starts_with('/'))
            path = without_dot_segments(std::string(base_path.substr(0, base_path.rfind('/') + 1)) +
                                        path);
        place = path + std::string(reference.substr(query));
    }
    return split_url(base.scheme + "://" + base.authority + place);
}

}  // namespace hawker::origin
