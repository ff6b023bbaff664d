#include "daemon/admission/users.h"

#include <utility>

namespace hawker::admission {

Users::Users(std::shared_ptr<const Htpasswd> passwords, Terms terms)
    : passwords_(std::move(passwords)), terms_(std::move(terms)) {
    if (const auto others = terms_.find("*"); others != terms_.end()) others_ = others->second;
}

const UserTerms& Users::terms_of(std::string_view user) const {
    if (user.empty()) return strangers_;
    const auto found = terms_.find(user);
    return found == terms_.end() ? others_ : found->second;
}

}  // namespace hawker::admission
