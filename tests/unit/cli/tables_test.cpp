#include "cli/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hawker::cli {
namespace {

using testing::HasSubstr;

TEST(HumanSize, HasThreeFigures) {
    EXPECT_EQ(human_size(0), "0 B");
    EXPECT_EQ(human_size(712), "712 B");
    EXPECT_EQ(human_size(1536), "1.50 KiB");
    EXPECT_EQ(human_size(1023), "1.00 KiB");
    EXPECT_EQ(human_size(100.0 * 1024 * 1024), "100 MiB");
    EXPECT_EQ(human_size(10.0 * 1024 * 1024 * 1024), "10.0 GiB");
}

nlohmann::json a_task() {
    return {{"task", std::string(64, 'a')},
            {"url", "http://a/b"},
            {"rule", "lfs"},
            {"size", nullptr},
            {"stored", 2048},
            {"digest", nullptr},
            {"stored_at", 0},
            {"used_at", 0},
            {"hits", 3},
            {"complete", false},
            {"fetching", true},
            {"shared_file", nullptr}};
}

TEST(TaskTable, HasOneLineATaskAndASum) {
    const std::string table = task_table(nlohmann::json::array({a_task(), a_task()}));
    EXPECT_EQ(std::ranges::count(table, '\n'), 4);
    EXPECT_THAT(table, HasSubstr("fetching"));
    EXPECT_THAT(table, HasSubstr("2 tasks, 4.00 KiB"));
}

TEST(TaskTable, CountsWhatTasksHaveTogetherOnce) {
    nlohmann::json one = a_task(), other = a_task();
    one["shared_file"] = 5;
    other["shared_file"] = 6;
    const std::string table = task_table(nlohmann::json::array({one, one, other, a_task()}));
    EXPECT_THAT(table, HasSubstr("4 tasks, 6.00 KiB"));
}

TEST(TaskDetails, SayWhatIsNotKnown) {
    EXPECT_THAT(task_details(a_task()), HasSubstr("size       ?"));
    EXPECT_THAT(task_details(a_task()), HasSubstr("digest     unknown"));
    EXPECT_THAT(task_details(a_task()), HasSubstr("used at    never"));
}

TEST(Stats, AreReadFromPrometheusText) {
    const auto samples = parse_metrics(
        "# HELP x y\nhawker_requests_total{source=\"hit\",status=\"2xx\"} 3\n"
        "hawker_requests_total{source=\"hit\",status=\"4xx\"} 1\n"
        "hawker_client_sent_bytes_total{source=\"hit\"} 1.5e3\nbroken\n");
    EXPECT_EQ(samples.size(), 3U);
    EXPECT_THAT(stats_table(samples), testing::ContainsRegex("hit +4 +1.46 KiB"));
}

}  // namespace
}  // namespace hawker::cli
