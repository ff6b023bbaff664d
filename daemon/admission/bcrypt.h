// One password against one bcrypt hash.
//
// Thread: any; takes from milliseconds to seconds by design: never a loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawker::admission {

// The cost of "$2y$12$..." (also $2a$ and $2b$); nullopt for what is no bcrypt hash.
std::optional<unsigned> bcrypt_cost(std::string_view hash);

// A hash that no password has, as dear as those of this cost.
std::string hash_of_nobody(unsigned cost);

// A password beyond 72 bytes or with a NUL in it is no user's: bcrypt would not look at all of it.
bool verify_bcrypt(std::string_view password, const std::string& hash);

}  // namespace hawker::admission
