// Request bodies: streamed, of known and unknown length, and origins that do not wait for their
// end.
#include "tests/unit/origin/scripted_origin.h"

namespace hawker::origin {
namespace {

constexpr std::chrono::milliseconds kTick{1};

class UploadTest : public WithOrigin {
public:
    static std::span<const std::byte> bytes_of(std::string_view text) {
        return std::as_bytes(std::span(text));
    }

    Request put(http::Framing framing, std::uint64_t length = 0) const {
        Request request = get(origin.url());
        request.method = "PUT";
        request.body = framing;
        request.content_length = length;
        return request;
    }

    // The origin says `refusal` and reads no more; the whole of it arrives, and the upload ends.
    Task<void> meets_refusal(std::string refusal, http::Framing framing,
                             After after = After::hang) {
        const std::size_t before = origin.requests.size();
        origin.says(refusal, after);
        const auto response = client->send(put(framing, 1ULL << 40U));
        while (origin.requests.size() == before) co_await sleep_on(*loop, kTick);
        auto head = co_await response->head();
        EXPECT_TRUE(head) << refusal;
        // Nobody writes meanwhile: libcurl has the upload paused, and must end all the same.
        const Outcome outcome = co_await read_all(*response);
        EXPECT_EQ(outcome.body, "no") << refusal;
        EXPECT_TRUE(outcome.whole) << refusal;
        auto error = co_await write_many(*response, std::string(1U << 20U, 'u'), 1000);
        EXPECT_TRUE(error) << refusal;
    }

    // Writes `part` over and over; what the first failing write said.
    static Task<std::optional<Error>> write_many(Response& response, std::string part, int times) {
        for (int i = 0; i < times; ++i) {
            auto written = co_await response.write(std::as_bytes(std::span(part)));
            if (!written) co_return written.error();
        }
        response.finish_body();
        co_return std::nullopt;
    }
};

TEST_F(UploadTest, ABodyOfKnownLengthIsStreamed) {
    constexpr std::size_t kPart = 100'000;
    origin.says(ok("thanks"), After::keep, 30 * kPart);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 30 * kPart));
        auto error = co_await write_many(*response, std::string(kPart, 'u'), 30);
        EXPECT_FALSE(error);
        auto head = co_await response->head();
        EXPECT_TRUE(head);
        const Outcome outcome = co_await read_all(*response);
        EXPECT_EQ(outcome.body, "thanks");
    }(*this));
    EXPECT_EQ(origin.body, std::string(30 * kPart, 'u'));
    EXPECT_NE(origin.requests.at(0).find("\r\nContent-Length: 3000000\r\n"), std::string::npos);
    EXPECT_EQ(origin.requests.at(0).find("Expect"), std::string::npos);
}

TEST_F(UploadTest, ABodyOfUnknownLengthIsChunked) {
    origin.says(ok("thanks"), After::keep, 16);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::chunked));
        auto error = co_await write_many(*response, "abcdef", 1);
        EXPECT_FALSE(error);
        auto head = co_await response->head();
        EXPECT_TRUE(head);
    }(*this));
    EXPECT_NE(origin.requests.at(0).find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(origin.body, "6\r\nabcdef\r\n0\r\n\r\n");
}

TEST_F(UploadTest, AnEmptyBodyHasItsLength) {
    origin.says(ok("thanks"));
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 0));
        response->finish_body();
        auto head = co_await response->head();
        EXPECT_TRUE(head);
    }(*this));
    EXPECT_NE(origin.requests.at(0).find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST_F(UploadTest, TheBodyMayComeLongAfterTheHead) {
    origin.says(ok("thanks"), After::keep, 3);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 3));
        while (test.origin.requests.empty()) co_await sleep_on(*test.loop, kTick);
        auto error = co_await write_many(*response, "abc", 1);
        EXPECT_FALSE(error);
        auto head = co_await response->head();
        EXPECT_TRUE(head);
    }(*this));
    EXPECT_EQ(origin.body, "abc");
}

// On a connection that stays and on one that goes; the upload counted or chunked.
TEST_F(UploadTest, AnEarlyRefusalIsReadWithoutSendingTheRest) {
    run([](UploadTest& test) -> Task<void> {
        for (const std::string_view version : {"1.0", "1.1"})
            for (const std::string_view connection : {"", "Connection: close\r\n"})
                for (const auto framing : {http::Framing::length, http::Framing::chunked}) {
                    const std::string start =
                        fmt::format("HTTP/{} 413 Too Large\r\n{}", version, connection);
                    co_await test.meets_refusal(start + "Content-Length: 2\r\n\r\nno", framing);
                    co_await test.meets_refusal(start + "\r\nno", framing, After::close);
                    if (version == "1.0") continue;
                    co_await test.meets_refusal(
                        start + "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", framing);
                }
    }(*this));
}

TEST_F(UploadTest, AnEarlyRefusalEndsAPendingWrite) {
    origin.says("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", After::hang, 1000);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::chunked));
        auto error = co_await write_many(*response, std::string(1U << 20U, 'u'), 1000);
        EXPECT_EQ(error->code, Errc::closed);
        auto head = co_await response->head();
        EXPECT_EQ(head->status, 401);
    }(*this));
}

TEST_F(UploadTest, AnEarlySuccessGoesOnTakingTheBody) {
    origin.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                After::keep, 10);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 2'000'000));
        const std::string part(1'000'000, 'u');
        auto first = co_await response->write(bytes_of(part));
        EXPECT_TRUE(first);
        auto head = co_await response->head();
        EXPECT_EQ(head->status, 200);
        auto second = co_await response->write(bytes_of(part));
        EXPECT_TRUE(second);
        response->finish_body();
    }(*this));
}

TEST_F(UploadTest, AnOriginThatTakesNothingTimesOut) {
    options.stall_timeout = kShort;
    use(options);
    run([](UploadTest& test) -> Task<void> {
        // Accepts, and never reads: the listener's queue is enough for that.
        const int quiet = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const UniqueFd owner(quiet);
        const auto any = *net::Address::parse("127.0.0.1:0");
        EXPECT_EQ(::bind(quiet, any.get(), any.length()), 0);
        EXPECT_EQ(::listen(quiet, 1), 0);
        sockaddr_storage bound{};
        socklen_t length = sizeof(bound);
        EXPECT_EQ(::getsockname(quiet, reinterpret_cast<sockaddr*>(&bound), &length), 0);
        const net::Address there(reinterpret_cast<const sockaddr*>(&bound), length);
        Request request = test.put(http::Framing::chunked);
        request.url = fmt::format("http://{}/", there.to_string());
        const auto response = test.client->send(std::move(request));
        auto error = co_await write_many(*response, std::string(1U << 20U, 'u'), 1000);
        EXPECT_EQ(error->code, Errc::timed_out);
        EXPECT_EQ(response->proxy_error(), "connection_write_timeout");
    }(*this));
}

TEST_F(UploadTest, ABodyShorterThanAnnouncedNeverLooksComplete) {
    origin.says(ok("thanks"), After::keep, 10);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 10));
        auto error = co_await write_many(*response, "abc", 1);
        EXPECT_FALSE(error);
        auto head = co_await response->head();
        EXPECT_EQ(head.error().code, Errc::invalid);
    }(*this));
}

TEST_F(UploadTest, ABodyLongerThanAnnouncedIsRefused) {
    origin.says(ok("thanks"), After::keep, 2);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::length, 2));
        auto error = co_await write_many(*response, "abc", 1);
        EXPECT_EQ(error->code, Errc::invalid);
        response->cancel();
    }(*this));
}

TEST_F(UploadTest, CancellingEndsAPendingWrite) {
    origin.says("", After::hang);
    run([](UploadTest& test) -> Task<void> {
        const auto response = test.client->send(test.put(http::Framing::chunked));
        const std::string much(1U << 20U, 'u');
        auto waiting = response->write(bytes_of(much));
        EXPECT_FALSE(waiting.done());
        response->cancel();
        auto written = co_await waiting;
        EXPECT_EQ(written.error().code, Errc::cancelled);
    }(*this));
}

}  // namespace
}  // namespace hawker::origin
