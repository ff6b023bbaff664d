#include "daemon/journal.h"

#include "filters/decision.h"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

namespace hawker::daemon {

namespace {

constexpr std::size_t kMostHintedHosts = 1000;

// A value that stands by itself in a key=value line: quoted where it is empty or a blank or a quote
// would break it up.
std::string quoted(const std::string& text) {
    if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string timestamp(WallTime now) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds.count()),
                       (milliseconds - seconds).count());
}

}  // namespace

Journal::Journal(const Log& log, admin::Metrics& metrics, const Clock& clock)
    : log_(log), metrics_(metrics), clock_(clock) {}

void Journal::exchange_done(const proxy::ExchangeRecord& record) {
    metrics_.exchange(record.source, record.status, record.bytes, record.received);
    if (!writes_access_log()) return;
    if (log_.format() == LogFormat::json)
        log_.line(access_json(record, clock_.wall()));
    else
        log_.info("{}", access_text(record));
}

void Journal::tunnel_could_have_been_cached(const std::string& host) {
    metrics_.tunnel_could_have_been_cached();
    {
        const std::scoped_lock lock(mutex_);
        if (hinted_hosts_.size() >= kMostHintedHosts || !hinted_hosts_.insert(host).second) return;
    }
    log_.info(
        "hint: a client tunnels to {}, and a rule would cache what comes from there. An HTTPS "
        "tunnel cannot be looked into without an authority that the client trusts: `hawker ca "
        "init`, then `hawker ca trust`. Or let the client ask for http://{}/ through this proxy "
        "(the origin still gets https://)",
        host, host);
}

void Journal::handshake_done(const proxy::HandshakeRecord& record) {
    const auto where = record.where == proxy::HandshakeRecord::Where::listener
                           ? admin::Handshakes::listener
                           : admin::Handshakes::intercept;
    if (record.error)
        metrics_.handshake_failed(where, *record.error);
    else
        metrics_.handshake_done(where, record.session.resumed, record.session.kernel_sends);
}

void Journal::asked_for_user(proxy::Admittance verdict) {
    metrics_.asked_for_user(static_cast<admin::Asked>(verdict));
}

void Journal::client_turned_away() { metrics_.client_turned_away(); }
void Journal::connection_opened() { metrics_.connection_opened(); }
void Journal::connection_closed() { metrics_.connection_closed(); }

void Journal::fetch_done(const cache::FetchReport& report) {
    const bool stopped = report.error && (report.error->code == Errc::cancelled ||
                                          report.error->code == Errc::shutting_down);
    const auto end = report.complete ? admin::FetchEnd::done
                     : stopped       ? admin::FetchEnd::stopped
                                     : admin::FetchEnd::failed;
    metrics_.fetch(end, report.bytes, report.cost);
    if (report.complete && !log_.enabled(LogLevel::info)) return;
    const bool failed = !report.complete && !stopped && report.error;
    const std::string line = fmt::format(
        "task {} cost={}ms task={} bytes={} from=origin segments={} retries={} rule={} url={}",
        report.complete ? "done"
        : failed        ? "failed"
                        : "stopped",
        report.cost.count(), report.task.hex(), report.bytes, report.segments, report.retries,
        quoted(report.rule), report.label);
    if (failed)
        log_.warn("{} error={}", line, quoted(filters::loggable_text(report.error->what)));
    else
        log_.info("{}", line);
}

std::string access_text(const proxy::ExchangeRecord& record) {
    std::string line =
        fmt::format("access method={} status={} source={} bytes={} ms={} first_byte_ms={}",
                    quoted(record.method), record.status, record.source, record.bytes,
                    record.duration.count(), record.first_byte.count());
    if (record.received > 0) line += fmt::format(" received={}", record.received);
    if (!record.task.empty()) line += fmt::format(" task={}", record.task);
    if (!record.rule.empty()) line += fmt::format(" rule={}", quoted(record.rule));
    line += fmt::format(" client={}", record.client);
    if (!record.user.empty()) line += fmt::format(" user={}", quoted(record.user));
    line += fmt::format(" url={}", record.url);
    if (!record.error.empty()) line += fmt::format(" error={}", quoted(record.error));
    return line;
}

std::string access_json(const proxy::ExchangeRecord& record, WallTime now) {
    const nlohmann::ordered_json json = {{"time", timestamp(now)},
                                         {"level", "info"},
                                         {"message", "access"},
                                         {"method", record.method},
                                         {"status", record.status},
                                         {"source", record.source},
                                         {"bytes", record.bytes},
                                         {"received", record.received},
                                         {"ms", record.duration.count()},
                                         {"first_byte_ms", record.first_byte.count()},
                                         {"task", record.task},
                                         {"rule", record.rule},
                                         {"client", record.client},
                                         {"user", record.user},
                                         {"url", record.url},
                                         {"error", record.error}};
    return json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hawker::daemon
