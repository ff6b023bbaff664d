#include "daemon/server.h"

#include "daemon/systemd.h"
#include "daemon/versions.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <utility>

#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hawker::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto kCareInterval = 2s;       // how often loops are asked for a sign of life
constexpr auto kMemoryInterval = 250ms;  // how often it is measured
constexpr auto kDeafAfter = 10s;         // a loop that owes one for so long is not healthy

// Client, origin and file: up to three descriptors for one exchange.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string pseudonym_of(const Options& options) {
    if (const std::string& given = options.text("pseudonym"); !given.empty()) return given;
    std::random_device random;
    return fmt::format("hawker-{:08x}", random());
}

std::size_t worker_count(const Options& options) {
    const std::size_t asked = options.count("threads");
    return asked > 0 ? asked : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace

Server::Server(const CommandLine& line, const char* const* environment, Configuration configuration,
               Log& log)
    : line_(line),
      environment_(environment),
      configuration_(std::move(configuration)),
      started_with_(configuration_.options),
      log_(log),
      metrics_(version()),
      journal_(log, metrics_, clock_),
      interceptions_(clock_),
      headroom_(metrics_, log),
      pool_(configuration_.options.count("io_threads")) {
    identity_.pseudonym = pseudonym_of(configuration_.options);
}

Server::~Server() {
    if (finished_) return;
    // create() failed half-way: nothing was served yet.
    if (cache_) cache_->shut_down();
    for (const auto& worker : workers_) worker->stop();
    pool_.stop();
}

Expected<std::unique_ptr<Server>> Server::create(const CommandLine& line,
                                                 const char* const* environment,
                                                 Configuration configuration, Log& log) {
    raise_descriptor_limit();
    auto server = std::unique_ptr<Server>(new Server(line, environment, std::move(configuration),
                                                     log));  // NOLINT: private constructor
    if (const auto opened = server->open(); !opened) return fail(opened.error());
    return server;
}

Expected<void> Server::open() {
    auto control = net::Loop::create();
    if (!control) return fail(std::move(control).error());
    control_ = std::move(*control);
    wound_down_ = std::make_unique<Wake>(*control_);
    errands_ = std::make_unique<TaskGroup>(*control_);
    auto signals = Signals::watch(*control_, [this](int signal) { on_signal(signal); });
    if (!signals) return fail(std::move(signals).error());
    signals_ = std::move(*signals);
    auto interception = interceptions_.make(configuration_);
    if (!interception) return fail(std::move(interception).error());
    // Addresses before the cache: they fail faster, and a second daemon should hear of the address
    // first.
    if (const auto ok = open_workers(); !ok) return ok;
    if (const auto ok = listeners_.open(configuration_.listeners, workers_, *control_); !ok)
        return ok;
    identity_.own_addresses = listeners_.addresses();
    const Options& options = configuration_.options;
    cache::CacheOptions kept = cache_options(options);
    kept.descriptors = static_cast<int>(descriptors_for_files(descriptor_limit()));
    auto cache = cache::Cache::open(
        kept, pool_, clock_, log_,
        [this](const cache::FetchReport& report) { journal_.fetch_done(report); });
    if (!cache) return fail(std::move(cache).error().within("cache.directory"));
    cache_ = std::move(*cache);
    open_access_memory();
    open_admin();
    apply(std::move(configuration_), std::move(*interception));
    start_workers();
    return {};
}

Expected<void> Server::open_workers() {
    origin::ClientOptions client = client_options(configuration_);
    client.lanes = lanes_;
    for (std::size_t i = 0; i < worker_count(configuration_.options); ++i) {
        auto worker = Worker::create(client, log_);
        if (!worker) return fail(std::move(worker).error());
        workers_.push_back(std::move(*worker));
    }
    return {};
}

// Without its journal a restart forgets who may read: nothing worse.
void Server::open_access_memory() {
    const Options& options = configuration_.options;
    const std::size_t entries = options.count("access_entries");
    auto journal = proxy::AccessJournal::open(cache_options(options).directory, pool_, log_);
    if (journal) {
        access_ = proxy::AccessMemory::create(entries, clock_, std::move(*journal),
                                              options.duration("access_ttl"));
        return;
    }
    log_.warn("Who may read what is cached is remembered until hawkerd ends. {}",
              journal.error().what);
    access_ = proxy::AccessMemory::create(entries, clock_);
}

void Server::open_admin() {
    const auto ailment = [this]() -> std::string {
        if (stopping_) return "hawkerd is shutting down.";
        for (const auto& worker : workers_)
            if (worker->silence() > kDeafAfter) return "An event loop does not answer.";
        return {};
    };
    const auto measure = [this] {
        metrics_.set_access_waiting(access_->questions().waiting() +
                                    documents_.questions().waiting());
        metrics_.set_waiting(slots_.waiting(), lanes_->waiting());
    };
    backend_ = std::make_unique<AdminBackend>(*cache_, *access_, metrics_, pool_, *control_,
                                              ailment, measure);
    // Their terms come with apply(), before the loop lets them accept.
    for (auto& listener : listeners_.admin_listeners())
        admins_.push_back(
            admin::Server::serve(*control_, std::move(listener), {}, *backend_, log_));
}

void Server::start_workers() {
    const auto client_of = [this](Executor& home) -> origin::Client& {
        const auto found = std::ranges::find_if(
            workers_, [&](const auto& worker) { return &worker->loop() == &home; });
        assert(found != workers_.end() && "only workers' loops have origin clients");
        return (*found)->origins();
    };
    for (const auto& worker : workers_) {
        const auto view = std::make_shared<Snapshot<proxy::Settings>::View>(settings_);
        services_.push_back(std::make_unique<proxy::Services>(
            *cache_, pool_, resolving_, clock_, log_, journal_, *access_, documents_, shelves_,
            authenticator_, buckets_, slots_, client_of, [view] { return view->load(); }));
        const auto close_idle_elsewhere = [this, asking = worker.get()](std::size_t most) {
            for (const auto& other : workers_)
                if (other.get() != asking) other->close_idle(most);
        };
        worker->start(*services_.back(), headroom_, close_idle_elsewhere);
    }
}

int Server::run() {
    const auto watchdog = systemd::watchdog_interval();
    const std::chrono::milliseconds interval =
        watchdog ? std::min<std::chrono::milliseconds>(*watchdog / 3, kCareInterval)
                 : kCareInterval;
    care_ = std::make_unique<net::Timer>(*control_, [this, interval] {
        look_after();
        care_->set(interval);
    });
    care_->set(interval);
    memory_watch_ = std::make_unique<net::Timer>(*control_, [this] {
        watch_memory();
        memory_watch_->set(kMemoryInterval);
    });
    memory_watch_->set(kMemoryInterval);
    announce();
    systemd::ready(fmt::format("proxy on {}", fmt::join(listeners_.names(Offer::proxy), ",")));
    if (line_.welcome) welcome();
    control_->run();
    // The loops still run: the cache ends its fetches on them. It waits for the disk; whoever
    // cannot wait sends another signal.
    unblock_signals();
    cache_->shut_down();
    for (const auto& worker : workers_) worker->stop();
    pool_.stop();
    verifying_.stop();
    resolving_.stop();
    finished_ = true;
    log_.info("stopped");
    return 0;
}

void Server::announce() const {
    for (const std::string& remark : configuration_.remarks) log_.warn("{}", remark);
    log_.info("hawkerd {}: {}, {} rules, {} loops, cache {}", version(), configuration_.name,
              configuration_.rules->rules().size(), workers_.size(),
              cache_options(configuration_.options).directory.string());
    log_.info("interception: {}", interceptions_.description());
    for (const proxy::ListenerTerms& terms : identity_.listeners)
        if (terms.mirror)
            log_.info("mirror {}={} of {}", terms.mirror->name, terms.name,
                      fmt::join(terms.mirror->upstreams, ", "));
    // Others read the ports from this line: its form is fixed.
    log_.info("listening proxy={} admin={} pid={}", fmt::join(listeners_.names(Offer::proxy), ","),
              fmt::join(listeners_.names(Offer::admin), ","), ::getpid());
}

void Server::welcome() const {
    const std::vector<proxy::ListenerTerms> terms = listeners_.proxy_terms();
    const auto tcp = std::ranges::find_if(
        terms, [](const auto& each) { return each.address.family() != AF_UNIX; });
    if (tcp == terms.end()) return;  // no client takes a Unix socket for a proxy URL
    const std::string url = tcp->name.contains("://") ? tcp->name : "http://" + tcp->name;
    fmt::print(
        "hawker is ready. Point clients at it:\n"
        "  git:    git config --global http.proxy {0}\n"
        "  Python: proxies = {{\"http\": \"{0}\", \"https\": \"{0}\"}}\n"
        "  shell:  export http_proxy={0} https_proxy={0} no_proxy=localhost,127.0.0.1\n",
        url);
    std::fflush(stdout);
}

}  // namespace hawker::daemon
