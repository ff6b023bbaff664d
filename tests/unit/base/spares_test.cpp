#include "base/spares.h"

#include <gtest/gtest.h>

namespace hawker {
namespace {

struct Page {
    std::string text;
    void clear() { clear_text(text); }
};

TEST(Spares, WhatComesBackIsLentAgainEmptyAndWithItsRoom) {
    Spares<Page> spares(1);
    const Page* first = nullptr;
    {
        const auto page = spares.take();
        first = page.get();
        page->text.assign(1000, 'x');
    }
    const auto page = spares.take();
    EXPECT_EQ(page.get(), first);
    EXPECT_TRUE(page->text.empty());
    EXPECT_GE(page->text.capacity(), 1000U);
}

TEST(Spares, WhatIsLentToTwoIsTwo) {
    Spares<Page> spares(1);
    const auto one = spares.take();
    const auto other = spares.take();
    EXPECT_NE(one.get(), other.get());
}

TEST(Spares, NoMoreWaitThanWereAskedFor) {
    Spares<Page> spares(1);
    const Page* kept = nullptr;
    {
        auto one = spares.take();
        auto other = spares.take();
        kept = one.get();
        one.reset();
    }
    EXPECT_EQ(spares.take().get(), kept) << "the other one, which came back later, is gone";
}

TEST(Spares, ATextThatGrewLargeGivesItsRoomBack) {
    std::string text(1 << 20U, 'x');
    clear_text(text);
    EXPECT_TRUE(text.empty());
    EXPECT_LT(text.capacity(), 100U);
}

}  // namespace
}  // namespace hawker
