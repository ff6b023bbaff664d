#include "base/line_queue.h"

#include <thread>

#include <gtest/gtest.h>

namespace hawker {
namespace {

QueuedLine line(std::string_view text, std::uint8_t kind = 0) {
    return QueuedLine(std::chrono::system_clock::time_point(std::chrono::seconds(7)), kind, text);
}

// All that is there, after which it has ended.
std::vector<std::string> texts_in(LineQueue& queue) {
    queue.stop();
    std::vector<std::string> texts;
    for (LineBlock block; queue.take(block);)
        while (const auto next = block.next()) texts.emplace_back(next->text);
    return texts;
}

TEST(LineQueue, HandsOutLinesInTheirOrderAsTheyWere) {
    LineQueue queue(2);
    queue.push(line("one", 1));
    queue.push(line("", 2));
    EXPECT_FALSE(queue.empty());
    LineBlock block;
    ASSERT_TRUE(queue.take(block));
    EXPECT_TRUE(queue.empty());
    const auto one = block.next();
    ASSERT_TRUE(one);
    EXPECT_EQ(one->text, "one");
    EXPECT_EQ(one->kind, 1);
    EXPECT_EQ(one->time.time_since_epoch(), std::chrono::seconds(7));
    const auto two = block.next();
    ASSERT_TRUE(two);
    EXPECT_EQ(two->text, "");
    EXPECT_EQ(two->kind, 2);
    EXPECT_FALSE(block.next());
}

TEST(LineQueue, WhatWasPushedBeforeItEndedIsHandedOut) {
    LineQueue queue(64);
    std::vector<std::string> pushed;
    for (int i = 0; i < 20'000; ++i) pushed.push_back("line " + std::to_string(i));
    for (const std::string& text : pushed) queue.push(line(text));
    EXPECT_EQ(texts_in(queue), pushed);
}

TEST(LineQueue, WhenItIsFullTheOldestLinesAreLost) {
    LineQueue queue(3);
    constexpr int kLines = 1000;
    for (int i = 0; i < kLines; ++i) queue.push(line(std::string(1000, ' ') + std::to_string(i)));
    const auto left = texts_in(queue);
    EXPECT_GT(left.size(), 100U);
    EXPECT_LT(left.size(), 200U);
    for (std::size_t i = 0; i < left.size(); ++i)
        EXPECT_EQ(std::stoul(left[i]), kLines - left.size() + i);
}

TEST(LineQueue, ALineLongerThanABlockIsALine) {
    LineQueue queue(3);
    const std::string lengthy(1'000'000, 'x');
    queue.push(line("before"));
    queue.push(line(lengthy));
    queue.push(line("after"));
    EXPECT_EQ(texts_in(queue), (std::vector<std::string>{"before", lengthy, "after"}));
}

TEST(LineQueue, WhoeverWaitsIsWokenByALineAndByTheEnd) {
    LineQueue queue(2);
    std::vector<std::string> texts;
    std::thread taker([&] {
        for (LineBlock block; queue.take(block);)
            while (const auto next = block.next()) texts.emplace_back(next->text);
    });
    for (int i = 0; i < 100; ++i) {
        queue.push(line(std::to_string(i)));
        if (i % 10 == 0) std::this_thread::yield();
    }
    queue.stop();
    taker.join();
    ASSERT_EQ(texts.size(), 100U);
    EXPECT_EQ(texts.back(), "99");
}

}  // namespace
}  // namespace hawker
