// The origin as a Source: what is asked of it, what is made of its answers, and what is left for
// the exchange to relay.
#include "tests/unit/origin/source_fixture.h"

namespace hawker::origin {
namespace {

TEST_F(OriginSourceTest, ARangeIsAskedForWithTheClientsFieldsAndNoCoding) {
    options_.fields.add("User-Agent", "git-lfs/3");
    options_.fields.add("Accept-Encoding", "gzip");
    options_.fields.add("If-None-Match", "\"x\"");
    options_.fields.add("Range", "bytes=5-");
    origin.says(partial("bytes 2-4/10", "cde"));
    fetch(RangeSpec(2, 4));
    EXPECT_TRUE(sent(0, "Range: bytes=2-4"));
    EXPECT_TRUE(sent(0, "User-Agent: git-lfs/3"));
    EXPECT_TRUE(sent(0, "Accept-Encoding: identity"));
    EXPECT_FALSE(origin.requests.at(0).contains("If-None-Match"));
    EXPECT_EQ(arrival->offset, 2U);
    EXPECT_EQ(body, "cde");
}

TEST_F(OriginSourceTest, TheWholeIsAskedForWithoutARange) {
    origin.says(ok("all of it"));
    fetch();
    EXPECT_FALSE(origin.requests.at(0).contains("Range:"));
    EXPECT_EQ(body, "all of it");
}

TEST_F(OriginSourceTest, AnOriginWithoutRangesSendsTheWhole) {
    origin.says(ok("0123456789"));
    fetch(RangeSpec(5, 6));
    EXPECT_EQ(arrival->offset, 0U);
    EXPECT_FALSE(arrival->ranged);
    EXPECT_EQ(body, "0123456789");
}

TEST_F(OriginSourceTest, AWrongRangeIsInvalidAndNothingOfItCounts) {
    origin.says(partial("bytes 0-2/10", "abc"));
    fetch(RangeSpec(2, 4));
    EXPECT_EQ(head_error->code, Errc::invalid);
    EXPECT_FALSE(source().take_declined());
}

TEST_F(OriginSourceTest, AnEmptyPartIsInvalid) {
    origin.says(partial("bytes 2-4/10", ""));
    fetch(RangeSpec(2, 4));
    EXPECT_EQ(head_error->code, Errc::invalid);
}

TEST_F(OriginSourceTest, FewerBytesThanAnnouncedAreClosed) {
    origin.says(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    fetch(RangeSpec(0, 4));
    EXPECT_EQ(body, "abc");
    EXPECT_EQ(body_error, Errc::closed);
}

TEST_F(OriginSourceTest, MoreBytesThanAnnouncedAreNeverDelivered) {
    origin.says(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\n"
        "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n");
    fetch(RangeSpec(0, 4));
    EXPECT_EQ(body_error, Errc::invalid);
    EXPECT_LE(body.size(), 5U);
}

TEST_F(OriginSourceTest, ATransferThatIsResetIsClosed) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", After::close);
    fetch();
    EXPECT_EQ(body_error, Errc::closed);
}

TEST_F(OriginSourceTest, AnEmptyObjectIsAskedForAgainWithoutARange) {
    origin.says(
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */0\r\nContent-Length: "
        "0\r\n\r\n");
    origin.says(ok("", "ETag: \"e\"\r\n"));
    fetch(RangeSpec(0, 99));
    EXPECT_EQ(arrival->size, 0U);
    EXPECT_EQ(arrival->validator, "etag:\"e\"");
    EXPECT_FALSE(body_error);
}

TEST_F(OriginSourceTest, ARangeBeyondTheEndMeansThatTheObjectChanged) {
    origin.says("HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n");
    fetch(RangeSpec(10, 99));
    EXPECT_EQ(head_error->code, Errc::changed);
    EXPECT_EQ(origin.requests.size(), 1U);
}

TEST_F(OriginSourceTest, AnObjectThatBecameEmptyChanged) {
    origin.says("HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\nContent-Length: 0\r\n\r\n");
    fetch(RangeSpec(10, 99));
    EXPECT_EQ(head_error->code, Errc::changed);
    EXPECT_EQ(origin.requests.size(), 1U);
}

TEST_F(OriginSourceTest, ADeclinedAnswerIsLeftForTheExchangeWholeAndAlive) {
    origin.says("HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nexpired");
    run([](OriginSourceTest& test) -> Task<void> {
        co_await test.fetch_one(RangeSpec(0, 9));
        EXPECT_EQ(test.head_error->code, Errc::refused);
        const auto declined = test.source().take_declined();
        EXPECT_TRUE(declined);
        EXPECT_EQ(declined->head.status, 403);
        const Outcome outcome = co_await read_all(*declined->response);
        EXPECT_EQ(outcome.body, "expired");
        EXPECT_FALSE(test.source().take_declined());
    }(*this));
}

TEST_F(OriginSourceTest, OnlyTheExchangesOwnLoopIsLeftAnAnswer) {
    origin.says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    run([](OriginSourceTest& test) -> Task<void> {
        // The same thread under another name: a fetch on another loop.
        class Elsewhere final : public Executor {
        public:
            explicit Elsewhere(Executor& loop) : loop_(loop) {}
            void post(Job job) override { loop_.post(std::move(job)); }
            void post_after(std::chrono::milliseconds delay, Job job) override {
                loop_.post_after(delay, std::move(job));
            }

        private:
            Executor& loop_;
        } elsewhere(*test.loop);
        const auto transfer = test.source().open(RangeSpec::whole(), elsewhere);
        auto head = co_await transfer->head();
        EXPECT_EQ(head.error().code, Errc::not_found);
    }(*this));
    EXPECT_FALSE(source().take_declined());
}

TEST_F(OriginSourceTest, AfterLettingGoNothingIsLeft) {
    origin.says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    source().let_go();
    fetch();
    EXPECT_EQ(head_error->code, Errc::not_found);
    EXPECT_FALSE(source().take_declined());
}

TEST_F(OriginSourceTest, ARefusedConnectionIsNoAnswer) {
    options_.url = "http://127.0.0.1:1/";
    fetch();
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_FALSE(source().take_declined());
}

TEST_F(OriginSourceTest, ARedirectIsTheClientsUnlessTheRuleFollows) {
    origin.says(redirect("/elsewhere"));
    fetch();
    EXPECT_EQ(head_error->code, Errc::unsupported);
    EXPECT_EQ(source().take_declined()->head.status, 302);
}

TEST_F(OriginSourceTest, ARedirectWithinTheOriginKeepsTheCredentials) {
    options_.follow_redirects = true;
    options_.may_store_credentialed = true;
    options_.fields.add("Authorization", "Bearer t");
    origin.says(redirect("../moved?x=1"));
    origin.says(partial("bytes 0-0/3", "a"));
    fetch(RangeSpec(0, 0));
    EXPECT_TRUE(origin.requests.at(1).starts_with("GET /moved?x=1 HTTP/1.1\r\n"));
    EXPECT_TRUE(sent(1, "Authorization: Bearer t"));
    EXPECT_TRUE(sent(1, "Range: bytes=0-0"));
    EXPECT_EQ(body, "a");
}

TEST_F(OriginSourceTest, ARedirectToAnotherOriginDropsEveryCredential) {
    options_.follow_redirects = true;
    options_.may_store_credentialed = true;
    for (const auto* name :
         {"Authorization", "Cookie", "Proxy-Authorization", "Private-Token", "X-Api-Key"})
        options_.fields.add(name, "secret");
    options_.fields.add("User-Agent", "curl");
    run([](OriginSourceTest& test) -> Task<void> {
        ScriptedOrigin other(*test.loop);
        test.origin.says(redirect(other.url("/there?sig=1")));
        other.says(partial("bytes 0-2/3", "abc"));
        co_await test.fetch_one(RangeSpec(0, 2));
        EXPECT_TRUE(test.origin.requests.at(0).contains("secret"));
        EXPECT_FALSE(other.requests.at(0).contains("secret"));
        EXPECT_TRUE(other.requests.at(0).contains("\r\nUser-Agent: curl\r\n"));
        EXPECT_TRUE(other.requests.at(0).contains("\r\nRange: bytes=0-2\r\n"));
        EXPECT_TRUE(other.requests.at(0).contains("\r\nHost: " + other.authority() + "\r\n"));
        EXPECT_EQ(test.body, "abc");
        co_await other.close();
    }(*this));
}

TEST_F(OriginSourceTest, ARedirectToAForbiddenAddressIsDenied) {
    options_.follow_redirects = true;
    origin.says(redirect("http://169.254.169.254/latest/meta-data/"));
    fetch();
    EXPECT_EQ(head_error->code, Errc::denied);
}

TEST_F(OriginSourceTest, RedirectsHaveAnEnd) {
    options_.follow_redirects = true;
    for (int i = 0; i < 10; ++i) origin.says(redirect("/round"));
    fetch();
    EXPECT_EQ(head_error->code, Errc::unsupported);
    EXPECT_EQ(origin.requests.size(), 6U);
}

TEST_F(OriginSourceTest, ARedirectMayVouchForTheDigestOfWhatItLeadsTo) {
    options_.follow_redirects = true;
    const std::string hex(64, 'a');
    origin.says(redirect("/there", fmt::format("X-Linked-Etag: \"{}\"\r\n", hex)));
    origin.says(ok("abc"));
    fetch();
    ASSERT_TRUE(arrival->digest);
    EXPECT_EQ(arrival->digest->hex(), hex);
}

TEST_F(OriginSourceTest, AProbeAsksForOneByteAndKeepsTheConnection) {
    origin.says(partial("bytes 0-0/10", "a"));
    origin.says(ok("whole"));
    run([](OriginSourceTest& test) -> Task<void> {
        auto now = co_await test.source().probe();
        EXPECT_EQ(now->size, 10U);
        co_await test.fetch_one(RangeSpec::whole());
    }(*this));
    EXPECT_TRUE(sent(0, "Range: bytes=0-0"));
    EXPECT_EQ(body, "whole");
    EXPECT_EQ(origin.connections, 1U);
}

TEST_F(OriginSourceTest, AProbeThatIsRefusedLeavesTheRefusal) {
    origin.says(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno");
    run([](OriginSourceTest& test) -> Task<void> {
        auto now = co_await test.source().probe();
        EXPECT_EQ(now.error().code, Errc::refused);
        EXPECT_EQ(test.source().take_declined()->head.status, 401);
    }(*this));
}

TEST_F(OriginSourceTest, CancellingEndsAPendingHead) {
    origin.says("", After::hang);
    run([](OriginSourceTest& test) -> Task<void> {
        const auto transfer = test.source().open(RangeSpec::whole(), *test.loop);
        auto waiting = transfer->head();
        transfer->cancel();
        auto head = co_await waiting;
        EXPECT_EQ(head.error().code, Errc::cancelled);
        auto bytes = co_await transfer->read();
        EXPECT_EQ(bytes.error().code, Errc::cancelled);
    }(*this));
}

TEST_F(OriginSourceTest, StoppingEndsWhatRunsAndWhatComesLater) {
    origin.says("", After::hang);
    run([](OriginSourceTest& test) -> Task<void> {
        const auto transfer = test.source().open(RangeSpec::whole(), *test.loop);
        auto waiting = transfer->head();
        test.source().stop();
        auto head = co_await waiting;
        EXPECT_EQ(head.error().code, Errc::cancelled);
        const auto later = test.source().open(RangeSpec::whole(), *test.loop);
        auto none = co_await later->head();
        EXPECT_EQ(none.error().code, Errc::cancelled);
    }(*this));
}

TEST_F(OriginSourceTest, CancellingBeforeTheHeadAsksNothing) {
    run([](OriginSourceTest& test) -> Task<void> {
        const auto transfer = test.source().open(RangeSpec::whole(), *test.loop);
        transfer->cancel();
        auto head = co_await transfer->head();
        EXPECT_EQ(head.error().code, Errc::cancelled);
    }(*this));
    EXPECT_EQ(origin.connections, 0U);
}

TEST_F(OriginSourceTest, APartIsAlwaysAskedForAsItIs) {
    options_.part = ByteRange(2, 5);
    origin.says(partial("bytes 2-4/10", "cde"));
    origin.says(partial("bytes 2-4/10", "cde"));
    run([](OriginSourceTest& test) -> Task<void> {
        co_await test.fetch_one(RangeSpec::whole());
        co_await test.fetch_one(RangeSpec(1, 1));  // as a fetch goes on where it broke
    }(*this));
    EXPECT_EQ(body, "cdecde");
    for (const std::size_t request : {0U, 1U}) EXPECT_TRUE(sent(request, "Range: bytes=2-4"));
    EXPECT_EQ(arrival->offset, 0U);
}

TEST_F(OriginSourceTest, TheWholeInsteadOfAPartIsForTheClientToSee) {
    options_.part = ByteRange(2, 5);
    origin.says(ok("0123456789"));
    fetch();
    EXPECT_EQ(head_error->code, Errc::unsupported);
    EXPECT_EQ(source().take_declined()->head.status, 200);
}

}  // namespace
}  // namespace hawker::origin
