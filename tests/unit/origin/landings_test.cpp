#include "daemon/origin/landings.h"

#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

Digest named(unsigned char name) {
    Digest digest;
    digest.bytes[0] = std::byte{name};
    return digest;
}

LandingPtr at(std::string url) {
    auto landing = std::make_shared<Landing>();
    landing->url = std::move(url);
    return landing;
}

constexpr SteadyTime kNow{std::chrono::hours(1)};

TEST(Landings, APlaceIsFoundUnderItsNameAloneUntilItsTimeIsOver) {
    Landings landings;
    landings.keep(named(1), at("https://cdn/a"), kNow);
    ASSERT_TRUE(landings.find(named(1), kNow));
    EXPECT_EQ(landings.find(named(1), kNow)->url, "https://cdn/a");
    EXPECT_FALSE(landings.find(named(2), kNow));
    EXPECT_FALSE(landings.find(named(1), kNow + Landings::kLife));
}

TEST(Landings, NullForgetsAndALaterPlaceReplaces) {
    Landings landings;
    landings.keep(named(1), at("https://cdn/a"), kNow);
    landings.keep(named(1), at("https://cdn/b"), kNow);
    EXPECT_EQ(landings.find(named(1), kNow)->url, "https://cdn/b");
    landings.keep(named(1), nullptr, kNow);
    EXPECT_FALSE(landings.find(named(1), kNow));
}

TEST(Landings, TheOldestLeaveFirst) {
    Landings landings(2);
    for (unsigned char i = 1; i <= 3; ++i) landings.keep(named(i), at("https://cdn/"), kNow);
    EXPECT_FALSE(landings.find(named(1), kNow));
    EXPECT_TRUE(landings.find(named(2), kNow));
    EXPECT_TRUE(landings.find(named(3), kNow));
}

}  // namespace
}  // namespace hawker::origin
