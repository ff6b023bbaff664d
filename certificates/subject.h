// Whom a leaf vouches for: one DNS name or one IP address. Private to the room.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace hawker::certificates {

struct Subject {
    std::string text;     // lower case, without trailing dot and brackets
    std::string address;  // 4 or 16 octets; empty for a name
    bool is_address() const { return !address.empty(); }
};

// A name is letters, digits, '-' and '_' in labels of at most 63 bytes, 253 together (RFC 1035
// section 2.3.4); its first label may be '*' above two others (RFC 9525 section 6.3). What ends in
// a number is an IPv4 address or nothing. Errc::invalid, without the host where it is not
// printable.
Expected<Subject> parse_subject(std::string_view host);

// Is `name` `domain` or below it? Both as parse_subject() leaves them.
bool is_within(std::string_view name, std::string_view domain);

}  // namespace hawker::certificates
