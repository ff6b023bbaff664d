#include "daemon/proxy/access_memory.h"
#include "tests/unit/base/hand_executor.h"
#include "tests/unit/proxy/access_fixture.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <stdlib.h>
#include <sys/stat.h>

namespace hawker::proxy {
namespace {

// One life of the memory after another, in one directory.
class Journal : public WithHandClock {
protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "hawker-access-XXXXXX";
        directory = ::mkdtemp(name.data());
        begin();
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    void begin() {
        pool.run();
        memory.reset();
        auto journal = AccessJournal::open(directory, pool, *log);
        ASSERT_TRUE(journal) << journal.error().what;
        memory = AccessMemory::create(3, clock, std::move(*journal), ttl);
        pool.run();
    }
    std::string file() const {
        std::ostringstream text;
        text << std::ifstream(directory / "access", std::ios::binary).rdbuf();
        return text.str();
    }
    void write_file(const std::string& text) const {
        std::ofstream(directory / "access", std::ios::binary) << text;
    }

    HandExecutor pool;
    std::unique_ptr<Log> log = Log::silent();
    std::chrono::milliseconds ttl = std::chrono::hours(1);
    std::filesystem::path directory;
    std::unique_ptr<AccessMemory> memory;
};

TEST_F(Journal, AYesOutlivesTheProcessAndEndsWhenItWould) {
    memory->allow("alice", task(1), in(60));
    begin();
    EXPECT_TRUE(memory->is_allowed("alice", task(1)));
    EXPECT_FALSE(memory->is_allowed("mallory", task(1)));
    EXPECT_FALSE(memory->is_allowed("alice", task(2)));
    begin();
    clock.time += std::chrono::seconds(60);
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    begin();
    EXPECT_TRUE(file().empty()) << "what holds no more is not kept";
}

TEST_F(Journal, ANoOutlivesItToo) {
    memory->allow("alice", task(1), in(60));
    memory->allow("bob", task(1), in(60));
    memory->allow("alice", task(2), in(60));
    memory->forget("alice", task(1));
    memory->forget(task(2));
    begin();
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("bob", task(1)));
    EXPECT_FALSE(memory->is_allowed("alice", task(2)));
}

TEST_F(Journal, AYesLastsNoLongerThanTheTimeThatIsConfiguredNow) {
    memory->allow("alice", task(1), in(3000));
    ttl = std::chrono::seconds(10);
    begin();
    clock.time += std::chrono::seconds(10);
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
}

TEST_F(Journal, NeitherFileIsForOthersOrHoldsACredential) {
    memory->allow("Bearer hf_alice", task(1), in(60));
    pool.run();
    for (const char* name : {"access", "access.key"}) {
        struct stat status{};
        ASSERT_EQ(::stat((directory / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
    }
    EXPECT_FALSE(file().empty());
    EXPECT_EQ(file().find("alice"), std::string::npos);
}

TEST_F(Journal, AKeyThatOthersMayHaveReadIsNotUsed) {
    std::filesystem::permissions(directory / "access.key", std::filesystem::perms(0644));
    const auto journal = AccessJournal::open(directory, pool, *log);
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, Errc::denied);
    EXPECT_NE(journal.error().what.find("chmod 600"), std::string::npos);
}

TEST_F(Journal, UnderAnotherKeyNothingIsRecalled) {
    memory->allow("alice", task(1), in(60));
    pool.run();
    std::filesystem::remove(directory / "access.key");
    begin();
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(file().empty());
}

TEST_F(Journal, ADamagedRecordIsNoneAndTheOthersStillAre) {
    memory->allow("alice", task(1), in(60));
    memory->allow("bob", task(1), in(60));
    memory->allow("carol", task(1), in(60));
    pool.run();
    std::string text = file();
    const std::size_t record = text.size() / 3;
    text[record + 70] ^= 1;        // until when, of bob's
    text.resize(text.size() - 3);  // torn in the middle of carol's
    write_file(text);
    begin();
    EXPECT_TRUE(memory->is_allowed("alice", task(1)));
    EXPECT_FALSE(memory->is_allowed("bob", task(1)));
    EXPECT_FALSE(memory->is_allowed("carol", task(1)));
    memory->allow("carol", task(1), in(60));
    begin();
    EXPECT_TRUE(memory->is_allowed("carol", task(1)));
}

TEST_F(Journal, WhatWasLastSaidOutlivesTheProcessAndHasNoEnd) {
    using Word = AccessMemory::Standing::Word;
    memory->hear("", task(1), Word::open);
    memory->hear("", task(2), Word::open);
    memory->hear("", task(2), Word::refused);
    memory->hear("alice", task(1), Word::hidden);
    ttl = std::chrono::seconds(1);
    const WallTime then = clock.time;
    clock.time += std::chrono::hours(1000);
    for (int life = 0; life < 2; ++life) {
        begin();
        EXPECT_EQ(memory->standing("", task(1)).word, Word::open);
        EXPECT_EQ(memory->standing("", task(1)).heard, then);
        EXPECT_EQ(memory->standing("", task(2)).word, Word::refused);
        EXPECT_EQ(memory->standing("alice", task(1)).word, Word::hidden);
        EXPECT_EQ(memory->standing("alice", task(2)).word, Word::none);
    }
    EXPECT_FALSE(memory->is_allowed("", task(1))) << "it is no yes";
}

TEST_F(Journal, ItIsWrittenAnewBeforeItGrowsWithoutEnd) {
    for (int i = 0; i < 500; ++i) {
        memory->allow("alice", task(static_cast<unsigned char>(i % 3)), in(60 + i));
        pool.run();
    }
    EXPECT_LE(file().size(), 13 * 81U);
    begin();
    EXPECT_TRUE(memory->is_allowed("alice", task(2)));
}

}  // namespace
}  // namespace hawker::proxy
