// What is sent and what comes back when all goes well; back-pressure, places, connections.
#include "tests/unit/origin/one_request.h"

namespace hawker::origin {
namespace {

using ClientTest = OneRequest;

TEST_F(ClientTest, AnAnswerArrivesWholeWithItsFieldsAsTheyWereWritten) {
    origin.says(ok("hello", "ETag: \"a\"\r\nX-MiXeD: one\r\nx-mixed:  two \r\n"));
    fetch();
    EXPECT_EQ(answered.status, 200);
    EXPECT_EQ(answered.reason, "OK");
    std::string names;
    for (const http::Field& field : answered.fields) names += field.name + "=" + field.value + ";";
    EXPECT_EQ(names, "Content-Length=5;ETag=\"a\";X-MiXeD=one;x-mixed=two;");
    EXPECT_EQ(framing, http::Framing::length);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_TRUE(outcome.whole);
    EXPECT_EQ(proxy_error, "");
}

TEST_F(ClientTest, ExactlyTheGivenFieldsAreSent) {
    origin.says(ok(""));
    Request request = get(origin.url("/a"));
    request.fields.add("X-One", "1");
    request.fields.add("x-empty", "");
    request.fields.add("X-One", "2");
    fetch(std::move(request));
    EXPECT_EQ(origin.requests.at(0),
              fmt::format("GET /a HTTP/1.1\r\nHost: {}\r\nX-One: 1\r\nx-empty:\r\nX-One: 2\r\n\r\n",
                          origin.authority()));
}

TEST_F(ClientTest, TheTargetIsSentByteForByte) {
    constexpr std::string_view kPath = "/a/../b/./%7e%41|{}\\^`//c;d?x=[1]&y=%2F..%2f?&Z+&\"<>";
    origin.says(ok(""));
    fetch(get(origin.url(kPath)));
    EXPECT_TRUE(origin.requests.at(0).starts_with(fmt::format("GET {} HTTP/1.1\r\n", kPath)))
        << origin.requests.at(0);
}

TEST_F(ClientTest, AQueryWithoutAPathGetsASlash) {
    origin.says(ok(""));
    fetch(get(origin.url("?q=1")));
    EXPECT_TRUE(origin.requests.at(0).starts_with("GET /?q=1 HTTP/1.1\r\n"));
}

TEST_F(ClientTest, OptionsOfTheServerItselfIsAnAsterisk) {
    origin.says(ok(""));
    Request request = get(origin.url(""));
    request.method = "OPTIONS";
    fetch(std::move(request));
    EXPECT_TRUE(origin.requests.at(0).starts_with("OPTIONS * HTTP/1.1\r\n"));
}

TEST_F(ClientTest, AFieldThatWouldEndItsLineIsRefused) {
    Request request = get(origin.url());
    request.fields.add("X-A", "1\r\nX-B: 2");
    fetch(std::move(request));
    EXPECT_EQ(head_error->code, Errc::invalid);
    EXPECT_EQ(origin.connections, 0U);
}

TEST_F(ClientTest, UserinfoIsRefused) {
    fetch(get("http://name:secret@127.0.0.1/"));
    EXPECT_EQ(head_error->code, Errc::invalid);
    EXPECT_EQ(head_error->what.find("secret"), std::string::npos);
}

TEST_F(ClientTest, AHeadAnswerHasNoBodyWhateverItsLength) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    Request request = get(origin.url());
    request.method = "HEAD";
    fetch(std::move(request));
    EXPECT_EQ(framing, http::Framing::none);
    EXPECT_EQ(answered.fields.get("Content-Length"), "1000");
    EXPECT_TRUE(outcome.whole);
}

TEST_F(ClientTest, InterimAnswersAreSkipped) {
    origin.says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
                ok("y"));
    fetch();
    EXPECT_EQ(answered.status, 200);
    EXPECT_FALSE(answered.fields.has("Link"));
    EXPECT_EQ(outcome.body, "y");
}

TEST_F(ClientTest, ChunkedIsUndoneAndTrailersAreDropped) {
    origin.says(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n");
    fetch();
    EXPECT_EQ(framing, http::Framing::chunked);
    EXPECT_EQ(outcome.body, "abcdefg");
    EXPECT_TRUE(outcome.whole);
    EXPECT_FALSE(answered.fields.has("X-Trailer"));
}

TEST_F(ClientTest, WithoutALengthTheBodyEndsWithTheConnection) {
    origin.says("HTTP/1.1 200 OK\r\n\r\nall of it", After::close);
    fetch();
    EXPECT_EQ(framing, http::Framing::until_close);
    EXPECT_EQ(outcome.body, "all of it");
    EXPECT_TRUE(outcome.whole);
}

TEST_F(ClientTest, AContentCodingIsLeftAlone) {
    origin.says(ok("\x1f\x8b not really", "Content-Encoding: gzip\r\n"));
    fetch();
    EXPECT_EQ(outcome.body, "\x1f\x8b not really");
}

TEST_F(ClientTest, ARedirectIsAnAnswerLikeAnother) {
    origin.says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    fetch();
    EXPECT_EQ(answered.status, 302);
    EXPECT_TRUE(outcome.whole);
}

TEST_F(ClientTest, ANewPolicyDoesNotReachThroughAKeptConnection) {
    origin.says(ok("1"));
    origin.says(ok("2"));
    run([](ClientTest& test) -> Task<void> {
        co_await test.fetch_one(get(test.origin.url()));
        EXPECT_EQ(test.outcome.body, "1");
        test.options.destinations = std::make_shared<const net::DestinationPolicy>();
        test.client->set_options(test.options);
        co_await test.fetch_one(get(test.origin.url()));
        EXPECT_EQ(test.head_error->code, Errc::denied);
    }(*this));
    EXPECT_EQ(origin.requests.size(), 1U);
}

TEST_F(ClientTest, AConnectionThatEndedWellIsUsedAgain) {
    origin.says(ok("1"));
    origin.says(ok("2"));
    run([](ClientTest& test) -> Task<void> {
        co_await test.fetch_one(get(test.origin.url()));
        co_await test.fetch_one(get(test.origin.url()));
    }(*this));
    EXPECT_EQ(outcome.body, "2");
    EXPECT_EQ(origin.connections, 1U);
}

TEST_F(ClientTest, AConnectionThatEndedBadlyIsNotUsedAgain) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", After::hang);
    origin.says(ok("2"));
    run([](ClientTest& test) -> Task<void> {
        auto response = test.client->send(get(test.origin.url()));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        response.reset();
        co_await test.fetch_one(get(test.origin.url()));
    }(*this));
    EXPECT_EQ(outcome.body, "2");
    EXPECT_EQ(origin.connections, 2U);
}

TEST_F(ClientTest, AKeptConnectionThatDiedIsReplacedForAHead) {
    origin.says(ok("1"));
    origin.says("", After::close);  // the second request meets the end of the connection
    origin.says("HTTP/1.1 204 No Content\r\n\r\n");
    run([](ClientTest& test) -> Task<void> {
        co_await test.fetch_one(get(test.origin.url()));
        Request request = get(test.origin.url());
        request.method = "HEAD";
        co_await test.fetch_one(std::move(request));
    }(*this));
    EXPECT_EQ(answered.status, 204);
    EXPECT_EQ(origin.connections, 2U);
}

TEST_F(ClientTest, ASlowReaderMakesTheOriginWait) {
    static constexpr std::size_t kSize = 64UL << 20U;
    origin.says(ok(std::string(kSize, 'x')));
    run([](ClientTest& test) -> Task<void> {
        const auto response = test.client->send(get(test.origin.url()));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        std::size_t before = 0;
        for (int quiet = 0; quiet < 200;) {  // until nothing moves any more
            co_await sleep_on(*test.loop, std::chrono::milliseconds(1));
            quiet = test.origin.bytes_sent == before ? quiet + 1 : 0;
            before = test.origin.bytes_sent;
        }
        EXPECT_LT(before, kSize / 2);
        const Outcome rest = co_await read_all(*response);
        EXPECT_TRUE(rest.whole);
        EXPECT_EQ(rest.body.size(), kSize);
    }(*this));
}

TEST_F(ClientTest, BytesStayValidUntilTheNextRead) {
    std::string content;
    for (int i = 0; i < 400'000; ++i) content += fmt::format("{:08}", i);
    origin.says(ok(content));
    run([](ClientTest& test, const std::string& expected) -> Task<void> {
        const auto response = test.client->send(get(test.origin.url()));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        std::string got;
        for (;;) {
            auto bytes = co_await response->read();
            if (!bytes || bytes->empty()) break;
            for (int turn = 0; turn < 3; ++turn) co_await resume_on(*test.loop);
            got.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        }
        EXPECT_EQ(got, expected);
    }(*this, content));
}

// Until nothing comes any more: whoever is slow finds as much as may wait.
Task<void> let_it_fill(ClientTest& test) {
    std::size_t before = 0;
    for (int quiet = 0; quiet < 20;) {
        co_await sleep_on(*test.loop, std::chrono::milliseconds(1));
        quiet = test.origin.bytes_sent == before ? quiet + 1 : 0;
        before = test.origin.bytes_sent;
    }
}

TEST_F(ClientTest, WhatIsStoredEndsOnMultiplesInTheFile) {
    static constexpr std::uint64_t kFrom = 100'000, kStep = 64UL * 1024;
    std::string content;
    for (int i = 0; i < 500'000; ++i) content += fmt::format("{:08}", i);
    origin.says(ok(content));
    run([](ClientTest& test, const std::string& expected) -> Task<void> {
        Request request = get(test.origin.url());
        request.stored_from = kFrom;
        const auto response = test.client->send(std::move(request));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        std::string got;
        for (;;) {
            co_await let_it_fill(test);
            auto bytes = co_await response->read();
            if (!bytes || bytes->empty()) break;
            got.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
            if (got.size() < expected.size()) {
                EXPECT_EQ((kFrom + got.size()) % kStep, 0U);
            }
        }
        EXPECT_EQ(got, expected);
    }(*this, content));
}

TEST_F(ClientTest, WhatIsStoredIsNotWaitedForLong) {
    static constexpr std::size_t kHere = 150'000;
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(kHere, 'x'),
                After::hang);
    run([](ClientTest& test) -> Task<void> {
        Request request = get(test.origin.url());
        request.stored_from = 0;
        const auto response = test.client->send(std::move(request));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        for (std::size_t got = 0; got < kHere;) {
            auto bytes = co_await response->read();
            EXPECT_TRUE(bytes);
            if (!bytes || bytes->empty()) break;
            got += bytes->size();
        }
        response->cancel();
    }(*this));
}

TEST_F(ClientTest, CancellingEndsAPendingHeadLater) {
    origin.says("", After::hang);
    run([](ClientTest& test) -> Task<void> {
        const auto response = test.client->send(get(test.origin.url()));
        auto waiting = response->head();
        response->cancel();
        response->cancel();
        EXPECT_FALSE(waiting.done());
        auto head = co_await waiting;
        EXPECT_EQ(head.error().code, Errc::cancelled);
        auto bytes = co_await response->read();
        EXPECT_EQ(bytes.error().code, Errc::cancelled);
    }(*this));
}

TEST_F(ClientTest, CancellingEndsAPendingRead) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", After::hang);
    run([](ClientTest& test) -> Task<void> {
        const auto response = test.client->send(get(test.origin.url()));
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        auto waiting = response->read();
        response->cancel();
        auto bytes = co_await waiting;
        EXPECT_EQ(bytes.error().code, Errc::cancelled);
    }(*this));
}

TEST_F(ClientTest, MoreRequestsThanPlacesWaitTheirTurn) {
    options.connections_per_host = 1;
    use(options);
    for (const auto* body : {"1", "2", "3"}) origin.says(ok(body));
    run([](ClientTest& test) -> Task<void> {
        const auto first = test.client->send(get(test.origin.url("/1")));
        const auto second = test.client->send(get(test.origin.url("/2")));
        auto dropped = test.client->send(get(test.origin.url("/dropped")));
        const auto third = test.client->send(get(test.origin.url("/3")));
        dropped.reset();
        for (Response* response : {third.get(), second.get(), first.get()}) {
            auto head = co_await response->head();
            EXPECT_TRUE(head);
        }
    }(*this));
    EXPECT_EQ(origin.connections, 1U);
    EXPECT_EQ(origin.requests.size(), 3U);
}

TEST_F(ClientTest, WaitingForAPlaceHasAnEnd) {
    options.connections_per_host = 1;
    options.queue_timeout = kShort;
    use(options);
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", After::hang);
    run([](ClientTest& test) -> Task<void> {
        const auto first = test.client->send(get(test.origin.url()));
        auto head = co_await first->head();
        EXPECT_TRUE(head);
        const auto second = test.client->send(get(test.origin.url()));
        auto none = co_await second->head();
        EXPECT_EQ(none.error().code, Errc::exhausted);
        EXPECT_TRUE(none.error().retry_after);
        EXPECT_EQ(second->proxy_error(), "connection_limit_reached");
        Request part = get(test.origin.url());
        part.kind = Lanes::Kind::further_part;
        const auto third = test.client->send(std::move(part));
        auto refused = co_await third->head();
        EXPECT_EQ(refused.error().code, Errc::unavailable);
        EXPECT_FALSE(refused.error().retry_after);
    }(*this));
}

TEST_F(ClientTest, AnAnswerMayBeDroppedAtAnyPoint) {
    for (int i = 0; i < 3; ++i) origin.says(ok(std::string(4U << 20U, 'x')));
    run([](ClientTest& test) -> Task<void> {
        test.client->send(get(test.origin.url())).reset();
        auto unread = test.client->send(get(test.origin.url()));
        auto head = co_await unread->head();
        EXPECT_TRUE(head);
        unread.reset();
        auto begun = test.client->send(get(test.origin.url()));
        auto bytes = co_await begun->read();
        EXPECT_TRUE(bytes);
        begun.reset();
    }(*this));
}

}  // namespace
}  // namespace hawker::origin
