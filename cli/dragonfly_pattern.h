// A dfdaemon's patterns, as patterns of ours.
//
// The Go dfdaemon looked for Go's regexp in the whole URL: its language is RE2's, and a pattern
// stays what it is. The Rust one looks for a pattern of the `regex` crate in the URL without its
// query: that becomes an RE2 pattern that no character after the first `?` can make match.
//
// Failure: Errc::unsupported, with what it is that RE2 cannot say.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace hawker::cli {

// For a pattern that has matched URLs with their query.
Expected<std::string> pattern_of_go(std::string_view pattern);
// For a pattern that has matched URLs without their query.
Expected<std::string> pattern_of_rust(std::string_view pattern);

}  // namespace hawker::cli
