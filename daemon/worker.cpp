#include "daemon/worker.h"

#include <utility>

namespace hawker::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto kAcceptPause = 50ms;  // after a failed accept: whatever is wrong, do not spin on it
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 73\r\n"
    "Proxy-Status: hawker; error=http_request_error; details=\"limits.connections\"\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "\r\n"
    "Too many clients are connected to this proxy (limits.connections). Later.";

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

void Worker::start(proxy::Services& services, std::function<bool()> may_accept) {
    may_accept_ = std::move(may_accept);
    proxy_ = proxy::Proxy::create(*loop_, services);
    loop_->post([this] {
        for (Entrance& entrance : entrances_) accepting_.spawn(accept_from(entrance));
    });
    thread_ = std::thread([this] { run(); });
}

void Worker::run() {
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
            log_.warn("accept: {}", client.error().what);
            co_await sleep_on(*loop_, kAcceptPause);
            continue;
        }
        if (may_accept_())
            proxy_->serve(std::move(*client), entrance.place);
        else
            accepting_.spawn(refuse(std::move(*client)));
    }
}

// A fresh socket takes a few hundred bytes at once, so this hardly ever waits.
Task<void> Worker::refuse(std::unique_ptr<net::Socket> client) {
    const auto written = co_await client->write(kTooMany, 1s);
    if (written) client->shutdown_write();
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
