#include "daemon/worker.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>

namespace hawker::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto kAcceptPause = 50ms;  // after a failed accept: whatever is wrong, do not spin on it
// Idle connections close within a turn of their loop; after the last of these waits nobody was
// idle.
constexpr std::array kPatience = {1ms, 2ms, 4ms, 8ms, 16ms, 32ms};
// For the disk, where descriptors come back with what it writes; it may ask for so much again.
constexpr auto kRecordingPatience = 1s;
constexpr auto kRecordingInterval = 10s;
constexpr auto kRecordingLook = 2ms;
// At once, while descriptors or memory are short: more may come soon.
constexpr std::size_t kShedTogether = 16;
constexpr std::size_t kFilesTogether = 64;

std::string_view limit_of(Shortage shortage) {
    switch (shortage) {
        case Shortage::descriptors:
            return "LimitNOFILE";
        case Shortage::memory:
            return "limits.memory";
        default:
            return "limits.connections";
    }
}

std::string refusal_for(Shortage shortage) {
    const std::string sentence =
        fmt::format("This proxy is full ({}). Try again in a moment.", limit_of(shortage));
    return fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: {}\r\n"
        "Proxy-Status: hawker; error=http_request_error; details=\"{}\"\r\n"
        "Retry-After: 1\r\n"
        "Connection: close\r\n"
        "\r\n"
        "{}",
        sentence.size(), limit_of(shortage), sentence);
}

}  // namespace

Worker::Worker(std::unique_ptr<net::Loop> loop, const Log& log)
    : loop_(std::move(loop)), log_(log), accepting_(*loop_), winding_down_(*loop_) {}

Worker::~Worker() { stop(); }

Expected<std::unique_ptr<Worker>> Worker::create(const origin::ClientOptions& options,
                                                 const Log& log) {
    auto loop = net::Loop::create();
    if (!loop) return fail(std::move(loop).error());
    auto worker = std::unique_ptr<Worker>(
        new Worker(std::move(*loop), log));  // NOLINT: the constructor is private
    auto client = origin::Client::create(*worker->loop_, options, log);
    if (!client) return fail(std::move(client).error());
    worker->origins_ = std::move(*client);
    return worker;
}

void Worker::accept_at(std::unique_ptr<net::Listener> listener, std::size_t place) {
    entrances_.emplace_back(std::move(listener), place);
}

void Worker::start(proxy::Services& services, Headroom& headroom,
                   std::function<void(std::size_t)> close_idle_elsewhere) {
    headroom_ = &headroom;
    cache_ = &services.cache;
    close_idle_elsewhere_ = std::move(close_idle_elsewhere);
    proxy_ = proxy::Proxy::create(*loop_, services);
    loop_->post([this] {
        for (Entrance& entrance : entrances_) accepting_.spawn(accept_from(entrance));
    });
    thread_ = std::thread([this] { run(); });
}

void Worker::run() {
    ::pthread_setname_np(::pthread_self(), "hawkerd-loop");
    loop_->run();
    // What belongs to the loop ends on the loop's thread.
    proxy_.reset();
    entrances_.clear();
    origins_.reset();
}

Task<void> Worker::accept_from(Entrance& entrance) {
    while (!stopping_) {
        auto client = co_await entrance.listener->accept();
        if (!client) {
            if (client.error().code == Errc::closed) co_return;
            if (client.error().code != Errc::exhausted)
                log_.warn("accept: {}", client.error().what);
            else if (cache_->close_idle_files(kFilesTogether) != cache::Relief::given)
                shed(Shortage::descriptors);
            co_await sleep_on(*loop_, kAcceptPause);
            continue;
        }
        const Shortage shortage = co_await make_room(**client);
        if (shortage == Shortage::none)
            proxy_->serve(std::move(*client), entrance.place);
        else
            accepting_.spawn(refuse(std::move(*client), shortage));
    }
}

// While it waits nobody else is accepted here: the queue of connections is the kernel's.
Task<Shortage> Worker::make_room(const net::Socket& client) {
    Shortage shortage = headroom_->shortage(client.fd());
    for (std::size_t i = 0; i < kPatience.size() && !stopping_;) {
        if (shortage == Shortage::none) break;
        // Files that nobody reads cost nobody anything.
        const cache::Relief relief = shortage == Shortage::descriptors
                                         ? cache_->close_idle_files(kFilesTogether)
                                         : cache::Relief::none;
        if (relief == cache::Relief::coming && has_patience()) {
            co_await sleep_on(*loop_, kRecordingLook);
        } else {
            // Where there are none left, another loop may just have closed them.
            if (relief != cache::Relief::given && headroom_->shortage() != Shortage::none)
                shed(shortage);
            co_await sleep_on(*loop_, kPatience[i++]);
        }
        shortage = headroom_->shortage();
    }
    co_return shortage;
}

bool Worker::has_patience() {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now - recording_since_ > kRecordingInterval) recording_since_ = now;
    return now - recording_since_ < kRecordingPatience;
}

void Worker::shed(Shortage of) {
    headroom_->ran_out(of);
    const std::size_t wanted = of == Shortage::connections ? 1 : kShedTogether;
    const std::size_t closed = proxy_->close_idle(wanted);
    headroom_->closed_idle(closed);
    if (closed < wanted) close_idle_elsewhere_(wanted - closed);
}

void Worker::close_idle(std::size_t most) {
    loop_->post([this, most] { headroom_->closed_idle(proxy_->close_idle(most)); });
}

// A fresh socket takes a few hundred bytes at once, so this hardly ever waits.
Task<void> Worker::refuse(std::unique_ptr<net::Socket> client, Shortage of) {
    headroom_->refused(of);
    const std::string answer = refusal_for(of);
    const auto written = co_await client->write(answer, 1s);
    if (written) co_await client->shutdown_write(1s);
}

void Worker::ping() {
    if (asked_.load() != SteadyTime()) return;
    asked_.store(std::chrono::steady_clock::now());
    loop_->post([this] { asked_.store(SteadyTime()); });
}

std::chrono::milliseconds Worker::silence() const {
    const SteadyTime asked = asked_.load();
    if (asked == SteadyTime()) return 0ms;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 asked);
}

void Worker::set_origin_options(const origin::ClientOptions& options) {
    loop_->post([this, options] { origins_->set_options(options); });
}

void Worker::wind_down(std::chrono::milliseconds deadline, std::function<void()> done) {
    loop_->post([this, deadline, done = std::move(done)]() mutable {
        winding_down_.spawn(wind_down_here(deadline, std::move(done)));
    });
}

Task<void> Worker::wind_down_here(std::chrono::milliseconds deadline, std::function<void()> done) {
    stopping_ = true;
    for (const Entrance& entrance : entrances_) entrance.listener->close();
    co_await accepting_.drained();
    co_await proxy_->drain(deadline);
    done();
}

void Worker::stop() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace hawker::daemon
