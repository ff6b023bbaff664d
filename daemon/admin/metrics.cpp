#include "daemon/admin/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace hawker::admin {

namespace {

constexpr std::array<const char*, 8> kSources = {"hit",  "partial", "miss",      "joined",
                                                 "pass", "tunnel",  "intercept", "error"};
constexpr std::array<const char*, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<const char*, 4> kShortages = {"none", "connections", "descriptors", "memory"};
constexpr std::array<const char*, 2> kWheres = {"listener", "intercept"};
constexpr std::array<const char*, 5> kHandshakes = {"full", "resumed", "failed", "timed_out",
                                                    "closed"};
constexpr std::array<const char*, 2> kSenders = {"process", "kernel"};
constexpr std::array<const char*, 4> kAsked = {"admitted", "missing", "wrong", "busy"};
constexpr std::array<const char*, 3> kEnds = {"done", "failed", "stopped"};

std::size_t source_index(std::string_view source) {
    const auto* const found = std::ranges::find(
        kSources, source, [](const char* name) { return std::string_view(name); });
    return found == kSources.end() ? kSources.size() - 1
                                   : static_cast<std::size_t>(found - kSources.begin());
}

// Of kHandshakes.
std::size_t failure_index(Errc error) {
    if (error == Errc::timed_out) return 3;
    return error == Errc::closed ? 4 : 2;
}

std::size_t class_index(int status) {
    return status < 100 || status > 599 ? 0 : static_cast<std::size_t>(status / 100);
}

// A counter whose total somebody else keeps.
void raise_to(prometheus::Counter& counter, std::uint64_t total) {
    const double missing = static_cast<double>(total) - counter.Value();
    if (missing > 0) counter.Increment(missing);
}

}  // namespace

struct Metrics::State {
    using Counter = prometheus::Counter;
    using Gauge = prometheus::Gauge;

    prometheus::Registry registry;
    std::array<std::array<Counter*, kClasses.size()>, kSources.size()> exchanges{};
    std::array<Counter*, kSources.size()> sent{};
    std::array<std::array<Counter*, kHandshakes.size()>, kWheres.size()> handshakes{};
    std::array<Counter*, kSenders.size()> sessions{};
    std::array<Counter*, kAsked.size()> asked{};
    std::array<Counter*, kEnds.size()> fetches{};
    std::array<Counter*, kShortages.size()> refused{};
    std::array<Counter*, kShortages.size()> pauses{};

    Counter& received = counter("hawker_client_received_bytes_total",
                                "Bytes of request bodies and tunnels from clients");
    Counter& from_origins =
        counter("hawker_origin_bytes_total", "Bytes that fetches received from origins");
    Counter& hints = counter(
        "hawker_tunnels_could_have_been_cached_total",
        "Tunnels to hosts that a caching rule could have matched, had the client asked in http://");
    Counter& opened = counter("hawker_connections_total", "Client connections accepted");
    Counter& shed =
        counter("hawker_connections_shed_total", "Idle client connections closed to make room");
    Counter& evictions = counter("hawker_cache_evictions_total", "Objects that left to make room");
    Counter& evicted_bytes =
        counter("hawker_cache_evicted_bytes_total", "Bytes that left to make room");
    Counter& corrupt = counter("hawker_cache_corrupt_pieces_total",
                               "Pieces dropped because their checksum differed");
    Counter& turned_away =
        counter("hawker_clients_turned_away_total",
                "Requests answered 429: too many of their client ran and waited");
    Gauge& waiting_for_clients =
        gauge("hawker_client_queue_waiting", "Requests that wait for others of their own client");
    Gauge& waiting_for_origins =
        gauge("hawker_origin_queue_waiting", "Requests that wait for a place at their origin");
    Gauge& connections = gauge("hawker_connections", "Client connections open now");
    Gauge& memory = gauge("hawker_memory_bytes",
                          "Resident memory of our own: neither page cache nor the index's map");
    Gauge& access_waiting =
        gauge("hawker_access_waiting",
              "Clients that wait for another's question: whether a hit may be read, or what an "
              "upstream says");
    Gauge& cache_bytes =
        gauge("hawker_cache_bytes", "Bytes of data on disk; what objects share counts once");
    Gauge& cache_objects = gauge("hawker_cache_objects", "Objects in the cache");
    Gauge& index_waiting = gauge(
        "hawker_cache_index_waiting_bytes",
        "Changes that wait to be written into the index; beyond 64 MiB new objects wait, too");
    Counter& dropped = counter("hawker_cache_changes_dropped_total",
                               "Changes that could not be written into the index: their bytes are "
                               "fetched again");
    Gauge& running = gauge("hawker_fetches_running", "Fetches running now");
    prometheus::Histogram& seconds =
        prometheus::BuildHistogram()
            .Name("hawker_fetch_seconds")
            .Help("Duration of fetches that were completed")
            .Register(registry)
            .Add({}, prometheus::Histogram::BucketBoundaries{0.1, 0.5, 1, 5, 15, 60, 300, 1800});
    std::atomic<std::uint64_t> open_connections = 0;
    std::mutex serializing;  // raise_to() reads, then adds

    Counter& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
    }
    Gauge& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }

    explicit State(std::string_view version) {
        auto& requests = prometheus::BuildCounter()
                             .Name("hawker_requests_total")
                             .Help("Exchanges by source and status class")
                             .Register(registry);
        auto& bytes = prometheus::BuildCounter()
                          .Name("hawker_client_sent_bytes_total")
                          .Help("Bytes of bodies to clients by source")
                          .Register(registry);
        auto& ended = prometheus::BuildCounter()
                          .Name("hawker_fetches_total")
                          .Help("Fetches by how they ended")
                          .Register(registry);
        auto& build = prometheus::BuildGauge()
                          .Name("hawker_build_info")
                          .Help("Always 1; the label says which version runs")
                          .Register(registry);
        auto& refused_of = prometheus::BuildCounter()
                               .Name("hawker_connections_refused_total")
                               .Help("Client connections turned away, by what was missing")
                               .Register(registry);
        auto& paused = prometheus::BuildCounter()
                           .Name("hawker_accept_pauses_total")
                           .Help("Pauses in accepting connections, by what was missing")
                           .Register(registry);
        auto& handshakes_of = prometheus::BuildCounter()
                                  .Name("hawker_tls_handshakes_total")
                                  .Help("TLS handshakes with clients")
                                  .Register(registry);
        auto& sessions_of = prometheus::BuildCounter()
                                .Name("hawker_tls_sessions_total")
                                .Help("TLS sessions with clients by who encrypts what is sent")
                                .Register(registry);
        for (std::size_t where = 0; where < kWheres.size(); ++where)
            for (std::size_t result = 0; result < kHandshakes.size(); ++result)
                handshakes[where][result] = &handshakes_of.Add(
                    {{"where", kWheres[where]}, {"result", kHandshakes[result]}});
        auto& asked_of = prometheus::BuildCounter()
                             .Name("hawker_proxy_authentications_total")
                             .Help("Requests that were asked for a user, by what came of it")
                             .Register(registry);
        for (std::size_t what = 0; what < kAsked.size(); ++what)
            asked[what] = &asked_of.Add({{"result", kAsked[what]}});
        for (std::size_t who = 0; who < kSenders.size(); ++who)
            sessions[who] = &sessions_of.Add({{"sends", kSenders[who]}});
        for (std::size_t what = 1; what < kShortages.size(); ++what) {
            refused[what] = &refused_of.Add({{"limit", kShortages[what]}});
            pauses[what] = &paused.Add({{"limit", kShortages[what]}});
        }
        for (std::size_t source = 0; source < kSources.size(); ++source) {
            sent[source] = &bytes.Add({{"source", kSources[source]}});
            for (std::size_t status = 0; status < kClasses.size(); ++status)
                exchanges[source][status] =
                    &requests.Add({{"source", kSources[source]}, {"status", kClasses[status]}});
        }
        for (std::size_t end = 0; end < kEnds.size(); ++end)
            fetches[end] = &ended.Add({{"end", kEnds[end]}});
        build.Add({{"version", std::string(version)}}).Set(1);
    }
};

Metrics::Metrics(std::string_view version) : state_(std::make_unique<State>(version)) {}
Metrics::~Metrics() = default;

void Metrics::exchange(std::string_view source, int status, std::uint64_t sent,
                       std::uint64_t received) {
    const std::size_t index = source_index(source);
    state_->exchanges[index][class_index(status)]->Increment();
    state_->sent[index]->Increment(static_cast<double>(sent));
    state_->received.Increment(static_cast<double>(received));
}

void Metrics::connection_opened() {
    state_->open_connections.fetch_add(1, std::memory_order_relaxed);
    state_->opened.Increment();
}

void Metrics::connection_closed() {
    state_->open_connections.fetch_sub(1, std::memory_order_relaxed);
}
void Metrics::connection_refused(Shortage of) {
    if (of != Shortage::none) state_->refused[static_cast<std::size_t>(of)]->Increment();
}
void Metrics::accept_paused(Shortage of) {
    if (of != Shortage::none) state_->pauses[static_cast<std::size_t>(of)]->Increment();
}
void Metrics::connections_shed(std::size_t number) {
    state_->shed.Increment(static_cast<double>(number));
}
void Metrics::set_access_waiting(std::size_t clients) {
    state_->access_waiting.Set(static_cast<double>(clients));
}
void Metrics::set_memory(std::uint64_t bytes) { state_->memory.Set(static_cast<double>(bytes)); }
std::uint64_t Metrics::open_connections() const {
    return state_->open_connections.load(std::memory_order_relaxed);
}
void Metrics::handshake_done(Handshakes where, bool resumed, bool kernel_sends) {
    state_->handshakes[static_cast<std::size_t>(where)][resumed ? 1 : 0]->Increment();
    state_->sessions[kernel_sends ? 1 : 0]->Increment();
}
void Metrics::handshake_failed(Handshakes where, Errc error) {
    state_->handshakes[static_cast<std::size_t>(where)][failure_index(error)]->Increment();
}
void Metrics::asked_for_user(Asked what) {
    state_->asked[static_cast<std::size_t>(what)]->Increment();
}
void Metrics::client_turned_away() { state_->turned_away.Increment(); }
void Metrics::set_waiting(std::size_t for_clients, std::size_t for_origins) {
    state_->waiting_for_clients.Set(static_cast<double>(for_clients));
    state_->waiting_for_origins.Set(static_cast<double>(for_origins));
}
void Metrics::tunnel_could_have_been_cached() { state_->hints.Increment(); }

void Metrics::fetch(FetchEnd end, std::uint64_t bytes, std::chrono::milliseconds cost) {
    state_->fetches[static_cast<std::size_t>(end)]->Increment();
    state_->from_origins.Increment(static_cast<double>(bytes));
    if (end == FetchEnd::done) state_->seconds.Observe(std::chrono::duration<double>(cost).count());
}

std::string Metrics::text(const cache::Usage& usage) {
    State& state = *state_;
    const std::scoped_lock lock(state.serializing);
    state.connections.Set(static_cast<double>(open_connections()));
    state.cache_bytes.Set(static_cast<double>(usage.bytes));
    state.cache_objects.Set(static_cast<double>(usage.objects));
    state.running.Set(static_cast<double>(usage.running_fetches));
    state.index_waiting.Set(static_cast<double>(usage.waiting_bytes));
    raise_to(state.dropped, usage.dropped_changes);
    raise_to(state.evictions, usage.evictions);
    raise_to(state.evicted_bytes, usage.evicted_bytes);
    raise_to(state.corrupt, usage.corrupt_pieces);
    return prometheus::TextSerializer().Serialize(state.registry.Collect());
}

}  // namespace hawker::admin
