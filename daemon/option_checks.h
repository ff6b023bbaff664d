// Conditions on single options that their type does not say. Errc::invalid says what was expected.
#pragma once

#include "base/error.h"
#include "cache/cache.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::daemon {

Expected<void> check_cidr(const std::string& text);
Expected<void> check_port(const std::string& text);
Expected<void> check_pseudonym(const std::string& text);
// A URL without a query, or a host for https.
Expected<void> check_registry(const std::string& text);
// A URL without a query, or empty.
Expected<void> check_upstream(const std::string& text);
Expected<void> check_on_abandon(const std::string& text);

Expected<void> check_host_pattern(const std::string& text);
// A host pattern, or "rules".
Expected<void> check_intercepted_host(const std::string& text);
Expected<void> check_ip_address(const std::string& text);
Expected<void> check_proxy(const std::string& text);
Expected<void> check_no_proxy(const std::string& text);
Expected<void> check_host_override(const std::string& text);

// "git.example=192.0.2.7"
struct HostOverride {
    std::string name;  // as plain_host() writes it
    std::string address;
};
Expected<HostOverride> parse_host_override(std::string_view text);

// "443"
Expected<std::uint16_t> parse_port(std::string_view text);

// "finish", "stop", "finish-if 50"
struct Abandon {
    cache::OnAbandon what = cache::OnAbandon::finish;
    unsigned percent = 50;
};
Expected<Abandon> parse_on_abandon(std::string_view text);

}  // namespace hawker::daemon
