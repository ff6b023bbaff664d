// Dates, entity tags, preconditions (RFC 9110 sections 5.6.7, 8.8, 13).
#pragma once

#include "base/clock.h"
#include "daemon/http/message.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::http {

// IMF-fixdate, RFC 850 and asctime are read; IMF-fixdate is written. `now` says which century two
// digits of a year mean. Years outside 1900 to 2150 become the nearest of them, so that the
// difference of two dates always fits a WallTime::duration.
std::optional<WallTime> parse_date(std::string_view value,
                                   WallTime now = std::chrono::system_clock::now());
std::string format_date(WallTime time);

bool is_entity_tag(std::string_view text);
bool is_strong(std::string_view entity_tag);
bool strong_match(std::string_view a, std::string_view b);
bool weak_match(std::string_view a, std::string_view b);

enum class Verdict { proceed, not_modified, precondition_failed };
// If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since in the order of RFC 9110
// section 13.2.2 against a stored response's ETag and Last-Modified. Weak comparison where the RFC
// says so.
Verdict evaluate_preconditions(std::string_view method, const Fields& request,
                               const Fields& stored);

// True when Range counts: no If-Range, or one that matches strongly (section 13.1.5).
bool if_range_holds(const Fields& request, const Fields& stored);

}  // namespace hawker::http
