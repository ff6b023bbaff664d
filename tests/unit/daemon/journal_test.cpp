#include "daemon/journal.h"

#include <cstdint>
#include <random>

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

std::string access_text(const proxy::ExchangeRecord& record) {
    AccessLine line;
    write_access_text(line, record);
    return fmt::to_string(line);
}

std::string access_json(const proxy::ExchangeRecord& record, WallTime now) {
    AccessLine line;
    write_access_json(line, record, now);
    return fmt::to_string(line);
}

// What every field may hold: of any bytes now and then, mostly what is usual.
proxy::ExchangeRecord a_record_of(std::mt19937& random) {
    const auto text = [&random] {
        std::string bytes;
        const bool is_odd = random() % 4 == 0;
        for (auto length = random() % 20; length > 0; --length)
            bytes +=
                is_odd ? static_cast<char>(random()) : " =\"\\/abcdefgh0123456789"[random() % 23];
        if (is_odd && random() % 2 == 0) bytes += "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
        return bytes;
    };
    proxy::ExchangeRecord record;
    for (const auto field : {&proxy::ExchangeRecord::method, &proxy::ExchangeRecord::url,
                             &proxy::ExchangeRecord::task, &proxy::ExchangeRecord::rule,
                             &proxy::ExchangeRecord::source, &proxy::ExchangeRecord::client,
                             &proxy::ExchangeRecord::user, &proxy::ExchangeRecord::error})
        record.*field = text();
    record.status = static_cast<int>(random() % 600);
    record.bytes = std::uint64_t{random()} << random() % 32U;
    record.received = random() % 2 == 0 ? 0 : random();
    record.duration = std::chrono::milliseconds(random() % 100'000);
    record.first_byte = std::chrono::milliseconds(random() % 100);
    return record;
}

TEST(AccessLog, TextNamesEveryFieldThatIsThere) {
    proxy::ExchangeRecord record = a_hit();
    record.duration = std::chrono::milliseconds(12);
    record.first_byte = std::chrono::milliseconds(3);
    EXPECT_EQ(access_text(record),
              "access method=GET status=200 source=hit bytes=7 ms=12 first_byte_ms=3 task=" +
                  record.task + " rule=\"the rule\" client=127.0.0.1:9 url=http://a/b?token=");
    record.task.clear();
    record.rule = "r";
    record.received = 5;
    record.user = "me";
    record.error = "no";
    EXPECT_EQ(access_text(record),
              "access method=GET status=200 source=hit bytes=7 ms=12 first_byte_ms=3 received=5 "
              "rule=r client=127.0.0.1:9 user=me url=http://a/b?token= error=no");
    EXPECT_EQ(access_text({}),
              "access method=\"\" status=0 source= bytes=0 ms=0 first_byte_ms=0 client= url=");
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

TEST(AccessLog, JsonSaysWhenInUtc) {
    const auto time = [](std::int64_t milliseconds) {
        return std::string(nlohmann::json::parse(
            access_json(a_hit(), WallTime(std::chrono::milliseconds(milliseconds))))["time"]);
    };
    EXPECT_EQ(time(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(time(1'709'251'199'007), "2024-02-29T23:59:59.007Z");
    EXPECT_EQ(time(1'709'251'200'070), "2024-03-01T00:00:00.070Z");
}

TEST(AccessLog, JsonEscapesOneOddByteWhereverItStands) {
    for (int odd = 0; odd < 256; ++odd)
        for (std::size_t at = 0; at < 17; ++at) {
            proxy::ExchangeRecord record;
            record.url = std::string(17, 'u');
            record.url[at] = static_cast<char>(odd);
            const auto line = access_json(record, WallTime());
            const nlohmann::json url = record.url;
            const auto written = url.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
            ASSERT_THAT(line, HasSubstr(",\"url\":" + written + ",")) << odd;
        }
}

TEST(AccessLog, JsonIsWrittenAsTheLibraryWouldWriteIt) {
    std::mt19937 random(3);  // NOLINT: the same every time
    for (int round = 0; round < 2000; ++round) {
        const proxy::ExchangeRecord record = a_record_of(random);
        const WallTime now{std::chrono::milliseconds(1'800'000'000'000 + round)};
        const std::string line = access_json(record, now);
        const auto time = line.substr(9, 24);
        const nlohmann::ordered_json json = {{"time", time},
                                             {"level", "info"},
                                             {"message", "access"},
                                             {"method", record.method},
                                             {"status", record.status},
                                             {"source", record.source},
                                             {"bytes", record.bytes},
                                             {"received", record.received},
                                             {"ms", record.duration.count()},
                                             {"first_byte_ms", record.first_byte.count()},
                                             {"task", record.task},
                                             {"rule", record.rule},
                                             {"client", record.client},
                                             {"user", record.user},
                                             {"url", record.url},
                                             {"error", record.error}};
        ASSERT_EQ(line, json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
    }
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
