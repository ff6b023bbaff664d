// HTTP/1.1 messages without sockets: fields, request heads, response heads (RFC 9110 section 5, RFC
// 9112).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawker::http {

// Case-insensitive comparison of field names and tokens (ASCII).
bool equals_ignoring_case(std::string_view a, std::string_view b);
// No byte of it ends a line for anybody: no CR, LF or NUL.
bool is_one_line(std::string_view text);
// Visible characters, obs-text, SP and HTAB; nothing that ends a line (RFC 9110 section 5.5).
bool is_field_value(std::string_view text);

struct Field {
    std::string name;   // as received
    std::string value;  // without surrounding whitespace
};

// Fields in the order they came, names as they were written; lookups ignore case.
class Fields {
public:
    Fields() = default;
    Fields(const Fields& other) : fields_(other.begin(), other.end()), size_(other.size_) {}
    Fields(Fields&& other) noexcept { swap(other); }
    Fields& operator=(Fields other) noexcept {
        swap(other);
        return *this;
    }
    ~Fields() = default;

    // The first value, or nullopt. Valid until the next change.
    std::optional<std::string_view> get(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    // All values joined with ", " (RFC 9110 section 5.3); empty when absent.
    std::string joined(std::string_view name) const;
    bool has(std::string_view name) const { return get(name).has_value(); }
    void add(std::string_view name, std::string_view value);
    // Replaces every field of that name by one.
    void set(std::string_view name, std::string_view value);
    void remove(std::string_view name);
    // None of `names` may point into the fields.
    void remove(std::span<const std::string_view> names);
    // Keeps room for as much as a usual head has: what is read into it next asks the heap for
    // nothing.
    void clear();
    std::size_t size() const { return size_; }
    std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
    std::vector<Field>::const_iterator end() const {
        return begin() + static_cast<std::ptrdiff_t>(size_);
    }

private:
    void swap(Fields& other) noexcept {
        fields_.swap(other.fields_);
        std::swap(size_, other.size_);
    }
    std::vector<Field>::iterator slots_end() {
        return fields_.begin() + static_cast<std::ptrdiff_t>(size_);
    }

    std::vector<Field> fields_;  // and behind them, room
    std::size_t size_ = 0;
};

// How the end of a body is known (RFC 9112 section 6).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

enum class TargetForm : std::uint8_t { absolute, authority, origin, asterisk };

struct RequestHead {
    std::string method;
    std::string target;  // exactly as received
    TargetForm form = TargetForm::origin;
    int minor_version = 1;  // HTTP/1.minor
    Fields fields;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;  // bytes; for Framing::length
    bool keep_alive = true;            // the client would like another request on this connection
    bool expects_continue = false;     // Expect: 100-continue

    // As Fields::clear().
    void clear();
};

struct ResponseHead {
    int status = 0;
    std::string reason;
    Fields fields;
};

// The status line, fields and empty line, ready to send. `minor_version` is always 1 for what we
// send.
std::string serialize(const ResponseHead& head);
// The lines of the fields alone.
std::string serialize_lines(const Fields& fields);
// The standard phrase ("Not Found"), or "Unknown".
std::string_view reason_phrase(int status);

// Hop-by-hop fields and those that Connection names, except the nominations we ignore (RFC 9110
// section 7.6.1; facts: a client may not nominate Host, Content-Length, Authorization, Range, If-*,
// Cache-Control or Via away).
void remove_hop_by_hop(Fields& fields);

// True when a member of the comma-separated list equals `token`, ignoring case.
bool list_has(std::string_view list, std::string_view token);

}  // namespace hawker::http
