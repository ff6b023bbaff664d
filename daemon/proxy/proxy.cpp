#include "daemon/proxy/proxy.h"

#include "base/task_group.h"
#include "daemon/proxy/connection.h"

#include <unordered_set>

namespace hawker::proxy {

namespace {

class LoopProxy final : public Proxy {
public:
    LoopProxy(net::Loop& loop, Services& services)
        : loop_(loop), services_(services), running_(loop) {}

    void serve(std::unique_ptr<net::Socket> client) override {
        running_.spawn(run(std::move(client)));
    }

    std::size_t connections() const override { return connections_.size(); }

    Task<void> drain(std::chrono::milliseconds deadline) override {
        draining_ = true;
        const std::unordered_set<Connection*> now = connections_;
        for (Connection* connection : now) connection->drain();
        net::Timer patience(loop_, [this] { abort_all(); });
        patience.set(deadline);
        co_await running_.drained();
    }

private:
    Task<void> run(std::unique_ptr<net::Socket> client) {
        Connection connection(loop_, services_, std::move(client));
        connections_.insert(&connection);
        services_.observer.connection_opened();
        if (draining_) connection.drain();
        co_await connection.run();
        services_.observer.connection_closed();
        connections_.erase(&connection);
    }

    void abort_all() {
        const std::unordered_set<Connection*> now = connections_;
        for (Connection* connection : now) connection->abort();
    }

    net::Loop& loop_;
    Services& services_;
    std::unordered_set<Connection*> connections_;
    bool draining_ = false;
    TaskGroup running_;
};

}  // namespace

std::unique_ptr<Proxy> Proxy::create(net::Loop& loop, Services& services) {
    return std::make_unique<LoopProxy>(loop, services);
}

}  // namespace hawker::proxy
