// An answer under way: the cache reads it once, and what it does not take is the client's.
#include "daemon/proxy/live_answer.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: bytes as text
}

struct Told {
    std::vector<std::string> chunks;
    std::size_t next = 0;
    bool cancelled = false;
};

class ScriptedResponse final : public origin::Response {
public:
    explicit ScriptedResponse(Told& told) : told_(told) {}
    Task<Expected<http::ResponseHead>> head() override { co_return http::ResponseHead(); }
    http::Framing framing() const override { return http::Framing::length; }
    Task<Expected<std::span<const std::byte>>> read() override {
        if (told_.cancelled) co_return fail(Errc::cancelled, "cancelled");
        if (told_.next == told_.chunks.size()) co_return std::span<const std::byte>();
        const std::string& chunk = told_.chunks[told_.next++];
        co_return std::as_bytes(std::span(chunk));
    }
    Task<Expected<void>> write(std::span<const std::byte> /*bytes*/) override {
        co_return Expected<void>();
    }
    void finish_body() override {}
    void cancel() override { told_.cancelled = true; }
    std::string_view proxy_error() const override { return {}; }

private:
    Told& told_;
};

class NowhereExecutor final : public Executor {
public:
    void post(Job /*job*/) override {}
    void post_after(std::chrono::milliseconds /*delay*/, Job /*job*/) override {}
};

template <typename T>
T now(Task<T> task) {
    EXPECT_TRUE(task.done());
    T result = [](Task<T>& done) { return done.operator co_await().await_resume(); }(task);
    return result;
}

class LiveAnswerTest : public testing::Test {
protected:
    std::unique_ptr<cache::Transfer> open() { return source->open(RangeSpec::whole(), home); }

    NowhereExecutor home;
    Told told{{"first", "second", "third"}};
    std::shared_ptr<LiveAnswer> answer =
        std::make_shared<LiveAnswer>(std::make_unique<ScriptedResponse>(told), cache::Arrival());
    std::shared_ptr<const cache::Source> source = answer->source();
};

TEST_F(LiveAnswerTest, IsReadOnceAndByNobodyElse) {
    const auto transfer = open();
    EXPECT_EQ(text_of(*now(transfer->read())), "first");
    const auto again = now(open()->head());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::not_found);
    EXPECT_FALSE(answer->take_rest());  // the cache goes on with it
}

TEST_F(LiveAnswerTest, WhatTheCacheDidNotTakeIsTheClients) {
    auto transfer = open();
    (void)now(transfer->read());
    (void)now(transfer->read());
    transfer->cancel();  // "second" did not find a place
    transfer = nullptr;
    const auto rest = answer->take_rest();
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->offset, 5U);
    EXPECT_EQ(text_of(rest->bytes), "second");
    EXPECT_EQ(text_of(*now(answer->response().read())), "third");
    EXPECT_FALSE(told.cancelled);
}

TEST_F(LiveAnswerTest, AllOfItWhereTheCacheNeverBegan) {
    const auto rest = answer->take_rest();
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->offset, 0U);
    EXPECT_TRUE(rest->bytes.empty());
    EXPECT_FALSE(now(open()->head()));
}

TEST_F(LiveAnswerTest, EndsWithTheCacheWhereNoClientIsLeft) {
    auto transfer = open();
    (void)now(transfer->read());
    answer->let_go();
    EXPECT_FALSE(told.cancelled);
    transfer->cancel();
    EXPECT_TRUE(told.cancelled);
}

TEST_F(LiveAnswerTest, AnAnswerThatBrokeHasNoRest) {
    auto transfer = open();
    (void)now(transfer->read());
    told.cancelled = true;
    EXPECT_FALSE(now(transfer->read()));
    transfer->cancel();
    EXPECT_FALSE(answer->take_rest());
}

}  // namespace
}  // namespace hawker::proxy
