// What a mirror asks of a source: servers that stand in for each other, redirects whose words join
// the last head, and parts that begin where the first one was led.
#include "tests/unit/origin/source_fixture.h"

namespace hawker::origin {
namespace {

class MirrorSourceTest : public OriginSourceTest {};

TEST_F(MirrorSourceTest, WhatRedirectsSaidJoinsTheLastHead) {
    options_.follow_redirects = true;
    options_.join = [](std::span<const http::ResponseHead> hops, http::ResponseHead& last) {
        last.fields.set("ETag", hops.front().fields.get("X-Named").value_or(""));
        return true;
    };
    origin.says(redirect("/there", "X-Named: \"name\"\r\n"));
    origin.says(ok("abc"));
    fetch();
    ASSERT_TRUE(arrival) << head_error->what;
    EXPECT_EQ(arrival->validator, "etag:\"name\"");
}

TEST_F(MirrorSourceTest, AnAnswerThatJoinsNothingIsNotTheThing) {
    options_.follow_redirects = true;
    options_.join = [](std::span<const http::ResponseHead>, http::ResponseHead&) { return false; };
    origin.says(ok("<html>"));
    fetch();
    EXPECT_EQ(head_error->code, Errc::unsupported);
}

// The way of a source that joins: the first transfer is led to another server, later ones begin
// there.
class LandingTest : public MirrorSourceTest {
public:
    LandingTest() {
        options_.follow_redirects = true;
        options_.join = [](std::span<const http::ResponseHead>, http::ResponseHead&) {
            return true;
        };
    }
};

TEST_F(LandingTest, LaterPartsBeginWhereTheFirstWasLed) {
    run([](LandingTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.origin.says(redirect(other.url("/there?sig=1")));
        other.says(partial("bytes 0-0/3", "a"));
        other.says(partial("bytes 1-2/3", "bc"));
        co_await test.fetch_one(RangeSpec(0, 0));
        co_await test.fetch_one(RangeSpec(1, 2));
        EXPECT_EQ(test.body, "abc");
        EXPECT_EQ(test.origin.requests.size(), 1U);
        co_await other.close();
    }(*this));
}

TEST_F(LandingTest, AProbeAsksTheFirstServerWhateverIsRemembered) {
    run([](LandingTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.origin.says(redirect(other.url("/there?sig=1")));
        other.says(partial("bytes 0-0/3", "a"));
        test.origin.says("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        co_await test.fetch_one(RangeSpec(0, 0));
        auto now = co_await test.source().probe();
        EXPECT_EQ(now.error().code, Errc::refused);
        co_await other.close();
    }(*this));
}

TEST_F(LandingTest, WhereASignatureHasEndedTheWayIsAskedForAgain) {
    run([](LandingTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.origin.says(redirect(other.url("/there?sig=1")));
        other.says(partial("bytes 0-0/3", "a"));
        other.says("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        test.origin.says(redirect(other.url("/there?sig=2")));
        other.says(partial("bytes 1-2/3", "bc"));
        co_await test.fetch_one(RangeSpec(0, 0));
        co_await test.fetch_one(RangeSpec(1, 2));
        EXPECT_EQ(test.body, "abc");
        EXPECT_TRUE(other.requests.at(2).starts_with("GET /there?sig=2 "));
        co_await other.close();
    }(*this));
}

TEST_F(MirrorSourceTest, WhatOneServerFailsToSayTheNextIsAskedFor) {
    run([](MirrorSourceTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.options_.upstreams = std::make_shared<Upstreams>(2);
        test.options_.alternatives = {test.origin.url(), other.url("/same")};
        test.origin.says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        other.says(ok("abc"));
        other.says(ok("def"));
        co_await test.fetch_one(RangeSpec::whole());
        co_await test.fetch_one(RangeSpec::whole());
        EXPECT_EQ(test.body, "abcdef");
        EXPECT_EQ(test.origin.requests.size(), 1U) << "it rests";
        EXPECT_FALSE(test.source().take_declined()) << "the first one's answer is nobody's";
        co_await other.close();
    }(*this));
}

TEST_F(MirrorSourceTest, AServerThatSaysNothingIsLeftForTheNextBeforeTheOriginsTimeIsUp) {
    run([](MirrorSourceTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.options_.upstreams = std::make_shared<Upstreams>(2, kShort);
        test.options_.alternatives = {test.origin.url(), other.url("/same")};
        test.origin.says("", After::hang);
        other.says(ok("abc"));
        const SteadyTime before = std::chrono::steady_clock::now();
        co_await test.fetch_one(RangeSpec::whole());
        EXPECT_EQ(test.body, "abc");
        EXPECT_EQ(test.options_.upstreams->order(before).front(), 1U) << "the first one rests";
        co_await other.close();
    }(*this));
}

TEST_F(MirrorSourceTest, AProbeForWhatMayBeGivenUnaskedEndsSoonWhereItIsTheOnlyServer) {
    run([](MirrorSourceTest& test) -> Task<void> {
        // Time enough for the question to arrive.
        test.options_.upstreams = std::make_shared<Upstreams>(1, std::chrono::milliseconds(500));
        test.options_.alternatives = {test.origin.url()};
        test.origin.says("", After::hang);
        auto now = co_await test.source().probe(Otherwise::something);
        EXPECT_EQ(now.error().code, Errc::timed_out);
        now = co_await test.source().probe(Otherwise::something);
        EXPECT_EQ(now.error().code, Errc::unavailable);
        EXPECT_EQ(test.origin.requests.size(), 1U) << "it rests";
    }(*this));
}

TEST_F(LandingTest, WhereAWayHasEndedOnePartAsksForItAndTheOthersGoAlong) {
    run([](LandingTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.origin.says(redirect(other.url("/there?sig=1")));
        other.says(partial("bytes 0-0/3", "a"));
        co_await test.fetch_one(RangeSpec(0, 0));
        for (int part = 0; part < 2; ++part)
            other.says("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        test.origin.says(redirect(other.url("/there?sig=2")));
        for (int part = 0; part < 2; ++part) other.says(partial("bytes 1-1/3", "b"));
        auto one = test.fetch_one(RangeSpec(1, 1));
        auto another = test.fetch_one(RangeSpec(1, 1));
        co_await one;
        co_await another;
        EXPECT_EQ(test.body, "abb");
        EXPECT_EQ(test.origin.requests.size(), 2U);
        co_await other.close();
    }(*this));
}

TEST_F(LandingTest, WhereAServerLedToWhatBreaksOffTheNextIsAskedTheWay) {
    run([](LandingTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.options_.upstreams = std::make_shared<Upstreams>(2);
        test.options_.alternatives = {test.origin.url(), other.url("/same")};
        test.origin.says(redirect(test.origin.url("/there?sig=1")));
        test.origin.says(partial("bytes 0-0/3", "a"));
        test.origin.says(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-2/3\r\n"
            "Content-Length: 2\r\n\r\n",
            After::close);
        other.says(partial("bytes 1-2/3", "bc"));
        co_await test.fetch_one(RangeSpec(0, 0));
        co_await test.fetch_one(RangeSpec(1, 2));
        EXPECT_EQ(test.body, "a");
        co_await test.fetch_one(RangeSpec(1, 2));
        EXPECT_EQ(test.body, "abc");
        EXPECT_EQ(test.origin.requests.size(), 3U);
        co_await other.close();
    }(*this));
}

TEST_F(MirrorSourceTest, CredentialsGoAlongWhereOneServerLeadsToAnotherAndNoFurther) {
    run([](MirrorSourceTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        ScriptedOrigin stranger(*test.loop);
        test.options_.upstreams = std::make_shared<Upstreams>(2);
        test.options_.alternatives = {test.origin.url(), other.url("/same")};
        test.options_.follow_redirects = true;
        test.options_.may_store_credentialed = true;
        test.options_.fields.add("Authorization", "Bearer reader");
        test.origin.says(redirect(other.url("/same")));
        other.says(redirect(stranger.url("/there")));
        stranger.says(ok("abc"));
        co_await test.fetch_one(RangeSpec::whole());
        EXPECT_EQ(test.body, "abc");
        EXPECT_TRUE(other.requests.at(0).contains("Authorization: Bearer reader"));
        EXPECT_FALSE(stranger.requests.at(0).contains("reader"));
        co_await other.close();
        co_await stranger.close();
    }(*this));
}

TEST_F(MirrorSourceTest, ANoOfTheFirstServerIsTheAnswer) {
    run([](MirrorSourceTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.options_.upstreams = std::make_shared<Upstreams>(2);
        test.options_.alternatives = {test.origin.url(), other.url("/same")};
        test.origin.says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        co_await test.fetch_one(RangeSpec::whole());
        EXPECT_EQ(test.head_error->code, Errc::not_found);
        EXPECT_TRUE(other.requests.empty());
        co_await other.close();
    }(*this));
}

TEST_F(MirrorSourceTest, WhoAsksNobodyFailsAtOnce) {
    options_.asks_nobody = true;
    fetch();
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_TRUE(origin.requests.empty());
}

}  // namespace
}  // namespace hawker::origin
