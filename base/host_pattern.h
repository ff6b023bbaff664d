// Hosts as configuration names them: "git.example", "*.example" (everything below it, not itself),
// "*", "192.0.2.7", "2001:db8::1".
#pragma once

#include "base/error.h"

#include <span>
#include <string>
#include <string_view>

namespace hawker {

class HostPattern {
public:
    // Errc::invalid, in words, for a URL, a port, a '*' anywhere but as the first label.
    static Expected<HostPattern> parse(std::string_view text);

    // Case, one trailing dot and an IPv6 literal's brackets do not count.
    bool matches(std::string_view host) const;
    // Names one host.
    bool is_literal() const { return !any_ && !below_; }
    // "*.example": "example". "*": empty.
    const std::string& name() const { return name_; }

private:
    std::string name_;
    bool below_ = false;
    bool any_ = false;
};

bool any_matches(std::span<const HostPattern> patterns, std::string_view host);

// Lower case, without a trailing dot and without brackets: one spelling of one host.
std::string plain_host(std::string_view host);

}  // namespace hawker
