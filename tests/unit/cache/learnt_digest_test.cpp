// What nobody gave a digest is hashed as it comes, where that is asked for.
#include "tests/unit/cache/world.h"

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using testing::Client;
using testing::some_content;
using testing::task_named;

class LearntDigestTest : public testing::World {
protected:
    std::optional<Representation> known() {
        auto finding = cache->find(task, loop);
        crank();
        return finding.take();
    }
};

// Nobody says what it hashes to before it is stored; of the next name the source does.
TEST_F(LearntDigestTest, WhatLearntItsDigestFromItsBytesIsLinkedToByWhoIsToldIt) {
    origin.content = some_content(1_MiB);
    options.learn_digest = true;
    EXPECT_TRUE(visit().finished);
    commit();
    const auto learnt = known();
    ASSERT_TRUE(learnt);
    EXPECT_TRUE(learnt->complete);
    EXPECT_EQ(learnt->digest, testing::digest_of(origin.content));
    EXPECT_EQ(visit("bob").origin, Origin::hit);
    const auto before = origin.bytes_sent();
    origin.digest = learnt->digest;
    OpenRequest other = request();
    other.task = task_named("other");
    other.links_by_digest = true;
    const Client& client = arrive(other);
    crank();
    EXPECT_EQ(client.received, origin.content);
    EXPECT_LT(origin.bytes_sent() - before, origin.content.size() / 2);
}

TEST_F(LearntDigestTest, ASmallBodyLearnsItsDigestToo) {
    origin.content = some_content(1'000);
    options.learn_digest = true;
    EXPECT_TRUE(visit().finished);
    EXPECT_EQ(known()->digest, testing::digest_of(origin.content));
}

TEST_F(LearntDigestTest, WhatIsNotToLearnItDoesNot) {
    EXPECT_TRUE(visit().finished);
    EXPECT_FALSE(known()->digest);
}

}  // namespace
}  // namespace hawker::cache
