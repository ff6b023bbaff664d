// What happened, for people and for machines: the access log, fetch reports, and the counters
// behind them.
//
// Owner:  the server; outlives proxies and cache.
// Thread: any. Nothing waits: lines go to the log's queue, counters are atomic; the set of hosts
// has a short lock.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "cache/cache.h"
#include "daemon/admin/metrics.h"
#include "daemon/proxy/proxy.h"

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

namespace hawker::daemon {

class Journal final : public proxy::Observer {
public:
    Journal(const Log& log, admin::Metrics& metrics, const Clock& clock);

    void exchange_done(const proxy::ExchangeRecord& record) override;
    bool wants_urls() const override { return writes_access_log(); }
    // Says so once for each host, for as many hosts as fit into a bounded set; counts always.
    void tunnel_could_have_been_cached(const std::string& host) override;
    void handshake_done(const proxy::HandshakeRecord& record) override;
    void asked_for_user(proxy::Admittance verdict) override;
    void client_turned_away() override;
    void connection_opened() override;
    void connection_closed() override;

    // "task done cost=123ms task=... bytes=... from=origin segments=4 url=...": people look for
    // this line.
    void fetch_done(const cache::FetchReport& report);

    void set_access_log(bool on) { access_log_.store(on, std::memory_order_relaxed); }

private:
    bool writes_access_log() const {
        return access_log_.load(std::memory_order_relaxed) && log_.enabled(LogLevel::info);
    }

    const Log& log_;
    admin::Metrics& metrics_;
    const Clock& clock_;
    std::atomic<bool> access_log_ = true;
    std::mutex mutex_;
    std::unordered_set<std::string> hinted_hosts_;
};

// Room for a line with the longest URL that is logged, off the heap.
using AccessLine = fmt::basic_memory_buffer<char, 4096>;
// One line each, without a newline.
void write_access_text(AccessLine& line, const proxy::ExchangeRecord& record);
void write_access_json(AccessLine& line, const proxy::ExchangeRecord& record, WallTime now);

}  // namespace hawker::daemon
