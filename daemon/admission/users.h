// The users of one configuration: who has a password, and what each may.
//
// Thread: immutable; any.
#pragma once

#include "daemon/admission/htpasswd.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace hawker::admission {

struct UserTerms {
    std::size_t connections = 0;  // transfers at once; 0: limits.client_transfers
    std::uint64_t bandwidth = 0;  // bytes a second for all of them together; 0: no limit
    bool shared = true;           // may read hits of rules with `access: shared` unasked
};

class Users {
public:
    using Terms = std::map<std::string, UserTerms, std::less<>>;

    // `passwords` may be null: users may come with certificates only. "*" in `terms` is for those
    // who are not named there.
    Users(std::shared_ptr<const Htpasswd> passwords, Terms terms);

    const std::shared_ptr<const Htpasswd>& passwords() const { return passwords_; }
    // An empty name is a client that nobody knows: it has what UserTerms begins with.
    const UserTerms& terms_of(std::string_view user) const;

private:
    const std::shared_ptr<const Htpasswd> passwords_;
    const Terms terms_;
    UserTerms others_;
    const UserTerms strangers_;
};

}  // namespace hawker::admission
