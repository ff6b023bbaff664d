#include "daemon/configuration.h"

#include "daemon/explain.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

// A configuration file that exists while the test runs.
class File {
public:
    explicit File(const std::string& text) {
        const int fd = ::mkstemp(path_.data());
        ::close(fd);
        std::ofstream(path_) << text;
    }
    ~File() { std::filesystem::remove(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_ = testing::TempDir() + "hawker-config-XXXXXX";
};

Expected<Configuration> loaded(const std::string& path, std::vector<const char*> environment = {},
                               std::vector<Assignment> flags = {}) {
    environment.push_back(nullptr);
    CommandLine line;
    line.config = path;
    line.assignments = std::move(flags);
    return load(line, environment.data());
}

TEST(Configuration, WithoutAFileTheShippedRulesHold) {
    const auto configuration = loaded("");
    ASSERT_TRUE(configuration) << configuration.error().what;
    EXPECT_GT(configuration->rules->rules().size(), 5U);
    EXPECT_THAT(configuration->remarks, IsEmpty());
}

TEST(Configuration, AFileThatDoesNotSpeakOfRulesKeepsTheShippedOnes) {
    const File silent("threads: 2\n");
    EXPECT_GT(loaded(silent.path())->rules->rules().size(), 5U);
    const File none("rules: []\n");
    EXPECT_EQ(loaded(none.path())->rules->rules().size(), 0U);
}

TEST(Configuration, FlagsWinOverTheEnvironmentAndThatOverTheFile) {
    const File file("threads: 1\nio_threads: 1\ncache: {max_size: 1GiB}\n");
    const auto configuration = loaded(file.path(), {"HAWKER_THREADS=2", "HAWKER_IO_THREADS=2"},
                                      {Assignment("threads", {"3"}, "flag --threads")});
    ASSERT_TRUE(configuration) << configuration.error().what;
    EXPECT_EQ(configuration->options.count("threads"), 3U);
    EXPECT_EQ(configuration->options.where("io_threads"), "environment HAWKER_IO_THREADS");
    EXPECT_EQ(configuration->options.where("cache.max_size"), file.path() + ":3");
    EXPECT_EQ(configuration->options.where("cache.evict"), "default");
}

TEST(Configuration, ABadPatternNamesFileRuleAndLine) {
    const File file("rules:\n  - name: broken\n    match: '('\n");
    const auto configuration = loaded(file.path());
    ASSERT_FALSE(configuration);
    EXPECT_THAT(configuration.error().what, HasSubstr(file.path()));
    EXPECT_THAT(configuration.error().what, HasSubstr("broken"));
    EXPECT_THAT(configuration.error().what, HasSubstr("line 2"));
}

TEST(Configuration, AnAddressThatOthersReachNeedsAWordAboutWhoTheyAre) {
    const File open("listen: [127.0.0.1:65003, 0.0.0.0:65001]\n");
    const auto refused = loaded(open.path());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::denied);
    EXPECT_THAT(refused.error().what, HasSubstr(open.path() + ":1: listen: 0.0.0.0:65001"));
    const File closed("listen: 0.0.0.0:65001\nclients: [10.0.0.0/8]\n");
    EXPECT_TRUE(loaded(closed.path()));
}

TEST(Configuration, EveryOptionArrivesWhereItIsUsed) {
    const File file(R"(
cache: {max_size: 7GiB, max_used_percent: 90, min_free: 2GiB, low_watermark: 0.5, evict: large-first, inline_limit: 1KiB,
        map_size: 3GiB, commit_interval: 9ms, directory: /somewhere}
fetch: {piece_size: 8MiB, connections: 7, attempts: 9, on_abandon: finish-if 30}
origin: {hosts: git.example=192.0.2.7, connect_timeout: 1s, first_byte_timeout: 2s, stall_timeout: 3s, connections_per_host: 5,
         queue_per_host: 6, queue_timeout: 7s}
destinations: {allow: 127.0.0.0/8, deny: 127.0.0.9, deny_hosts: "*.evil.example", allow_hosts: "*",
               ports: [80, 443], connect_ports: [443, 8443]}
limits: {head_size: 1KiB, request_line: 2KiB, field_size: 3KiB, field_count: 4}
timeouts: {head: 1s, idle: 2s, write: 3s, body: 4s, tunnel_idle: 5s}
access_ttl: 6s
log: {level: warn, format: json, file: /log}
)");
    const auto configuration = loaded(file.path());
    ASSERT_TRUE(configuration) << configuration.error().what;
    const cache::CacheOptions cache = cache_options(configuration->options);
    EXPECT_EQ(cache.directory, "/somewhere");
    EXPECT_EQ(cache.limits.max_size, 7ULL << 30U);
    EXPECT_EQ(cache.limits.max_used_percent, 90);
    EXPECT_EQ(cache.limits.min_free, 2ULL << 30U);
    EXPECT_EQ(cache.limits.low_watermark, 0.5);
    EXPECT_EQ(cache.limits.evict, cache::Evict::large_first);
    EXPECT_EQ(cache.inline_limit, 1024U);
    EXPECT_EQ(cache.map_size, 3ULL << 30U);
    EXPECT_EQ(cache.commit_interval, 9ms);
    const origin::ClientOptions client = client_options(*configuration);
    EXPECT_EQ(client.routes->find("git.example").addresses, std::vector<std::string>{"192.0.2.7"});
    EXPECT_EQ(client.connect_timeout, 1s);
    EXPECT_EQ(client.first_byte_timeout, 2s);
    EXPECT_EQ(client.stall_timeout, 3s);
    EXPECT_EQ(client.connections_per_host, 5U);
    EXPECT_EQ(client.queue_per_host, 6U);
    EXPECT_EQ(client.queue_timeout, 7s);
    EXPECT_TRUE(client.destinations->check(*net::Address::parse("127.0.0.1:1")));
    EXPECT_FALSE(client.destinations->check(*net::Address::parse("127.0.0.9:1")));
    Identity identity;
    identity.pseudonym = "me";
    const auto settings = proxy_settings(*configuration, identity, nullptr);
    EXPECT_EQ(settings->fetch.piece_size, 8ULL << 20U);
    EXPECT_EQ(settings->fetch.connections, 7U);
    EXPECT_EQ(settings->fetch.attempts, 9U);
    EXPECT_EQ(settings->fetch.on_abandon, cache::OnAbandon::finish_if);
    EXPECT_EQ(settings->fetch.finish_if_percent, 30U);
    EXPECT_EQ(settings->head_limits.head_bytes, 1024U);
    EXPECT_EQ(settings->head_limits.request_line_bytes, 2048U);
    EXPECT_EQ(settings->head_limits.field_bytes, 3072U);
    EXPECT_EQ(settings->head_limits.field_count, 4U);
    EXPECT_EQ(settings->head_timeout, 1s);
    EXPECT_EQ(settings->idle_timeout, 2s);
    EXPECT_EQ(settings->write_timeout, 3s);
    EXPECT_EQ(settings->body_timeout, 4s);
    EXPECT_EQ(settings->tunnel_idle_timeout, 5s);
    EXPECT_EQ(settings->access_ttl, 6s);
    EXPECT_EQ(settings->pseudonym, "me");
    EXPECT_TRUE(settings->destinations->check_connect_port(8443));
    EXPECT_FALSE(settings->destinations->check_connect_port(25));
    EXPECT_FALSE(settings->destinations->check_port(25));
    EXPECT_FALSE(settings->destinations->check_host("a.evil.example"));
    EXPECT_TRUE(settings->destinations->check_host("good.example"));
    const LogOptions log = log_options(configuration->options);
    EXPECT_EQ(log.level, LogLevel::warn);
    EXPECT_EQ(log.format, LogFormat::json);
    EXPECT_EQ(log.file, "/log");
}

TEST(CacheDirectory, FollowsSystemdThenXdgThenTheUser) {
    std::map<std::string, std::string> variables = {
        {"CACHE_DIRECTORY", "/var/cache/a:/var/cache/b"},
        {"XDG_CACHE_HOME", "/xdg"},
        {"HOME", "/home/me"}};
    const auto environment = [&](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    };
    EXPECT_EQ(default_cache_directory(environment, true), "/var/cache/a");
    variables.erase("CACHE_DIRECTORY");
    EXPECT_EQ(default_cache_directory(environment, false), "/xdg/hawker");
    variables["XDG_CACHE_HOME"] = "relative";
    EXPECT_EQ(default_cache_directory(environment, false), "/home/me/.cache/hawker");
    EXPECT_EQ(default_cache_directory(environment, true), "/var/cache/hawker");
}

TEST(Explain, NamesRuleKeyAndTaskAndNoSecret) {
    const File file(R"(rules:
  - name: store
    match: '^http://store\.example/(?P<sha256>[0-9a-f]{64})'
    key: {strip: [token]}
    digest: sha256
    origin_scheme: https
)");
    const auto configuration = loaded(file.path());
    ASSERT_TRUE(configuration) << configuration.error().what;
    const std::string digest(64, 'a');
    const std::string url = "http://store.example/" + digest + "?token=SECRET&versionId=7";
    const filters::Question question("GET", url, "", "", "");
    const std::string text = explain(*configuration->rules, question);
    EXPECT_THAT(text, HasSubstr("store (line 2)"));
    EXPECT_THAT(text, HasSubstr("sha256:" + digest));
    EXPECT_THAT(text, HasSubstr("versionId=7"));
    EXPECT_THAT(text, HasSubstr("https://store.example/"));
    EXPECT_THAT(text, testing::ContainsRegex("stripped +token\n"));
    EXPECT_THAT(text, testing::ContainsRegex("task ID +[0-9a-f]+\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("SECRET")));
}

}  // namespace
}  // namespace hawker::daemon
