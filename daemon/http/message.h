// HTTP/1.1 messages without sockets: fields, request heads, response heads (RFC 9110 section 5, RFC
// 9112).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawker::http {

// Case-insensitive comparison of field names and tokens (ASCII).
bool equals_ignoring_case(std::string_view a, std::string_view b);

struct Field {
    std::string name;   // as received
    std::string value;  // without surrounding whitespace
};

// Fields in the order they came, names as they were written; lookups ignore case.
class Fields {
public:
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
    std::size_t size() const { return fields_.size(); }
    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }

private:
    std::vector<Field> fields_;
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
