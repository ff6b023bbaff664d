// One exchange's share of the bandwidth limits it is under: the server's, its listener's, its
// rule's, its user's.
//
// Owner:  the exchange. Thread: the loop's. Without a limit it costs a look at an empty list.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "daemon/admission/bandwidth.h"
#include "daemon/net/socket.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace hawker::proxy {

class Pacer final : public net::Pace {
public:
    Pacer(Executor& loop, const Clock& clock, const net::Socket& client)
        : loop_(loop), clock_(clock), client_(client) {}

    void add(std::shared_ptr<admission::Bucket> bucket) { buckets_.push_back(std::move(bucket)); }
    bool is_limited() const { return !buckets_.empty(); }

    // At most so many bytes should be asked for at once.
    std::uint64_t quantum() const override;
    // Returns when these bytes may go; earlier when the client's connection is closed.
    Task<void> before(std::uint64_t bytes) override;

private:
    Executor& loop_;
    const Clock& clock_;
    const net::Socket& client_;
    std::vector<std::shared_ptr<admission::Bucket>> buckets_;
};

}  // namespace hawker::proxy
