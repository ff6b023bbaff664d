// The forms that our coroutines use, each with something that is counted: GCC 12 destroys twice,
// without a warning, when a full expression with co_await also holds a capturing lambda, a braced
// aggregate or a class-type conditional. What is written here is what remains allowed
// (scripts/lint_coroutines.py refuses the rest); the sanitizers run it too.
#include "base/error.h"
#include "base/executor.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "tests/unit/base/hand_executor.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hawker {
namespace {

// Alive minus destroyed; a double destruction makes it negative even where no heap block is freed
// twice.
class Counted {
public:
    explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
    Counted(const Counted& other) : alive_(other.alive_), text_(other.text_) { ++*alive_; }
    Counted(Counted&& other) noexcept : alive_(other.alive_), text_(std::move(other.text_)) {
        ++*alive_;
    }
    Counted& operator=(const Counted&) = default;
    Counted& operator=(Counted&&) noexcept = default;
    ~Counted() { --*alive_; }
    const std::string& text() const { return text_; }

private:
    int* alive_;
    std::string text_ = "a text too long for the small string optimisation";
};

struct Parts {
    Counted first;
    std::optional<Counted> second;
};

Task<std::size_t> by_value(Executor& loop, Counted value) {
    co_await resume_on(loop);
    co_return value.text().size();
}

Task<Expected<Counted>> makes(Executor& loop, int& alive) {
    co_await resume_on(loop);
    co_return Counted(alive);
}

Task<std::size_t> of_aggregate(Executor& loop, Parts parts) {
    co_await resume_on(loop);
    co_return parts.first.text().size() + (parts.second ? 1U : 0U);
}

Task<std::size_t> named_arguments(Executor& loop, int& alive) {
    const Counted named(alive);
    const std::size_t length = co_await by_value(loop, named);
    co_return length;
}

Task<std::size_t> temporary_with_constructor(Executor& loop, int& alive) {
    const std::size_t length = co_await by_value(loop, Counted(alive));
    co_return length;
}

Task<std::size_t> named_aggregate(Executor& loop, int& alive) {
    Parts parts{.first = Counted(alive), .second = Counted(alive)};
    const std::size_t length = co_await of_aggregate(loop, std::move(parts));
    co_return length;
}

Task<std::size_t> named_choice(Executor& loop, int& alive, bool which) {
    const Counted one(alive);
    const Counted other(alive);
    Counted chosen = which ? one : other;
    const std::size_t length = co_await by_value(loop, std::move(chosen));
    co_return length;
}

Task<std::size_t> result_in_a_condition(Executor& loop, int& alive) {
    if (auto made = co_await makes(loop, alive); made) co_return made->text().size();
    co_return 0;
}

Task<std::size_t> in_a_loop_and_a_try(Executor& loop, int& alive) {
    std::size_t total = 0;
    std::vector<Counted> all;
    for (int i = 0; i < 4; ++i) {
        try {
            auto made = co_await makes(loop, alive);
            all.push_back(*std::move(made));
        } catch (const std::exception&) {
            co_return 0;
        }
        total += all.back().text().size();
    }
    co_return total / 4;
}

Task<std::size_t> lambda_that_captures_nothing(Executor& loop, int& alive) {
    const auto body = [](Executor& home, Counted value) -> Task<std::size_t> {
        co_await resume_on(home);
        co_return value.text().size();
    };
    const Counted named(alive);
    const std::size_t length = co_await body(loop, named);
    co_return length;
}

Task<std::size_t> offloaded(Executor& pool, Executor& home, int& alive) {
    const Counted named(alive);
    auto work = [&named] { return named.text().size(); };
    const std::size_t length = co_await offload(pool, home, work);
    co_return length;
}

class CoroutinePatterns : public testing::Test {
protected:
    void expect_balanced(Task<std::size_t> task) {
        loop.run();
        EXPECT_EQ(task.take(), 49U + extra);
    }
    ~CoroutinePatterns() override { EXPECT_EQ(alive, 0); }

    HandExecutor loop;
    int alive = 0;
    std::size_t extra = 0;
};

TEST_F(CoroutinePatterns, NamedArguments) { expect_balanced(named_arguments(loop, alive)); }
TEST_F(CoroutinePatterns, TemporaryWithConstructor) {
    expect_balanced(temporary_with_constructor(loop, alive));
}
TEST_F(CoroutinePatterns, NamedAggregate) {
    extra = 1;
    expect_balanced(named_aggregate(loop, alive));
}
TEST_F(CoroutinePatterns, NamedChoice) {
    expect_balanced(named_choice(loop, alive, true));
    expect_balanced(named_choice(loop, alive, false));
}
TEST_F(CoroutinePatterns, ResultInACondition) {
    expect_balanced(result_in_a_condition(loop, alive));
}
TEST_F(CoroutinePatterns, InALoopAndATry) { expect_balanced(in_a_loop_and_a_try(loop, alive)); }
TEST_F(CoroutinePatterns, LambdaThatCapturesNothing) {
    expect_balanced(lambda_that_captures_nothing(loop, alive));
}
TEST_F(CoroutinePatterns, OffloadedWork) {
    HandExecutor pool;
    Task<std::size_t> task = offloaded(pool, loop, alive);
    EXPECT_EQ(loop.run(), 0U) << "the home loop is free while the pool works";
    pool.run();
    EXPECT_FALSE(task.done());
    expect_balanced(std::move(task));
}

}  // namespace
}  // namespace hawker
