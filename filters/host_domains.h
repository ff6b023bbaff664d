// Under which domains every host lies that an expression matches: what an authority has to be
// allowed to vouch for, when hosts are only known as patterns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::filters {

// `expression` is a RE2 for a whole host, a port perhaps behind it:
// "cdn[0-9]*\.(a\.example|b\.org)" gives "a.example" and "b.org". Never too few: nullopt when an
// alternative ends in something that is not literal, names an address, or is written in a way that
// is not understood here.
std::optional<std::vector<std::string>> domains_of(std::string_view expression);

}  // namespace hawker::filters
