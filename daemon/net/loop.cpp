#include "daemon/net/loop.h"

#include "daemon/net/loop_state.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace hawker::net {

namespace {

timeval to_timeval(std::chrono::milliseconds delay) {
    timeval time{};
    time.tv_sec = static_cast<time_t>(delay.count() / 1000);
    time.tv_usec = static_cast<suseconds_t>(delay.count() % 1000 * 1000);
    return time;
}

short to_event_flags(Interest interest) {
    const auto bits = static_cast<unsigned>(interest);
    const unsigned read = (bits & 1U) != 0 ? unsigned{EV_READ} : 0U;
    const unsigned write = (bits & 2U) != 0 ? unsigned{EV_WRITE} : 0U;
    return static_cast<short>(read | write | unsigned{EV_PERSIST});
}

}  // namespace

EventPtr make_event(Loop& loop, int fd, short what, event_callback_fn callback, void* argument) {
    return EventPtr(event_new(loop.state().base.get(), fd, what, callback, argument));
}

void set_timeout(event* timer, std::chrono::milliseconds delay) {
    const timeval time = to_timeval(std::max(delay, std::chrono::milliseconds(0)));
    event_add(timer, &time);
}

Loop::Loop(std::unique_ptr<State> state) : state_(std::move(state)) {}

Expected<std::unique_ptr<Loop>> Loop::create() {
    auto state = std::make_unique<State>();
    state->base.reset(event_base_new());
    state->wake = UniqueFd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!state->base || !state->wake) return fail(system_error(errno, "create an event loop"));
    // sendfile and splice have no MSG_NOSIGNAL; a peer that went away is an error value here, never
    // a signal.
    std::signal(SIGPIPE, SIG_IGN);
    State& its = *state;
    auto loop =
        std::unique_ptr<Loop>(new Loop(std::move(state)));  // NOLINT: the constructor is private
    its.wake_event = make_event(*loop, its.wake.get(), EV_READ | EV_PERSIST, &State::on_wake, &its);
    its.turn_event = make_event(*loop, -1, 0, &State::on_turn, &its);
    if (!its.wake_event || !its.turn_event || event_add(its.wake_event.get(), nullptr) != 0)
        return fail(Errc::exhausted, "create an event loop: libevent gives no event");
    return loop;
}

Loop::~Loop() {
    // Jobs may hold what posts again when it is destroyed; nothing of that runs any more.
    state_->stopped = true;
    state_->delayed.clear();
    state_->turn.clear();
    std::vector<Job> dropped;
    {
        const std::scoped_lock lock(state_->mutex);
        dropped.swap(state_->posted);
    }
}

void Loop::run() {
    state_->thread = std::this_thread::get_id();
    state_->run_jobs();
    while (!state_->stopped) {
        if (event_base_loop(state_->base.get(), EVLOOP_ONCE) < 0) break;
    }
}

void Loop::stop() {
    state_->stopped = true;
    state_->signal();
}

std::span<std::byte> Loop::scratch() { return state_->scratch; }

bool Loop::on_this_thread() const { return state_->thread.load() == std::this_thread::get_id(); }

void Loop::post(Job job) {
    if (state_->stopped) return;
    bool first = false;
    {
        const std::scoped_lock lock(state_->mutex);
        first = state_->posted.empty();
        state_->posted.push_back(std::move(job));
    }
    if (!first) return;
    if (on_this_thread())
        set_timeout(state_->turn_event.get(), std::chrono::milliseconds(0));
    else
        state_->signal();
}

void Loop::post_after(std::chrono::milliseconds delay, Job job) {
    if (!on_this_thread()) {
        post([this, delay, job = std::move(job)]() mutable { post_after(delay, std::move(job)); });
        return;
    }
    if (state_->stopped) return;
    auto& delayed = state_->delayed;
    delayed.emplace_front(*state_, std::move(job));
    delayed.front().place = delayed.begin();
    delayed.front().timer = make_event(*this, -1, 0, &State::Delayed::on_time, &delayed.front());
    set_timeout(delayed.front().timer.get(), delay);
}

void Loop::State::signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof(one));
}

void Loop::State::on_wake(int fd, short /*what*/, void* argument) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd, &count, sizeof(count));
    static_cast<State*>(argument)->run_jobs();
}

void Loop::State::on_turn(int /*fd*/, short /*what*/, void* argument) {
    static_cast<State*>(argument)->run_jobs();
}

void Loop::State::Delayed::on_time(int /*fd*/, short /*what*/, void* argument) {
    auto* self = static_cast<Delayed*>(argument);
    Job job = std::move(self->job);
    self->state.delayed.erase(self->place);
    job();
}

void Loop::State::run_jobs() {
    {
        const std::scoped_lock lock(mutex);
        turn.swap(posted);
    }
    // What these jobs post runs in the next turn, by a timeout of zero: the descriptors are looked
    // at in between.
    for (Job& job : turn) {
        Job now = std::move(job);
        now();
    }
    turn.clear();
    bool more = false;
    {
        const std::scoped_lock lock(mutex);
        more = !posted.empty();
    }
    if (more && !stopped) set_timeout(turn_event.get(), std::chrono::milliseconds(0));
}

struct FdWatch::State {
    Loop& loop;
    int fd;
    std::function<void(Interest)> on_ready;
    EventPtr event;

    static void on_event(int /*fd*/, short what, void* argument) {
        const bool read = (what & EV_READ) != 0;
        const bool write = (what & EV_WRITE) != 0;
        const auto call =
            static_cast<State*>(argument)->on_ready;  // a copy: the callback may destroy the watch
        call(static_cast<Interest>((read ? 1U : 0U) | (write ? 2U : 0U)));
    }
};

FdWatch::FdWatch(Loop& loop, int fd, std::function<void(Interest)> on_ready)
    : state_(std::make_unique<State>(loop, fd, std::move(on_ready), nullptr)) {}
FdWatch::~FdWatch() = default;

void FdWatch::set(Interest interest) {
    state_->event.reset();
    if (interest == Interest::none) return;
    state_->event = make_event(state_->loop, state_->fd, to_event_flags(interest), &State::on_event,
                               state_.get());
    event_add(state_->event.get(), nullptr);
}

struct Timer::State {
    Loop& loop;
    std::function<void()> on_time;
    EventPtr event;  // made when it is first set: most never are

    static void on_event(int /*fd*/, short /*what*/, void* argument) {
        const auto call = static_cast<State*>(argument)->on_time;
        call();
    }
};

Timer::Timer(Loop& loop, std::function<void()> on_time)
    : state_(std::make_unique<State>(loop, std::move(on_time), nullptr)) {}
Timer::~Timer() = default;
void Timer::set(std::chrono::milliseconds delay) {
    if (!state_->event)
        state_->event = make_event(state_->loop, -1, 0, &State::on_event, state_.get());
    set_timeout(state_->event.get(), delay);
}
void Timer::clear() {
    if (state_->event) event_del(state_->event.get());
}

}  // namespace hawker::net
