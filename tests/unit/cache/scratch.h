// What the tests of the index and the files share: a directory that goes away again, a clock turned
// by hand, names for tasks.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "cache/foundation.h"
#include "cache/index.h"

#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace hawker::cache::test {

class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string name = "/tmp/hawker-test-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

class WallHand final : public Clock {
public:
    SteadyTime now() const override { return {}; }
    WallTime wall() const override { return WallTime(std::chrono::seconds(seconds)); }
    std::int64_t seconds = 1'000;
};

template <typename Name>
Name named(std::string_view text) {
    Sha256 hash;
    hash.update(text);
    Name name;
    name.bytes = hash.value();
    return name;
}
inline std::shared_ptr<const Body> body_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return std::make_shared<Body>(bytes.begin(), bytes.end());
}
inline std::string text_of(const Body& body) {
    return {reinterpret_cast<const char*>(body.data()), body.size()};  // NOLINT: bytes as text
}
inline TaskId task_named(std::string_view text) { return named<TaskId>(text); }
inline TaskId task_number(std::size_t number) {
    return task_named("task " + std::to_string(number));
}
inline Digest digest_named(std::string_view text) { return named<Digest>(text); }

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

inline ObjectRecord object(const TaskId& task, std::uint64_t generation) {
    ObjectRecord record;
    record.task = task;
    record.generation = generation;
    record.size = 100;
    record.piece_size = 10;
    record.validator = "\"etag\"";
    record.head = std::string("HTTP/1.1 200\0OK", 15);
    record.stored_at = 500;
    record.label = "https://example.test/a";
    record.rule = "a rule";
    return record;
}

inline PieceRecord piece(std::uint32_t number, std::uint64_t boot = 1) {
    PieceRecord record;
    record.number = number;
    record.length = 10;
    record.checksum = 0x0123456789ABCDEFULL + number;
    record.boot = boot;
    return record;
}

// An index that a test may stop cleanly, or not, and open again.
class OpenIndex {
public:
    explicit OpenIndex(const std::filesystem::path& directory,
                       std::uint64_t map_size = 64ULL << 20U) {
        options.directory = directory;
        options.map_size = map_size;
        options.commit_interval = std::chrono::hours(1);  // only what is flushed is committed
        open();
    }

    void open() {
        auto opened = Index::open(Foundation::of_the_system(), options, clock, *log);
        ASSERT_TRUE(opened) << opened.error().what;
        index = std::move(*opened);
    }
    void stop() {
        index->close();
        index.reset();
    }
    void stop_uncleanly() { index.reset(); }
    void commit() {
        std::promise<void> done;
        index->flush([&done] { done.set_value(); }, Index::When::now);
        done.get_future().wait();
    }
    Index* operator->() { return index.get(); }

    IndexOptions options;
    WallHand clock;
    std::unique_ptr<Log> log = Log::silent();
    std::unique_ptr<Index> index;
};

// An index, two tasks, and what tests ask about them.
class IndexFixture : public ::testing::Test {
protected:
    ScratchDirectory directory;
    OpenIndex index{directory.path()};
    const TaskId a = task_named("a");
    const TaskId b = task_named("b");

    std::vector<std::uint32_t> piece_numbers(const TaskId& task, std::uint64_t generation) {
        std::vector<std::uint32_t> numbers;
        for (const PieceRecord& record : index->pieces(task, generation))
            numbers.push_back(record.number);
        return numbers;
    }
    static ObjectRecord small(const TaskId& task, std::uint64_t generation, std::uint64_t size) {
        ObjectRecord record = object(task, generation);
        record.size = size;
        return record;
    }
    std::optional<std::string> small_body(const TaskId& task) {
        const auto found = index->find_with_body(task);
        if (!found || !found->body) return std::nullopt;
        return text_of(*found->body);
    }
};

}  // namespace hawker::cache::test
