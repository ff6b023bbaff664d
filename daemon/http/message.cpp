#include "daemon/http/message.h"

#include "base/spares.h"
#include "daemon/http/grammar.h"

#include <algorithm>
#include <array>

namespace hawker::http {

namespace {

constexpr std::size_t kUsualFields = 8;  // of a head
constexpr std::size_t kKeptFields = 32;  // the room for so many, of a head that had more

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What belongs to one connection and never goes on (RFC 9110 sections 7.6.1 and 11.7). Trailer goes
// too: trailers are dropped, so announcing them would be a lie. HTTP2-Settings belongs to an
// upgrade that is not passed on.
constexpr std::array<std::string_view, 11> kHopByHop = {"Connection",
                                                        "Proxy-Connection",
                                                        "Keep-Alive",
                                                        "TE",
                                                        "Trailer",
                                                        "Transfer-Encoding",
                                                        "Upgrade",
                                                        "HTTP2-Settings",
                                                        "Proxy-Authenticate",
                                                        "Proxy-Authorization",
                                                        "Proxy-Authentication-Info"};

// End-to-end fields decide what a message means: a sender must not be able to talk them away by
// nominating them.
bool may_be_nominated(std::string_view name) {
    constexpr std::array<std::string_view, 5> kProtected = {"Host", "Authorization", "Range",
                                                            "Cache-Control", "Via"};
    const auto begins = [name](std::string_view prefix) {
        return equals_ignoring_case(name.substr(0, prefix.size()), prefix);
    };
    if (begins("If-") || begins("Content-")) return false;
    return std::ranges::none_of(
        kProtected, [name](std::string_view it) { return equals_ignoring_case(it, name); });
}

// The length tells most names apart, and costs no call.
bool is_called(const Field& field, std::string_view name) {
    return field.name.size() == name.size() && equals_ignoring_case(field.name, name);
}

// Nothing that could end a line early leaves this room, wherever it came from.
bool is_sendable(const Field& field) { return is_token(field.name) && is_field_value(field.value); }

}  // namespace

bool is_one_line(std::string_view text) {
    const auto ends_one = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
    return std::ranges::none_of(text.substr(behind_printable_ascii(text, 0)), ends_one);
}

bool is_field_value(std::string_view text) {
    return std::ranges::all_of(text.substr(behind_printable_ascii(text, 0)), is_field_byte);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
    for (const Field& field : *this)
        if (is_called(field, name)) return field.value;
    return std::nullopt;
}

std::vector<std::string_view> Fields::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const Field& field : *this)
        if (is_called(field, name)) values.push_back(field.value);
    return values;
}

std::size_t Fields::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        *this, [name](const Field& field) { return is_called(field, name); }));
}

std::string Fields::joined(std::string_view name) const {
    std::string whole;
    bool is_first = true;
    for (const Field& field : *this) {
        if (!is_called(field, name)) continue;
        if (!std::exchange(is_first, false)) whole += ", ";
        whole += field.value;
    }
    return whole;
}

void Fields::add(std::string_view name, std::string_view value) {
    if (size_ < fields_.size()) {
        fields_[size_].name = name;
        fields_[size_].value = value;
    } else {
        if (fields_.empty()) fields_.reserve(kUsualFields);
        fields_.push_back(Field(std::string(name), std::string(value)));
    }
    ++size_;
}

void Fields::set(std::string_view name, std::string_view value) {
    // Both may point into the fields that are about to change.
    Field replacement{std::string(name), std::string(value)};
    const auto has_name = [&replacement](const Field& field) {
        return is_called(field, replacement.name);
    };
    const auto first = std::find_if(fields_.begin(), slots_end(), has_name);
    if (first == slots_end()) {
        add(replacement.name, replacement.value);
        return;
    }
    const auto rest = std::remove_if(std::next(first), slots_end(), has_name);
    size_ = static_cast<std::size_t>(rest - fields_.begin());
    *first = std::move(replacement);
}

void Fields::remove(std::string_view name) {
    if (!has(name)) return;            // most are not there
    const std::string its_name(name);  // may be a name of ours
    remove(std::array<std::string_view, 1>{its_name});
}

void Fields::remove(std::span<const std::string_view> names) {
    const auto has_one = [names](const Field& field) {
        return std::ranges::any_of(
            names, [&field](std::string_view name) { return is_called(field, name); });
    };
    const auto rest = std::remove_if(fields_.begin(), slots_end(), has_one);
    size_ = static_cast<std::size_t>(rest - fields_.begin());
}

void Fields::clear() {
    if (fields_.size() > kKeptFields) fields_.resize(kKeptFields);
    for (Field& field : fields_) {
        clear_text(field.name);
        clear_text(field.value);
    }
    size_ = 0;
}

void RequestHead::clear() {
    RequestHead room;
    room.method.swap(method);
    room.target.swap(target);
    room.fields = std::move(fields);
    clear_text(room.method);
    clear_text(room.target);
    room.fields.clear();
    *this = std::move(room);
}

std::string serialize(const ResponseHead& head) {
    std::string wire = "HTTP/1.1 ";
    wire += std::to_string(head.status);
    wire += ' ';
    if (is_field_value(head.reason)) wire += head.reason;
    wire += "\r\n";
    wire += serialize_lines(head.fields);
    wire += "\r\n";
    return wire;
}

std::string serialize_lines(const Fields& fields) {
    std::string lines;
    for (const Field& field : fields) {
        if (!is_sendable(field)) continue;
        lines.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    return lines;
}

std::string_view reason_phrase(int status) {
    struct Phrase {
        int status;
        std::string_view text;
    };
    static constexpr std::array kPhrases = std::to_array<Phrase>({
        {100, "Continue"},
        {101, "Switching Protocols"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    });
    const auto found = std::ranges::find(kPhrases, status, &Phrase::status);
    return found == kPhrases.end() ? "Unknown" : found->text;
}

void remove_hop_by_hop(Fields& fields) {
    const std::string nominated = fields.joined("Connection");
    for (const std::string_view name : list_members(nominated))
        if (may_be_nominated(name)) fields.remove(name);
    fields.remove(kHopByHop);
}

bool list_has(std::string_view list, std::string_view token) {
    if (list.find_first_of(",\"") == list.npos) return equals_ignoring_case(trim(list), token);
    return std::ranges::any_of(list_members(list), [token](std::string_view member) {
        return equals_ignoring_case(member, token);
    });
}

}  // namespace hawker::http
