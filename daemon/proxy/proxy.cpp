#include "daemon/proxy/proxy.h"

#include "base/task_group.h"
#include "daemon/proxy/connection.h"
#include "daemon/proxy/errands.h"

#include <algorithm>
#include <unordered_set>

namespace hawker::proxy {

namespace {

// Less, and a client's first request might meet a closed door that it saw open.
constexpr std::chrono::milliseconds kLeastIdle{100};
// Most exchanges are over before the loop's next begins.
constexpr std::size_t kSpareMemories = 16;

class LoopProxy final : public Proxy {
public:
    LoopProxy(net::Loop& loop, Services& services)
        : loop_(loop),
          services_(services),
          watch_(loop, [this] { expire_the_idle(); }),
          errands_(loop),
          spares_(kSpareMemories),
          running_(loop) {}

    void serve(std::unique_ptr<net::Socket> client, std::size_t listener) override {
        running_.spawn(run(std::move(client), listener));
    }

    std::size_t connections() const override { return connections_.size(); }

    std::size_t close_idle(std::size_t most) override {
        const SteadyTime newest = services_.clock.now() - kLeastIdle;
        std::size_t closed = 0;
        for (; closed < most; ++closed) {
            IdleOrder::Member* const longest = idle_.longest();
            if (!longest || longest->idle_since() > newest) break;
            longest->leave();
            static_cast<Connection*>(longest)->drain();
        }
        return closed;
    }

    Task<void> drain(std::chrono::milliseconds deadline) override {
        draining_ = true;
        const std::unordered_set<Connection*> now = connections_;
        for (Connection* connection : now) connection->drain();
        net::Timer patience(loop_, [this] { abort_all(); });
        patience.set(deadline);
        co_await running_.drained();
        errands_.stop();
        co_await errands_.drained();
    }

private:
    Task<void> run(std::unique_ptr<net::Socket> client, std::size_t listener) {
        Connection connection(loop_, services_, idle_, errands_, spares_, std::move(client),
                              listener);
        connections_.insert(&connection);
        services_.observer.connection_opened();
        if (draining_) connection.drain();
        bool goes_on = co_await connection.begin();
        while (goes_on) {
            watch_the_idle();
            co_await connection.rest();
            goes_on = co_await connection.work();
        }
        co_await connection.end();
        services_.observer.connection_closed();
        connections_.erase(&connection);
    }

    // One timer for all who rest, for the one that has rested longest.
    void watch_the_idle() {
        if (std::exchange(watching_, true)) return;
        watch_.set(services_.settings()->idle_timeout);
    }
    void expire_the_idle() {
        const auto patience = services_.settings()->idle_timeout;
        watching_ = false;
        while (IdleOrder::Member* const longest = idle_.longest()) {
            const auto left = longest->idle_since() + patience - services_.clock.now();
            if (left > left.zero()) {
                watching_ = true;
                watch_.set(std::chrono::ceil<std::chrono::milliseconds>(left));
                return;
            }
            longest->leave();
            static_cast<Connection*>(longest)->expire();
        }
    }

    void abort_all() {
        const std::unordered_set<Connection*> now = connections_;
        for (Connection* connection : now) connection->abort();
    }

    net::Loop& loop_;
    Services& services_;
    std::unordered_set<Connection*> connections_;
    IdleOrder idle_;
    net::Timer watch_;
    bool watching_ = false;
    bool draining_ = false;
    Errands errands_;
    ExchangeSpares spares_;
    TaskGroup running_;
};

}  // namespace

bool ListenerTerms::admits(const net::Address& client) const {
    if (clients.empty() || client.family() == AF_UNIX) return true;
    return std::ranges::any_of(clients,
                               [&](const net::Cidr& network) { return network.contains(client); });
}

std::unique_ptr<Proxy> Proxy::create(net::Loop& loop, Services& services) {
    return std::make_unique<LoopProxy>(loop, services);
}

}  // namespace hawker::proxy
