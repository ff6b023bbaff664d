#include "certificates/subject.h"

#include "base/host_pattern.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace hawker::certificates {

namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestShown = 300;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_byte(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; }

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
           label.back() != '-' && std::ranges::all_of(label, is_name_byte);
}

// 1.2.3.4.5, 127.1, 0x7f.1: what resolvers may take for an address is no name.
bool ends_in_a_number(std::string_view name) {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    return std::ranges::all_of(last, is_digit) || last.starts_with("0x");
}

bool is_name(std::string_view name) {
    if (name.starts_with("*.")) {
        name.remove_prefix(2);
        if (!name.contains('.')) return false;
    }
    if (name.empty() || name.size() > kLongestName || ends_in_a_number(name)) return false;
    while (true) {
        const std::size_t dot = name.find('.');
        if (!is_label(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

std::string octets_of(const std::string& text) {
    std::array<char, 16> octets{};
    if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return {octets.data(), 4};
    if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return {octets.data(), 16};
    return {};
}

std::string shown(std::string_view host) {
    const bool is_plain = host.size() <= kLongestShown &&
                          std::ranges::all_of(host, [](char c) { return c > ' ' && c < 0x7f; });
    return is_plain ? fmt::format("'{}'", host) : fmt::format("a text of {} bytes", host.size());
}

}  // namespace

Expected<Subject> parse_subject(std::string_view host) {
    const auto refuse = [host] {
        return fail(Errc::invalid,
                    fmt::format("{} is neither a host name nor an IP address", shown(host)));
    };
    if (host.contains('\0') || host.size() > kLongestName + 2) return refuse();
    const bool has_brackets = host.starts_with('[');
    if (has_brackets && !host.ends_with(']')) return refuse();
    Subject subject;
    subject.text = plain_host(host);
    subject.address = octets_of(subject.text);
    const bool is_right =
        has_brackets ? subject.address.size() == 16 : subject.is_address() || is_name(subject.text);
    if (!is_right) return refuse();
    return subject;
}

bool is_within(std::string_view name, std::string_view domain) {
    if (!name.ends_with(domain)) return false;
    const std::size_t rest = name.size() - domain.size();
    return rest == 0 || name[rest - 1] == '.';
}

}  // namespace hawker::certificates
