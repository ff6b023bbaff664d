// What a hit sends without parsing anything says what the careful road says.
#include "daemon/proxy/prepared_head.h"

#include "daemon/http/message.h"
#include "daemon/proxy/stored_response.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using std::chrono::seconds;

class PreparedHeadTest : public testing::Test {
protected:
    PreparedHeadTest() {
        stored.head.status = 200;
        stored.head.fields.add("ETag", "\"v1\"");
        stored.head.fields.add("Content-Type", "application/zip");
        stored.head.fields.add("Age", "7");
        stored.received = WallTime(seconds(1'000'000));
        representation.size = 1000;
        representation.head = origin::encode_head(stored.head, stored.received);
    }
    static std::string head_of(const PlainAnswer& answer, const PreparedHead& head,
                               std::uint64_t size) {
        std::string text;
        append_head(text, answer, head, size);
        return text;
    }
    static std::vector<std::string> sorted_lines(std::string_view text) {
        std::vector<std::string> lines;
        while (!text.empty()) {
            const auto end = text.find("\r\n");
            lines.emplace_back(text.substr(0, end));
            text.remove_prefix(end + 2);
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }
    // Of the careful road, with what is added to it for each answer; the framing is the writer's.
    std::vector<std::string> careful(const http::RequestHead& request, seconds later) const {
        const StoredAnswer answer =
            answer_from(request, {}, representation, stored, stored.received + later);
        http::Fields fields = answer.head.fields;
        fields.remove("Content-Length");
        std::string text = http::serialize_lines(fields);
        text += "HTTP/1.1 " + std::to_string(answer.head.status) +
                (answer.head.status == 206 ? " Partial Content\r\n" : " OK\r\n");
        text += "Cache-Status: hawker; hit\r\nVia: 1.1 node\r\n";
        return sorted_lines(text);
    }
    PlainAnswer plain(seconds later) const {
        PlainAnswer answer;
        answer.range = ByteRange(0, 1000);
        answer.age = seconds(7) + later;
        answer.cache_status = "hawker; hit";
        answer.pseudonym = "node";
        return answer;
    }

    origin::StoredHead stored;
    cache::Representation representation;
};

TEST_F(PreparedHeadTest, AWholeAnswerSaysWhatTheCarefulRoadSays) {
    http::RequestHead request;
    request.method = "GET";
    const auto head = prepared_head(representation);
    ASSERT_TRUE(head);
    EXPECT_EQ(sorted_lines(head_of(plain(seconds(60)), **head, 1000)),
              careful(request, seconds(60)));
}

TEST_F(PreparedHeadTest, APartSaysWhatTheCarefulRoadSays) {
    http::RequestHead request;
    request.method = "GET";
    request.fields.add("Range", "bytes=10-19");
    const auto head = prepared_head(representation);
    ASSERT_TRUE(head);
    PlainAnswer part = plain(seconds(0));
    part.range = ByteRange(10, 20);
    part.is_part = true;
    EXPECT_EQ(sorted_lines(head_of(part, **head, 1000)), careful(request, seconds(0)));
}

TEST_F(PreparedHeadTest, IsMadeOnceAndADamagedHeadIsSaidToBeOne) {
    EXPECT_EQ(*prepared_head(representation), *prepared_head(representation));
    representation = cache::Representation();
    representation.head = "garbage";
    const auto damaged = prepared_head(representation);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace hawker::proxy
