// Real threads: readers on several loops, one fetch, one truth.
#include "base/thread_pool.h"
#include "tests/unit/cache/world.h"

#include <future>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using testing::Client;
using testing::some_content;

// A loop: one thread, and the clients that live on it.
struct Lane {
    ThreadPool loop{1};
    TaskGroup group{loop};
    std::list<Client> clients;

    void arrive(Cache& cache, OpenRequest request, std::optional<ByteRange> range,
                std::uint64_t stops_after = testing::kAll) {
        clients.emplace_back(std::move(request));
        clients.back().stops_after = stops_after;
        clients.back().range = range;
        if (range) clients.back().request.wanted = RangeSpec(range->first, range->end - 1);
        loop.post([this, &cache, &client = clients.back()] {
            group.spawn(testing::live(cache, client, loop));
        });
    }
    // Until everybody is gone.
    void wait() {
        std::promise<void> done;
        loop.post([this, &done] { waiting.spawn(tell(group, done)); });
        done.get_future().wait();
    }
    static Task<void> tell(TaskGroup& group, std::promise<void>& done) {
        co_await group.drained();
        done.set_value();
    }
    TaskGroup waiting{loop};
};

Task<void> remove(Cache& cache, TaskId task, Executor& home) { co_await cache.remove(task, home); }

class ThreadsTest : public ::testing::Test {
protected:
    ThreadsTest() {
        CacheOptions options;
        options.directory = directory.path();
        options.map_size = 64_MiB;
        options.limits.min_free = 0;
        cache = std::move(*Cache::open(options, pool, clock, *log, nullptr));
    }
    ~ThreadsTest() override {
        for (Lane& lane : lanes) lane.wait();
        cache->shut_down();
        // The last frames of the fetches go with the loops.
        for (Lane& lane : lanes) lane.loop.stop();
        pool.stop();
    }
    OpenRequest request(const std::string& name, const std::string& principal) {
        OpenRequest made;
        made.task = testing::task_named(name);
        made.source = std::make_shared<testing::FakeSource>(origin, principal);
        made.fetch.piece_size = 256_KiB;
        made.digest = digest;
        return made;
    }

    testing::TemporaryDirectory directory;
    SystemClock clock;
    std::unique_ptr<Log> log = Log::silent();
    testing::FakeOrigin origin{some_content(6_MiB + 77)};
    std::optional<Digest> digest;
    ThreadPool pool{3};
    std::array<Lane, 4> lanes;
    std::unique_ptr<Cache> cache;
};

TEST_F(ThreadsTest, ReadersOnFourLoopsShareOneFetch) {
    digest = testing::digest_of(origin.content);
    for (int i = 0; i < 32; ++i)
        lanes[static_cast<std::size_t>(i % 4)].arrive(*cache, request("object", "client"),
                                                      std::nullopt);
    for (Lane& lane : lanes) lane.wait();
    for (const Lane& lane : lanes)
        for (const Client& client : lane.clients) EXPECT_TRUE(client.received == origin.content);
    EXPECT_EQ(origin.bytes_sent(), origin.content.size());
}

TEST_F(ThreadsTest, ReadersOfManyRangesComeAndGo) {
    const std::uint64_t size = origin.content.size();
    for (std::uint64_t i = 0; i < 64; ++i) {
        const ByteRange range(i * size / 80, std::min(size, (i + 9) * size / 64));
        const std::uint64_t stops_after = i % 3 == 0 ? 100'000 : testing::kAll;
        lanes[i % 4].arrive(*cache, request("object", "client"), range, stops_after);
    }
    for (Lane& lane : lanes) lane.wait();
    for (const Lane& lane : lanes)
        for (const Client& client : lane.clients) {
            EXPECT_FALSE(client.error);
            EXPECT_TRUE(client.received ==
                        origin.content.substr(client.range->first, client.received.size()));
            EXPECT_TRUE(client.gone &&
                        (client.finished || client.received.size() >= client.stops_after));
        }
    EXPECT_LE(origin.bytes_sent(), size);
}

TEST_F(ThreadsTest, TasksAreRemovedWhileTheyAreReadAndFetched) {
    for (std::uint64_t i = 0; i < 60; ++i) {
        Lane& lane = lanes[i % 4];
        const std::string name = "object " + std::to_string(i % 5);
        lane.arrive(*cache, request(name, "client"), std::nullopt);
        if (i % 3 == 0) {
            lane.loop.post([this, &lane, task = testing::task_named(name)] {
                lane.group.spawn(remove(*cache, task, lane.loop));
            });
        }
    }
    for (Lane& lane : lanes) lane.wait();
    for (const Lane& lane : lanes)
        for (const Client& client : lane.clients) {
            EXPECT_FALSE(client.error) << client.error->what;
            EXPECT_TRUE(client.received == origin.content);
        }
}

TEST_F(ThreadsTest, TheCacheClosesInTheMiddleOfEverything) {
    for (std::uint64_t i = 0; i < 40; ++i)
        lanes[i % 4].arrive(*cache, request("object " + std::to_string(i % 7), "client"),
                            std::nullopt);
    cache->shut_down();
    for (Lane& lane : lanes) lane.wait();
    for (const Lane& lane : lanes)
        for (const Client& client : lane.clients) {
            EXPECT_TRUE(client.finished || client.code() == Errc::shutting_down);
            EXPECT_TRUE(client.received == origin.content.substr(0, client.received.size()));
        }
}

}  // namespace
}  // namespace hawker::cache
