#include "daemon/admission/users.h"

#include <gtest/gtest.h>

namespace hawker::admission {
namespace {

UserTerms with_connections(std::size_t connections) {
    UserTerms terms;
    terms.connections = connections;
    terms.shared = false;
    return terms;
}

TEST(Users, WhoIsNamedHasTheirOwnTermsAndAllOthersTheStars) {
    const Users users(nullptr, {{"alice", with_connections(4)}, {"*", with_connections(8)}});
    EXPECT_EQ(users.terms_of("alice").connections, 4U);
    EXPECT_EQ(users.terms_of("bob").connections, 8U);
}

TEST(Users, WithoutAStarWhoIsNotNamedMayWhatAStrangerMay) {
    const Users users(nullptr, {{"alice", with_connections(4)}});
    EXPECT_EQ(users.terms_of("bob").connections, 0U);
    EXPECT_TRUE(users.terms_of("bob").shared);
}

TEST(Users, AStrangerIsNobodysOther) {
    const Users users(nullptr, {{"*", with_connections(8)}});
    EXPECT_EQ(users.terms_of("").connections, 0U);
    EXPECT_TRUE(users.terms_of("").shared);
}

}  // namespace
}  // namespace hawker::admission
