// Origins that fall short, stall, lie, or may not be dialled at all.
#include "tests/unit/origin/one_request.h"

namespace hawker::origin {
namespace {

using ClientFaultsTest = OneRequest;

TEST_F(ClientFaultsTest, ABodyThatEndsEarlyIsClosed) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", After::close);
    fetch();
    EXPECT_EQ(outcome.body, "12345");
    EXPECT_FALSE(outcome.whole);
    EXPECT_EQ(outcome.error, Errc::closed);
    EXPECT_EQ(proxy_error, "http_response_incomplete");
}

TEST_F(ClientFaultsTest, AChunkedBodyWithoutItsLastChunkIsClosed) {
    origin.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", After::close);
    fetch();
    EXPECT_EQ(outcome.error, Errc::closed);
    EXPECT_FALSE(outcome.whole);
}

TEST_F(ClientFaultsTest, AResetInTheBodyIsClosed) {
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", After::reset);
    fetch();
    EXPECT_FALSE(outcome.whole);
    EXPECT_EQ(head_error ? head_error->code : outcome.error, Errc::closed);
}

TEST_F(ClientFaultsTest, AConnectionThatEndsBeforeTheHeadIsClosed) {
    origin.says("", After::close);
    fetch();
    EXPECT_EQ(head_error->code, Errc::closed);
    EXPECT_EQ(proxy_error, "connection_terminated");
}

TEST_F(ClientFaultsTest, LengthAndTransferCodingTogetherAreInvalid) {
    origin.says(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    fetch();
    EXPECT_EQ(head_error->code, Errc::invalid);
    EXPECT_EQ(proxy_error, "http_protocol_error");
}

TEST_F(ClientFaultsTest, AHeadThatNeverEndsIsInvalid) {
    std::string head_bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 300; ++i) head_bytes += fmt::format("X-{}: 1\r\n", i);
    origin.says(head_bytes + "\r\n");
    fetch();
    EXPECT_EQ(head_error->code, Errc::invalid);
}

TEST_F(ClientFaultsTest, WhatIsNotHttpIsInvalid) {
    origin.says("SSH-2.0-OpenSSH\r\n\r\n", After::close);
    fetch();
    EXPECT_EQ(head_error->code, Errc::invalid);
}

TEST_F(ClientFaultsTest, AnOriginWithoutAnAnswerTimesOut) {
    options.first_byte_timeout = kShort;
    use(options);
    origin.says("", After::hang);
    fetch();
    EXPECT_EQ(head_error->code, Errc::timed_out);
    EXPECT_EQ(proxy_error, "http_response_timeout");
}

TEST_F(ClientFaultsTest, ABodyThatStallsWhileWeReadTimesOut) {
    options.stall_timeout = kShort;
    use(options);
    origin.says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", After::hang);
    fetch();
    EXPECT_EQ(outcome.body, "12345");
    EXPECT_EQ(outcome.error, Errc::timed_out);
    EXPECT_EQ(proxy_error, "connection_read_timeout");
}

TEST_F(ClientFaultsTest, ARefusedConnectionIsUnavailable) {
    std::string nobody;
    {
        auto there = net::Listener::open(*loop, *net::Address::parse("127.0.0.1:0"));
        nobody = fmt::format("http://{}/", (*there)->address().to_string());
    }
    fetch(get(nobody));
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_EQ(proxy_error, "connection_refused");
}

TEST_F(ClientFaultsTest, AForbiddenAddressIsNeverDialled) {
    options.destinations = std::make_shared<const net::DestinationPolicy>();
    use(options);
    fetch();
    EXPECT_EQ(head_error->code, Errc::denied);
    EXPECT_EQ(proxy_error, "destination_ip_prohibited");
    EXPECT_EQ(origin.connections, 0U);
}

TEST_F(ClientFaultsTest, WithoutAPolicyOnlyThePublicInternetIsDialled) {
    options.destinations = nullptr;
    use(options);
    fetch();
    EXPECT_EQ(head_error->code, Errc::denied);
}

}  // namespace
}  // namespace hawker::origin
