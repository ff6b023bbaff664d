#include "daemon/http/request_target.h"

#include "daemon/http/grammar.h"

#include <algorithm>

#include <arpa/inet.h>

namespace hawker::http {

namespace {

std::unexpected<BadRequest> bad_target(std::string_view sentence) {
    return std::unexpected(BadRequest(400, std::string(sentence)));
}

bool is_name_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
}

bool is_host(std::string_view host) {
    if (host.empty() || host.size() > 255) return false;
    if (!host.starts_with('[')) return std::ranges::all_of(host, is_name_char);
    if (!host.ends_with(']')) return false;
    const std::string address(host.substr(1, host.size() - 2));
    in6_addr parsed{};
    return !address.contains('\0') && inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

bool is_port(std::string_view port) {
    const auto number = parse_decimal(port);
    return number && port.size() <= 5 && *number >= 1 && *number <= 65535;
}

bool has_prefix(std::string_view text, std::string_view prefix) {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::expected<TargetForm, BadRequest> form_of_connect(std::string_view target) {
    if (is_authority(target, Port::required)) return TargetForm::authority;
    return bad_target(
        "CONNECT needs 'host:port' and nothing else as its target, for example 'CONNECT "
        "example.org:443'.");
}

std::expected<TargetForm, BadRequest> absolute_form(std::string_view target) {
    const std::string_view authority = authority_of(target);
    if (authority.contains('@'))
        return bad_target(
            "A user name or password in the URL is not accepted: send it in an Authorization "
            "field.");
    if (!is_authority(authority, Port::optional))
        return bad_target(
            "The URL has no valid host: write 'http://host/path' or 'http://host:port/path'.");
    return TargetForm::absolute;
}

}  // namespace

bool is_authority(std::string_view text, Port port) {
    const std::size_t host_end =
        text.starts_with('[') ? text.find(']') : std::min(text.find(':'), text.size()) - 1;
    if (host_end >= text.size()) return false;  // no closing bracket, or nothing before the colon
    if (!is_host(text.substr(0, host_end + 1))) return false;
    const std::string_view rest = text.substr(host_end + 1);
    if (rest.empty()) return port == Port::optional;
    return rest.starts_with(':') && is_port(rest.substr(1));
}

std::string_view authority_of(std::string_view absolute_target) {
    const std::string_view rest = absolute_target.substr(absolute_target.find("//") + 2);
    // find_first_of() would search its two characters anew for each of these.
    const auto* const end = std::ranges::find_if(rest, [](char c) { return c == '/' || c == '?'; });
    return {rest.begin(), end};
}

std::expected<TargetForm, BadRequest> form_of_target(std::string_view method,
                                                     std::string_view target) {
    if (target.contains('#'))
        return bad_target(
            "The request target holds a '#': a fragment stays with the client, remove it or write "
            "%23.");
    if (method == "CONNECT") return form_of_connect(target);
    if (target.starts_with('/')) return TargetForm::origin;
    if (target == "*") {
        if (method == "OPTIONS") return TargetForm::asterisk;
        return bad_target("The target '*' goes with OPTIONS only: send a URL.");
    }
    if (has_prefix(target, "http://") || has_prefix(target, "https://"))
        return absolute_form(target);
    if (target.contains("://"))
        return bad_target("This proxy fetches http:// and https:// URLs only.");
    return bad_target(
        "The request target must be 'http://host/path', or a path that begins with '/'.");
}

}  // namespace hawker::http
