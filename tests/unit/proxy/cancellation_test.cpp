#include "daemon/proxy/cancellation.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

TEST(Cancellation, EndsTheWaitUnderWay) {
    Cancellation cancellation;
    int ended = 0;
    cancellation = [&ended] { ++ended; };
    EXPECT_EQ(ended, 0);
    cancellation.ask();
    EXPECT_EQ(ended, 1);
}

TEST(Cancellation, EndsTheWaitThatBeginsAfterIt) {
    Cancellation cancellation;
    cancellation = nullptr;
    cancellation.ask();
    int ended = 0;
    cancellation = [&ended] { ++ended; };
    EXPECT_EQ(ended, 1);
    cancellation = nullptr;
    EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace hawker::proxy
