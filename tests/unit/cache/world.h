// The fixture of the fetch, reader and cache tests: one cache in a directory of its own, one
// origin, clients.
#pragma once

#include "base/task_group.h"
#include "cache/cache.h"
#include "cache/foundation.h"
#include "cache/index_residency.h"
#include "tests/unit/cache/fakes.h"

#include <atomic>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace hawker::cache::testing {

using namespace hawker::literals;

inline constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

// One client: opens a task, reads what it wants, remembers what it got.
struct Client {
    explicit Client(OpenRequest what) : request(std::move(what)) {}
    OpenRequest request;
    std::optional<ByteRange> range;    // of the representation; whole without
    std::uint64_t stops_after = kAll;  // leaves when it has so many bytes
    std::uint64_t most = 1_MiB;        // at once
    std::unique_ptr<Reader> reader;
    std::string received;
    std::optional<Error> error;
    std::optional<Origin> origin;
    bool finished = false;  // got everything it wanted
    bool gone = false;

    Errc code() const { return error ? error->code : Errc::invalid; }
};

inline std::string bytes_of(const Run& run) {
    std::string text(run.length, '\0');
    if (run.fd < 0) {
        std::memcpy(text.data(), run.bytes.data(), run.length);
    } else if (::pread(run.fd, text.data(), run.length, static_cast<off_t>(run.offset)) !=
               static_cast<ssize_t>(run.length)) {
        text = "short";
    }
    return text;
}

inline Task<void> live(Cache& cache, Client& client, Executor& home) {
    auto opened = co_await cache.open(client.request, home);
    if (!opened) {
        client.error = opened.error();
        client.gone = true;
        co_return;
    }
    client.reader = std::move(*opened);
    client.origin = client.reader->origin();
    if (client.range) client.reader->select(*client.range);
    while (client.received.size() < client.stops_after) {
        auto run = co_await client.reader->next(client.most);
        if (!run) {
            client.error = run.error();
            break;
        }
        if (run->at_end()) {
            client.finished = true;
            break;
        }
        // A client that cannot wait for the disk.
        if (run->is_cold)
            client.reader->take_back(run->offset);
        else
            client.received += bytes_of(*run);
    }
    client.reader = nullptr;
    client.gone = true;
}

class World : public ::testing::Test {
protected:
    World() : loop(clock), pool(clock), group(loop) { start(); }
    ~World() override {
        close();
        crank();
    }

    void start() {
        CacheOptions opened_with;
        opened_with.directory = directory.path();
        opened_with.map_size = map_size;
        opened_with.inline_limit = 64_KiB;
        opened_with.commit_interval = commit_interval;
        opened_with.descriptors = descriptors;
        opened_with.calm_look_ups = calm_look_ups;
        opened_with.limits = limits;
        Foundation foundation = Foundation::of_the_system();
        if (scribe) foundation.scribe = scribe;
        auto opened = open_cache(foundation, opened_with, pool, clock, *log,
                                 [this](const FetchReport& report) {
                                     const std::scoped_lock lock(reports_mutex);
                                     reports.push_back(report);
                                 });
        ASSERT_TRUE(opened) << opened.error().what;
        cache = std::move(*opened);
    }
    // Everything that can happen without time passing. An opening waits for the clock as well where
    // more than 64 MiB wait for the index: commit() before.
    void crank() {
        bool busy = true;
        while (busy) {
            busy = loop.turn();
            busy = pool.turn() || busy;
        }
    }
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        crank();
    }
    void close() {
        if (!cache) return;
        std::atomic<bool> down = false;
        std::thread closing([this, &down] {
            cache->shut_down();
            down = true;
        });
        while (!down) crank();
        closing.join();
        crank();
    }
    void restart() {
        close();
        cache = nullptr;
        crank();
        start();
    }

    // Everything queued for the index is committed. The index works in order, and gives a removed
    // file back only after the commit: so a file is stored, removed, and seen to go.
    void commit() {
        FakeOrigin marker(some_content(100'000));
        OpenRequest store = request();
        store.task = task_named("marker");
        store.source = std::make_shared<FakeSource>(marker, "marker");
        store.digest = std::nullopt;
        Client client(store);
        group.spawn(live(*cache, client, loop));
        crank();
        auto removing = cache->remove(store.task, loop);
        crank();
        const std::string name = store.task.hex();
        const auto folder = directory.path() / "pieces" / name.substr(0, 2);
        while (holds(folder, name)) std::this_thread::yield();
    }
    static bool holds(const std::filesystem::path& folder, const std::string& name) {
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().filename().string().starts_with(name)) return true;
        return false;
    }

    OpenRequest request(const std::string& principal = "alice") {
        OpenRequest made;
        made.task = task;
        made.source = std::make_shared<FakeSource>(origin, principal);
        made.fetch = options;
        made.digest = digest;
        made.links_by_digest = true;
        made.label = "http://origin/object";
        made.rule = "test";
        return made;
    }
    Client& arrive(OpenRequest what, std::optional<ByteRange> range = std::nullopt,
                   std::uint64_t stops_after = kAll) {
        clients.emplace_back(std::move(what));
        Client& client = clients.back();
        client.range = range;
        client.stops_after = stops_after;
        if (range) client.request.wanted = RangeSpec(range->first, range->end - 1);
        group.spawn(live(*cache, client, loop));
        return client;
    }
    // A client that comes, reads everything and goes.
    Client& visit(const std::string& principal = "alice") {
        Client& client = arrive(request(principal));
        crank();
        return client;
    }
    Client& visit_range(ByteRange range) {
        Client& client = arrive(request(), range);
        crank();
        return client;
    }
    static Behaviour refusal(Errc code,
                             std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
        Behaviour behaviour;
        behaviour.refusal = Error(code, "as told", retry_after);
        return behaviour;
    }
    static Behaviour breaking_after(std::uint64_t bytes, Errc code = Errc::closed) {
        Behaviour behaviour;
        behaviour.bytes = bytes;
        behaviour.breaks_with = code;
        return behaviour;
    }
    std::uint64_t whole() const { return origin.content.size(); }
    void expect_whole(const Client& client) const {
        EXPECT_TRUE(client.finished) << (client.error ? client.error->what : "still waiting");
        EXPECT_TRUE(client.received == origin.content) << client.received.size() << " bytes";
    }
    std::string slice(ByteRange range) const {
        return origin.content.substr(range.first, range.length());
    }
    std::filesystem::path data_file() const {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(directory.path() / "pieces"))
            if (entry.is_regular_file()) return entry.path();
        return {};
    }

    TemporaryDirectory directory;
    HandClock clock;
    HandExecutor loop, pool;
    std::unique_ptr<Log> log = Log::silent();
    FakeOrigin origin{some_content(3_MiB + 12'345)};
    CacheLimits limits{.min_free = 0};
    std::uint32_t calm_look_ups = IndexResidency::kNever;
    std::uint64_t map_size = 64_MiB;
    std::chrono::milliseconds commit_interval{1};
    int descriptors = std::numeric_limits<int>::max();
    std::shared_ptr<Scribe> scribe;  // the system's where there is none
    FetchOptions options{.piece_size = 256_KiB};
    std::optional<Digest> digest;
    TaskId task = task_named("object");
    std::mutex reports_mutex;
    std::vector<FetchReport> reports;
    std::list<Client> clients;
    std::unique_ptr<Cache> cache;
    TaskGroup group;
};

}  // namespace hawker::cache::testing
