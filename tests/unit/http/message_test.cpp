// Fields, response heads, hop-by-hop fields (C1 to C3).
#include "daemon/http/message.h"

#include "tests/unit/http/fields.h"

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

std::string names(const Fields& fields) {
    std::string result;
    for (const Field& field : fields) result += field.name + " ";
    return result;
}

TEST(Fields, NamesKeepTheirCaseAndLookupsIgnoreIt) {
    const auto some = fields({{"Accept", "a"}, {"X-Id", "1"}, {"accept", "b"}});
    EXPECT_EQ(some.get("ACCEPT"), "a");
    EXPECT_EQ(some.get("Missing"), std::nullopt);
    EXPECT_EQ(some.joined("accept"), "a, b");
    EXPECT_EQ(some.joined("missing"), "");
    EXPECT_EQ(some.all("accept").size(), 2U);
    EXPECT_EQ(names(some), "Accept X-Id accept ");
}

TEST(Fields, SetReplacesEveryFieldOfTheName) {
    auto some = fields({{"A", "1"}, {"B", "2"}, {"a", "3"}});
    some.set("a", "9");
    EXPECT_EQ(names(some), "a B ");
    some.set("C", *some.get("b"));
    EXPECT_EQ(some.get("C"), "2");
    some.set("b", *some.get("B"));  // a view into the field that is replaced
    EXPECT_EQ(some.get("B"), "2");
    some.remove("A");
    EXPECT_EQ(names(some), "b C ");
}

TEST(Fields, NothingIsLeftInTheRoomOfThoseThatWereCleared) {
    auto some = fields({{"A", "a secret"}, {"B", "2"}, {"C", "3"}});
    some.clear();
    EXPECT_EQ(some.size(), 0U);
    EXPECT_EQ(some.get("A"), std::nullopt);
    some.add("D", "4");
    some.set("E", "5");
    EXPECT_EQ(names(some), "D E ");
    some.remove("D");
    some.add("F", "6");
    some.add("G", "7");
    some.add("H", "8");
    EXPECT_EQ(names(some), "E F G H ");
    EXPECT_EQ(some.get("F"), "6");
    const Fields copy = some;
    some.clear();
    EXPECT_EQ(names(copy), "E F G H ");
    some = copy;
    EXPECT_EQ(names(some), "E F G H ");
}

TEST(HopByHop, FieldsOfTheConnectionGo) {
    auto some = fields({{"Connection", "X-Mine, close"},
                        {"connection", "\tx-other"},
                        {"X-Mine", "1"},
                        {"X-Other", "2"},
                        {"Proxy-Connection", "keep-alive"},
                        {"Keep-Alive", "timeout=5"},
                        {"TE", "trailers"},
                        {"Trailer", "X"},
                        {"Transfer-Encoding", "chunked"},
                        {"Upgrade", "h2c"},
                        {"HTTP2-Settings", "AA"},
                        {"Proxy-Authorization", "Basic eA=="},
                        {"Proxy-Authenticate", "Basic"},
                        {"Accept", "*/*"}});
    remove_hop_by_hop(some);
    EXPECT_EQ(names(some), "Accept ");
}

TEST(HopByHop, EndToEndFieldsCannotBeNominatedAway) {
    const auto all = fields({{"Host", "h"},
                             {"Content-Length", "1"},
                             {"Authorization", "x"},
                             {"Range", "bytes=0-"},
                             {"If-None-Match", "*"},
                             {"Cache-Control", "no-store"},
                             {"Via", "1.1 a"},
                             {"Content-Range", "bytes */1"}});
    auto some = all;
    some.add("Connection",
             "host, content-length, AUTHORIZATION, range, if-none-match, cache-control, via, "
             "content-range");
    remove_hop_by_hop(some);
    EXPECT_EQ(names(some), names(all));
}

TEST(ResponseHead, IsSerializedInOrder) {
    ResponseHead head;
    head.status = 206;
    head.reason = "Partial Content";
    head.fields = fields({{"ETag", "\"a\""}, {"X", ""}});
    EXPECT_EQ(serialize(head), "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nX: \r\n\r\n");
}

TEST(ResponseHead, NothingInAFieldCanBeginANewOne) {
    ResponseHead head;
    head.status = 200;
    head.reason = "OK\r\nEvil: 1";
    head.fields =
        fields({{"A", "1\r\nEvil: 1"}, {"B\r\nEvil", "1"}, {"", "1"}, {"C:", "1"}, {"D", "ok"}});
    EXPECT_EQ(serialize(head), "HTTP/1.1 200 \r\nD: ok\r\n\r\n");
}

TEST(ResponseHead, StandardPhrasesAreKnown) {
    EXPECT_EQ(reason_phrase(404), "Not Found");
    EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
    EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(Lists, MembersAreComparedWithoutCase) {
    EXPECT_TRUE(list_has("a, Close ,b", "close"));
    EXPECT_TRUE(list_has(",,close", "close"));
    EXPECT_FALSE(list_has("closed", "close"));
    EXPECT_FALSE(list_has("\"a,close\"", "close"));
    EXPECT_FALSE(list_has("", "close"));
}

}  // namespace
}  // namespace hawker::http
