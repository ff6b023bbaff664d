// Task<T>: a coroutine that somebody will await.
//
// Eager:   the body runs at once, up to its first real wait. A task that is already done does not
// suspend its awaiter, so a
//          loop over ready tasks needs no stack (GCC 12 has no tail calls at -O0).
// Owner:   whoever holds the Task. It must be done before it is dropped: a suspended coroutine is
// never destroyed. To let
//          one run by itself, give it to a TaskGroup.
// Thread:  a task resumes on the thread where what it waits for resumes it: its home loop, by
// construction of the awaitables. Failure: errors are values (Task<Expected<T>>). An exception is a
// bug; it travels to the awaiter.
//
// GCC 12 double-frees when one full expression holds `co_await` together with a capturing lambda, a
// braced aggregate or a class-type `?:`. `co_await` therefore stands alone in its statement;
// scripts/lint_coroutines.py refuses the rest.
#pragma once

#include "base/frames.h"

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace hawker {

template <typename T = void>
class Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr exception;

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            return self.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    static void* operator new(std::size_t size) { return take_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        leave_frame(frame, size);
    }

    std::suspend_never initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <typename T>
struct Promise : PromiseBase {
    std::optional<T> value;

    Task<T> get_return_object();
    template <typename U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() {
        if (exception) std::rethrow_exception(exception);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object();
    void return_void() const noexcept {}
    void take() const {
        if (exception) std::rethrow_exception(exception);
    }
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;

    explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~Task() {
        if (!frame_) return;
        assert(frame_.done() && "a suspended coroutine is never destroyed");
        frame_.destroy();
    }

    bool done() const { return frame_.done(); }

    // At most one awaiter, once.
    auto operator co_await() {
        struct Awaiter {
            std::coroutine_handle<promise_type> frame;
            bool await_ready() const noexcept { return frame.done(); }
            void await_suspend(std::coroutine_handle<> awaiter) const noexcept {
                frame.promise().continuation = awaiter;
            }
            T await_resume() const { return frame.promise().take(); }
        };
        return Awaiter{frame_};
    }

    // The result of a task that is done; for tests and for those who waited by other means.
    T take() {
        assert(done());
        return frame_.promise().take();
    }

private:
    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
    return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace detail

}  // namespace hawker
