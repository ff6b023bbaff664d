#include "daemon/admin/answer.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hawker::admin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TaskId id(unsigned number) {
    TaskId task;
    task.bytes[31] = static_cast<std::byte>(number);
    return task;
}

// A daemon with tasks and moods, whose answers are always ready.
class FakeDaemon : public Backend {
public:
    std::string ailment() const override { return ill; }
    std::string metrics() override { return "hawker_up 1\n"; }
    Task<std::vector<cache::Entry>> tasks(std::optional<TaskId> after, std::size_t most) override {
        std::vector<cache::Entry> page;
        for (const cache::Entry& entry : entries)
            if ((!after || entry.task > *after) && page.size() < most) page.push_back(entry);
        co_return page;
    }
    Task<bool> remove(TaskId task) override {
        co_return std::erase_if(entries,
                                [&](const cache::Entry& entry) { return entry.task == task; }) > 0;
    }
    void has(unsigned number) {
        cache::Entry entry;
        entry.task = id(number);
        entry.label = "http://a/\xff";
        entries.push_back(entry);
    }

    std::string ill;
    std::vector<cache::Entry> entries;
};

class AnswerTest : public testing::Test {
protected:
    Answer ask(const std::string& method, const std::string& target, Peer peer = Peer::local) {
        http::RequestHead head;
        head.method = method;
        head.target = target;
        if (!origin.empty()) head.fields.add("Origin", origin);
        return answer(head, Asker(peer, {"hawker.example"}), daemon).take();
    }
    nlohmann::json ask_json(const std::string& target) {
        return nlohmann::json::parse(ask("GET", target).body);
    }

    FakeDaemon daemon;
    std::string origin;
};

TEST_F(AnswerTest, HealthIsOneWordOrOneSentence) {
    EXPECT_EQ(ask("GET", "/healthz").body, "ok\n");
    daemon.ill = "A loop does not answer.";
    EXPECT_EQ(ask("GET", "/healthz").status, 503);
    EXPECT_EQ(ask("GET", "/healthz").body, "A loop does not answer.\n");
}

TEST_F(AnswerTest, MetricsAreWhatTheDaemonCounts) {
    EXPECT_EQ(ask("GET", "/metrics").body, "hawker_up 1\n");
}

TEST_F(AnswerTest, TasksComeInPages) {
    for (const unsigned number : {1U, 2U, 3U}) daemon.has(number);
    const auto first = ask_json("/tasks?limit=2");
    EXPECT_THAT(first["tasks"], SizeIs(2));
    EXPECT_EQ(first["next"], id(2).hex());
    const auto second = ask_json("/tasks?limit=2&after=" + first["next"].get<std::string>());
    EXPECT_THAT(second["tasks"], SizeIs(1));
    EXPECT_TRUE(second["next"].is_null());
    EXPECT_EQ(second["tasks"][0]["task"], id(3).hex());
}

TEST_F(AnswerTest, OneTaskIsFoundByItsId) {
    daemon.has(1);
    daemon.has(256U % 251U);
    EXPECT_EQ(ask_json("/tasks/" + id(5).hex())["task"], id(5).hex());
    EXPECT_EQ(ask("GET", "/tasks/" + id(4).hex()).status, 404);
    EXPECT_EQ(ask("GET", "/tasks/7").status, 400);
}

TEST_F(AnswerTest, BadParametersAreNamed) {
    EXPECT_THAT(ask("GET", "/tasks?limit=0").body, HasSubstr("limit"));
    EXPECT_THAT(ask("GET", "/tasks?limit=1001").body, HasSubstr("1000"));
    EXPECT_THAT(ask("GET", "/tasks?after=x").body, HasSubstr("64 hexadecimal digits"));
    EXPECT_EQ(ask("GET", "/tasks?page=1").status, 400);
}

TEST_F(AnswerTest, ATaskIsRemovedFromThisMachine) {
    daemon.has(1);
    EXPECT_EQ(ask("DELETE", "/tasks/" + id(1).hex()).status, 200);
    EXPECT_THAT(daemon.entries, IsEmpty());
    EXPECT_EQ(ask("DELETE", "/tasks/" + id(1).hex()).status, 404);
}

TEST_F(AnswerTest, ATaskIsNotRemovedFromElsewhereOrForAWebPage) {
    daemon.has(1);
    EXPECT_EQ(ask("DELETE", "/tasks/" + id(1).hex(), Peer::remote).status, 403);
    origin = "http://evil.example";
    EXPECT_EQ(ask("DELETE", "/tasks/" + id(1).hex()).status, 403);
    EXPECT_THAT(daemon.entries, SizeIs(1));
}

TEST_F(AnswerTest, OtherMethodsAndPathsAreToldWhatThereIs) {
    EXPECT_EQ(ask("POST", "/metrics").allow, "GET, HEAD");
    EXPECT_EQ(ask("PUT", "/tasks/" + id(1).hex()).allow, "GET, HEAD, DELETE");
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("GET", "/tasksx").status, 404);
    EXPECT_EQ(ask("GET", "/tasks/").status, 404);
}

TEST_F(AnswerTest, AProxyRequestIsToldThatThisIsNotTheProxy) {
    http::RequestHead head;
    head.method = "GET";
    head.target = "http://a/";
    head.form = http::TargetForm::absolute;
    EXPECT_THAT(answer(head, Asker(), daemon).take().body, HasSubstr("not the proxy"));
}

TEST_F(AnswerTest, WhoComesThroughAProxyHereIsNotOnThisMachine) {
    daemon.has(1);
    http::RequestHead head;
    head.method = "DELETE";
    head.target = "/tasks/" + id(1).hex();
    head.fields.add("Via", "1.1 hawker-1");
    EXPECT_EQ(answer(head, Asker(Peer::local, {}), daemon).take().status, 403);
    EXPECT_THAT(daemon.entries, SizeIs(1));
}

TEST(Predecessor, BorrowsFromTheBytesBefore) {
    TaskId task;
    EXPECT_EQ(predecessor(task), std::nullopt);
    task.bytes[30] = std::byte{1};
    TaskId before;
    before.bytes[31] = std::byte{0xFF};
    EXPECT_EQ(predecessor(task), before);
}

TEST(Serialize, AHeadAnswerHasTheLengthButNotTheBody) {
    Answer reply;
    reply.body = "ok\n";
    EXPECT_THAT(serialize(reply, Body::sent), testing::EndsWith("\r\n\r\nok\n"));
    EXPECT_THAT(serialize(reply, Body::omitted), testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(serialize(reply, Body::omitted), HasSubstr("Content-Length: 3\r\n"));
}

TEST(Host, IsAnAddressLocalhostOrAConfiguredName) {
    const std::vector<std::string> ours = {"hawker.example", "Build01.Corp."};
    for (const char* const host : {"127.0.0.1", "127.0.0.1:65002", "[::1]", "[::1]:65002",
                                   "192.0.2.7:1", "localhost", "LOCALHOST:65002", "hawker.example",
                                   "Hawker.Example:65002", "hawker.example.", "build01.corp:65002"})
        EXPECT_TRUE(is_our_host(host, ours)) << host;
    for (const char* const host :
         {"", "attacker.example", "attacker.example:65002", "localhost.attacker.example",
          "127.0.0.1.attacker.example", "[", "[attacker.example]", "127.0.0.0/8", "0"})
        EXPECT_FALSE(is_our_host(host, ours)) << host;
}

}  // namespace
}  // namespace hawker::admin
