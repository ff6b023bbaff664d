#include "daemon/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hawker::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

proxy::ExchangeRecord a_hit() {
    proxy::ExchangeRecord record;
    record.method = "GET";
    record.url = "http://a/b?token=";
    record.task = std::string(64, '0');
    record.rule = "the rule";
    record.status = 200;
    record.bytes = 7;
    record.source = "hit";
    record.client = "127.0.0.1:9";
    return record;
}

TEST(AccessLog, TextQuotesWhatHoldsBlanks) {
    EXPECT_THAT(access_text(a_hit()), HasSubstr("status=200 source=hit bytes=7"));
    EXPECT_THAT(access_text(a_hit()),
                HasSubstr("rule=\"the rule\" client=127.0.0.1:9 url=http://a/b?token="));
    EXPECT_THAT(access_text(a_hit()), Not(HasSubstr("error=")));
    proxy::ExchangeRecord broken = a_hit();
    broken.error = "say \"no\"";
    EXPECT_THAT(access_text(broken), HasSubstr(R"(error="say \"no\"")"));
}

TEST(AccessLog, JsonIsOneObjectEvenWhenTheUrlIsNoUtf8) {
    proxy::ExchangeRecord record = a_hit();
    record.url = "http://a/\xff\n\"";
    const std::string line = access_json(record, WallTime(std::chrono::milliseconds(1500)));
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["time"], "1970-01-01T00:00:01.500Z");
    EXPECT_EQ(json["source"], "hit");
    EXPECT_EQ(json["bytes"], 7);
}

TEST(Journal, CountsWhatItIsTold) {
    const auto log = Log::silent();
    const SystemClock clock;
    admin::Metrics metrics("1");
    Journal journal(*log, metrics, clock);
    journal.connection_opened();
    journal.exchange_done(a_hit());
    journal.tunnel_could_have_been_cached("a");
    journal.tunnel_could_have_been_cached("a");
    cache::FetchReport report;
    report.complete = true;
    report.bytes = 11;
    journal.fetch_done(report);
    report.complete = false;
    report.error = Error(Errc::cancelled, "nobody wants it");
    journal.fetch_done(report);
    const std::string text = metrics.text(cache::Usage());
    EXPECT_THAT(text, HasSubstr("hawker_requests_total{source=\"hit\",status=\"2xx\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_tunnels_could_have_been_cached_total 2"));
    EXPECT_THAT(text, HasSubstr("hawker_fetches_total{end=\"done\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_fetches_total{end=\"stopped\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_origin_bytes_total 22"));
    EXPECT_EQ(metrics.open_connections(), 1U);
}

}  // namespace
}  // namespace hawker::daemon
