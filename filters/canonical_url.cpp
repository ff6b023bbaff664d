#include "filters/canonical_url.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hawker::filters {

namespace {

bool has_dot_segment(std::string_view path) {
    if (!path.contains('%') && !path.contains("/.")) return false;
    const std::string decoded = percent_normal_form(path);
    const std::string_view text = decoded;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        const std::string_view segment = text.substr(begin, end - begin);
        if (segment == "." || segment == "..") return true;
        begin = end + 1;
    }
    return false;
}

}  // namespace

namespace {

constexpr std::size_t kAroundHost = 16;  // "https://", ":65535", '?'

// With room for what follows.
void begin_url(std::string& text, const Url& url, Scheme scheme, std::size_t room) {
    text.reserve(text.size() + kAroundHost + url.host.size() + room);
    text += name_of(scheme);
    text += "://";
    append_lower_case(text, url.host);
    if (text.ends_with('.')) text.pop_back();
    if (url.port != default_port(url.scheme) && url.port != default_port(scheme)) {
        text += ':';
        text += std::to_string(url.port);
    }
}

}  // namespace

std::string normal_origin(const Url& url, Scheme scheme) {
    std::string text;
    begin_url(text, url, scheme, 0);
    return text;
}

void append_normal_form(std::string& text, const Url& url) {
    begin_url(text, url, url.scheme, url.path.size() + url.query.size());
    append_percent_normal_form(text, url.path);
    if (url.has_query) {
        text += '?';
        append_percent_normal_form(text, url.query);
    }
}

std::string_view why_no_key(const Url& url, std::span<const Parameter> parameters) {
    if (!is_percent_encoded(url.path) || !is_percent_encoded(url.query))
        return "a '%' in the URL does not begin an escape";
    if (has_dot_segment(url.path)) return "the path has dot segments";
    if (parameters.size() > kMostParameters) return "the URL has more than 256 parameters";
    return {};
}

void append_canonical_url(std::string& text, const Url& url, Scheme scheme,
                          std::span<const Parameter* const> kept, Order order) {
    std::vector<const Parameter*> parameters(kept.begin(), kept.end());
    // Of one name, the first written comes first: all point into one list, so the address says
    // which that is. (stable_sort of GCC 12's library does not compile without warnings under
    // Clang 19.)
    if (order == Order::by_name)
        std::ranges::sort(parameters, {}, [](const Parameter* parameter) {
            return std::pair<std::string_view, const Parameter*>(parameter->name(), parameter);
        });

    begin_url(text, url, scheme, url.path.size() + (parameters.empty() ? 0 : url.query.size()));
    append_percent_normal_form(text, url.path);
    char separator = '?';
    for (const Parameter* parameter : parameters) {
        text += separator;
        append_percent_normal_form(text, parameter->raw);
        separator = '&';
    }
}

}  // namespace hawker::filters
