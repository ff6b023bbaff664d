// One schedule of one seed: clients, replaced representations, removals, eviction, faults, crashes
// and starts, in an order that the seed alone decides. One thread, no real time.
//
// After every crash: what the index held for certain is on the disk, byte for byte. At every read:
// the byte is the one that belongs there.
#pragma once

#include "base/task_group.h"
#include "cache/cache.h"
#include "cache/index.h"
#include "tests/unit/cache/kept_index.h"
#include "tests/unit/cache/memory_disk.h"
#include "tests/unit/cache/shifting_origin.h"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cache::testing {

// The time; the wall may jump.
class JumpyClock final : public Clock {
public:
    SteadyTime now() const override { return SteadyTime(elapsed); }
    WallTime wall() const override {
        return WallTime(std::chrono::seconds(1'700'000'000) + elapsed + off);
    }
    std::chrono::milliseconds elapsed{0}, off{0};
};

// Jobs run one at a time, in order or in any order. What is delayed becomes ready in the order of
// asking, not of its time: the clock moves in strides that are longer than any pause with jitter,
// so that the jitter does not show.
class DealtExecutor final : public Executor {
public:
    DealtExecutor(const Clock& clock, bool in_order) : clock_(clock), in_order_(in_order) {}
    void post(Job job) override { ready_.push_back(std::move(job)); }
    void post_after(std::chrono::milliseconds delay, Job job) override {
        delayed_.emplace_back(clock_.now() + delay, std::move(job));
    }
    // One job; false when none is due.
    bool turn(Dice& dice);

private:
    const Clock& clock_;
    bool in_order_;
    std::deque<Job> ready_;
    std::list<std::pair<SteadyTime, Job>> delayed_;
};

class Storm {
public:
    // Of all kinds, few of them twice; or four of one content, that is replaced for all at once.
    enum class Things : std::uint8_t { all_kinds, many_names };
    // `directory` is for the index; what is in it goes.
    Storm(std::uint64_t seed, const std::filesystem::path& directory, Contents& contents,
          Things things = Things::all_kinds);
    ~Storm();
    Storm(const Storm&) = delete;
    Storm& operator=(const Storm&) = delete;

    void run();
    // What went wrong; empty: nothing.
    const std::string& trouble() const { return trouble_; }
    const std::vector<std::string>& trace() const { return trace_; }
    std::uint64_t crashes = 0, pieces_checked = 0, bytes_served = 0, faults_struck = 0,
                  names_checked = 0;

private:
    struct Visitor {
        Thing* thing = nullptr;
        OpenRequest request;
        std::optional<ByteRange> range;
        std::uint64_t leaves_after = 0;
        std::unique_ptr<Reader> reader;
        std::uint64_t got = 0;
        std::string received;
        bool cancelled = false, finished = false, gone = false;
        std::optional<Error> error;
    };
    // What the index says for certain about one generation.
    struct Certain {
        ObjectRecord record;
        std::map<std::uint32_t, PieceRecord> pieces;
        std::optional<std::string> body;
        std::optional<std::uint64_t> shared;  // the file that it has together with others
    };
    using Truth = std::map<std::pair<TaskId, std::uint64_t>, Certain>;

    // storm.cpp: the schedule
    void choose_faults();
    void step();
    void arrive();
    void replace();
    void begin();
    bool crank_some(std::uint64_t jobs);
    void crank();
    void pass();
    void calm();
    static Task<void> visit(Storm& storm, Visitor& visitor, Executor& home);
    void receive(Visitor& visitor, const Run& run);
    void note(std::string line);
    void accuse(std::string what);
    Thing& thing_of(const TaskId& task);

    // storm_crash.cpp: ends and what is left
    void crash(Crash how);
    void stop_cleanly();
    void let_die();
    Truth autopsy(const std::string& data);
    void check_count(const std::string& data);
    void check_names(const Truth& certain);
    void check_disk(const Truth& certain);
    static std::uint64_t version_of(const ObjectRecord& record);
    bool is_doomed(const ObjectRecord& record);
    void check_bytes(const Certain& certain, ByteRange range, const std::string& bytes);
    void check_by_reading(const Truth& certain);
    void read_back(const Certain& certain, std::optional<ByteRange> range);

    const std::uint64_t seed_;
    const std::filesystem::path directory_;
    const Things kind_;
    Dice dice_;
    Faults faults_;
    Contents& contents_;
    JumpyClock clock_;
    DealtExecutor pool_, first_, second_;
    std::unique_ptr<Log> log_ = Log::silent();
    ShiftingOrigin origin_;
    std::list<Thing> things_;
    std::list<Visitor> visitors_;
    std::list<Task<bool>> removals_;
    TaskGroup group_;
    CacheOptions options_;
    std::set<std::pair<TaskId, std::uint64_t>> excused_;  // removed, and back after a power cut
    std::shared_ptr<MemoryDisk> disk_;
    std::shared_ptr<KeptIndex> index_;
    std::shared_ptr<HandScribe> scribe_;
    std::unique_ptr<Cache> cache_;
    std::vector<std::string> trace_;
    std::string trouble_;
};

}  // namespace hawker::cache::testing
