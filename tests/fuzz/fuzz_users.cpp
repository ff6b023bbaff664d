// Who a client says it is, and the file that says who there is.
//
// Properties, for any bytes: credentials that can be read are the same when they are written and
// read again; a file is taken only with names and hashes that are some; a complaint is printable.
#include "base/base64.h"
#include "daemon/admission/basic_credentials.h"
#include "daemon/admission/bcrypt.h"
#include "daemon/admission/htpasswd.h"
#include "tests/fuzz/require.h"

#include <algorithm>

namespace {

using namespace hawker;
using namespace hawker::admission;

void read_credentials(std::string_view field) {
    const auto once = parse_basic(field);
    if (!once) return;
    const auto again = parse_basic("Basic " + to_base64(once->user + ":" + once->password));
    fuzz::require(again && again->user == once->user && again->password == once->password,
                  "credentials are the same when they are written and read again");
    fuzz::require(!once->user.contains(':'), "the first colon ends the user");
}

bool is_printable(std::string_view text) {
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void read_users(std::string_view text) {
    const auto users = Htpasswd::parse(text, "users");
    if (!users) {
        fuzz::require(users.error().what.starts_with("users:"), "a complaint names the file");
        fuzz::require(is_printable(users.error().what), "a complaint is printable");
        return;
    }
    fuzz::require((*users)->size() > 0, "a file without users is refused");
    while (!text.empty()) {
        const std::string_view line = fuzz::take_line(text);
        if (line.empty() || line.starts_with('#') || line == "\r") continue;
        const std::string_view user = line.substr(0, line.find(':'));
        fuzz::require(is_user_name(user), "who is taken has a name");
        fuzz::require(bcrypt_cost((*users)->hash_of(user)).has_value(), "and a hash of bcrypt");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    read_credentials(bytes);
    read_credentials("Basic " + to_base64(bytes));
    read_users(bytes);
    return 0;
}
