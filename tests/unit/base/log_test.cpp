#include "base/log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

namespace hawker {
namespace {

class LogTest : public testing::Test {
protected:
    LogTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "hawker-log-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~LogTest() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::unique_ptr<Log> open(LogFormat format = LogFormat::text,
                              LogLevel level = LogLevel::info) const {
        LogOptions options;
        options.format = format;
        options.level = level;
        options.file = path("log");
        return std::move(*Log::open(options));
    }
    // Only after the log was dropped: then everything is written.
    std::vector<std::string> lines(const std::string& name = "log") const {
        std::ifstream file(path(name));
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);) all.push_back(line);
        return all;
    }

    std::filesystem::path folder_;
};

TEST_F(LogTest, AValueCannotForgeALine) {
    open()->info("url={}", "a\r\nERROR b\x1b[0m\t\x7f\xff");
    const auto written = lines();
    ASSERT_EQ(written.size(), 1U);
    EXPECT_TRUE(
        written[0].ends_with("info  url=a\\u000d\\u000aERROR b\\u001b[0m\\u0009\\u007f\\u00ff"))
        << written[0];
}

TEST_F(LogTest, AJsonLineStaysOneObject) {
    open(LogFormat::json)->warn("{}", "quote \" backslash \\ brace }\n%v");
    const auto written = lines();
    ASSERT_EQ(written.size(), 1U);
    EXPECT_TRUE(written[0].starts_with("{\"time\":\"2")) << written[0];
    EXPECT_TRUE(written[0].ends_with(
        "\"level\":\"warning\",\"message\":\"quote \\\" backslash \\\\ brace }\\u000a%v\"}"))
        << written[0];
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
    const auto log = open();
    EXPECT_FALSE(log->enabled(LogLevel::debug));
    log->debug("no");
    log->set_level(LogLevel::debug);
    EXPECT_TRUE(log->enabled(LogLevel::debug));
}

TEST_F(LogTest, AccessLinesAreWrittenAsTheyAreWhateverTheLevel) {
    open(LogFormat::json, LogLevel::error)->line(R"({"status":200})");
    EXPECT_EQ(lines(), std::vector<std::string>{R"({"status":200})"});
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsAnError) {
    std::ofstream(path("file")) << "in the way";
    LogOptions options;
    options.file = path("file/log");
    EXPECT_FALSE(Log::open(options));
}

TEST_F(LogTest, AfterARotationNewLinesGoToTheNewFile) {
    auto log = open();
    log->info("before");
    log->line("access before");
    std::filesystem::rename(path("log"), path("log.1"));
    EXPECT_TRUE(log->reopen());
    log->info("after");
    log->line("access after");
    log.reset();
    const auto written = lines();
    ASSERT_GE(written.size(), 2U);
    EXPECT_EQ(written[written.size() - 1], "access after");
    // A line that was queued before the rotation may land in either file, but none is lost.
    EXPECT_EQ(written.size() + lines("log.1").size(), 4U);
}

TEST_F(LogTest, ARotationThatFailsKeepsTheOldFile) {
    auto log = open();
    std::filesystem::rename(path("log"), path("log.1"));
    std::filesystem::create_directory(path("log"));
    EXPECT_FALSE(log->reopen());
    log->info("still here");
    log.reset();
    EXPECT_EQ(lines("log.1").size(), 1U);
}

TEST_F(LogTest, AFileThatCannotBeWrittenIsComplainedAboutOnce) {
    LogOptions options;
    options.file = "/dev/full";
    testing::internal::CaptureStderr();
    {
        const auto log = std::move(*Log::open(options));
        // Each is a write of its own, and more than a file's buffer takes.
        for (int i = 0; i < 5; ++i) log->line(std::string(100'000, 'x'));
    }
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(said.starts_with("log.file: ")) << said;
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

TEST_F(LogTest, OthersMayWriteWhileItIsReopened) {
    auto log = open();
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer)
        writers.emplace_back([&log] {
            for (int i = 0; i < 500; ++i) {
                log->info("line {}", i);
                log->line("access");
            }
        });
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(log->reopen());
    for (std::thread& writer : writers) writer.join();
    log.reset();
    EXPECT_EQ(lines().size(), 3000U);
}

TEST(SilentLog, SwallowsMessagesAndAccessLines) {
    testing::internal::CaptureStderr();
    {
        const auto log = Log::silent();
        log->error("nothing");
        log->line("nothing");
        EXPECT_FALSE(log->enabled(LogLevel::error));
        EXPECT_TRUE(log->reopen());
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace hawker
