#include "daemon/journal.h"

#include "filters/decision.h"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <iterator>

#include <fmt/compile.h>
#include <nlohmann/json.hpp>

namespace hawker::daemon {

namespace {

constexpr std::size_t kMostHintedHosts = 1000;

template <typename Line>
void append(Line& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
}

void append_number(AccessLine& line, std::string_view before, std::integral auto number) {
    append(line, before);
    const fmt::format_int digits(number);
    append(line, std::string_view(digits.data(), digits.size()));
}

// A value that stands by itself in a key=value line: quoted where it is empty or a blank or a quote
// would break it up.
template <typename Line>
void append_quoted(Line& line, std::string_view text) {
    if (!text.empty() && text.find_first_of(" \"=") == std::string_view::npos) {
        append(line, text);
        return;
    }
    line.push_back('"');
    for (const char c : text) {
        if (c == '"' || c == '\\') line.push_back('\\');
        line.push_back(c);
    }
    line.push_back('"');
}

std::string in_quotes(std::string_view text) {
    fmt::memory_buffer out;
    append_quoted(out, text);
    return fmt::to_string(out);
}

using Word = std::uint64_t;
constexpr Word kOfEach = 0x0101'0101'0101'0101;
constexpr Word kHighest = kOfEach * 0x80;

// Not 0 when a byte of eight is none of printable ASCII, or a quote, or a backslash.
Word odd_ones(Word word) {
    const auto any_is_zero = [](Word bytes) { return (bytes - kOfEach) & ~bytes & kHighest; };
    const Word below_a_blank = word - kOfEach * 0x20;
    const Word beyond_a_tilde = word | (word + kOfEach);
    return ((below_a_blank | beyond_a_tilde) & kHighest) | any_is_zero(word ^ kOfEach * '"') |
           any_is_zero(word ^ kOfEach * '\\');
}

// Stands in a string of JSON as it is. Most values are names, digests and URLs: eight bytes at
// once.
bool is_plain(std::string_view text) {
    Word odd = 0;
    for (; text.size() >= sizeof(Word); text.remove_prefix(sizeof(Word))) {
        Word word = 0;
        std::memcpy(&word, text.data(), sizeof(word));
        odd |= odd_ones(word);
    }
    Word rest = kOfEach * 'x';
    std::memcpy(&rest, text.data(), text.size());
    return (odd | odd_ones(rest)) == 0;
}

// A string of JSON in ASCII. What is not plain is the library's to escape.
void append_json(AccessLine& line, std::string_view text) {
    if (!is_plain(text)) {
        append(line,
               nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
        return;
    }
    line.push_back('"');
    append(line, text);
    line.push_back('"');
}

void append_string(AccessLine& line, std::string_view before, std::string_view text) {
    append(line, before);
    append_json(line, text);
}

void append_timestamp(AccessLine& line, WallTime now) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now);
    const auto day = std::chrono::floor<std::chrono::days>(milliseconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(milliseconds - day);
    fmt::format_to(std::back_inserter(line),
                   FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                   static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                   static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                   time.seconds().count(), time.subseconds().count());
}

}  // namespace

Journal::Journal(const Log& log, admin::Metrics& metrics, const Clock& clock)
    : log_(log), metrics_(metrics), clock_(clock) {}

void Journal::exchange_done(const proxy::ExchangeRecord& record) {
    metrics_.exchange(record.source, record.status, record.bytes, record.received);
    if (!writes_access_log()) return;
    AccessLine line;
    if (log_.format() == LogFormat::json) {
        write_access_json(line, record, clock_.wall());
        log_.line(std::string_view(line.data(), line.size()));
    } else {
        write_access_text(line, record);
        log_.write(LogLevel::info, std::string_view(line.data(), line.size()));
    }
}

void Journal::tunnel_could_have_been_cached(const std::string& host) {
    metrics_.tunnel_could_have_been_cached();
    {
        const std::scoped_lock lock(mutex_);
        if (hinted_hosts_.size() >= kMostHintedHosts || !hinted_hosts_.insert(host).second) return;
    }
    log_.info(
        "hint: a client tunnels to {}, and a rule would cache what comes from there. An HTTPS "
        "tunnel cannot be looked into without an authority that the client trusts and that "
        "vouches for this host: `hawker ca init --config FILE` with hawkerd's own file (and "
        "sudo, for a service), `hawker ca trust` on its clients, then a reload (an authority "
        "that is there and does not vouch for it, as `hawker ca show` says, is moved away first). "
        "Or let the client ask for http://{}/ through this proxy (the origin still gets https://)",
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
        in_quotes(report.rule), report.label);
    if (failed)
        log_.warn("{} error={}", line, in_quotes(filters::loggable_text(report.error->what)));
    else
        log_.info("{}", line);
}

void write_access_text(AccessLine& line, const proxy::ExchangeRecord& record) {
    append(line, "access method=");
    append_quoted(line, record.method);
    append_number(line, " status=", record.status);
    append(line, " source=");
    append(line, record.source);
    append_number(line, " bytes=", record.bytes);
    append_number(line, " ms=", record.duration.count());
    append_number(line, " first_byte_ms=", record.first_byte.count());
    if (record.received > 0) append_number(line, " received=", record.received);
    if (!record.task.empty()) {
        append(line, " task=");
        append(line, record.task);
    }
    if (!record.rule.empty()) {
        append(line, " rule=");
        append_quoted(line, record.rule);
    }
    append(line, " client=");
    append(line, record.client);
    if (!record.user.empty()) {
        append(line, " user=");
        append_quoted(line, record.user);
    }
    append(line, " url=");
    append(line, record.url);
    if (!record.error.empty()) {
        append(line, " error=");
        append_quoted(line, record.error);
    }
}

void write_access_json(AccessLine& line, const proxy::ExchangeRecord& record, WallTime now) {
    append(line, R"({"time":")");
    append_timestamp(line, now);
    append_string(line, R"(","level":"info","message":"access","method":)", record.method);
    append_number(line, R"(,"status":)", record.status);
    append_string(line, R"(,"source":)", record.source);
    append_number(line, R"(,"bytes":)", record.bytes);
    append_number(line, R"(,"received":)", record.received);
    append_number(line, R"(,"ms":)", record.duration.count());
    append_number(line, R"(,"first_byte_ms":)", record.first_byte.count());
    append_string(line, R"(,"task":)", record.task);
    append_string(line, R"(,"rule":)", record.rule);
    append_string(line, R"(,"client":)", record.client);
    append_string(line, R"(,"user":)", record.user);
    append_string(line, R"(,"url":)", record.url);
    append_string(line, R"(,"error":)", record.error);
    append(line, "}");
}

}  // namespace hawker::daemon
