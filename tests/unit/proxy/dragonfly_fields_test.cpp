#include "daemon/proxy/dragonfly_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Expected<DragonflyFields> read(std::initializer_list<std::pair<const char*, const char*>> list) {
    static http::Fields fields;  // what is read borrows from it
    fields = {};
    for (const auto& [name, value] : list) fields.add(name, value);
    return read_dragonfly_fields(fields);
}
std::string refusal(const char* name, const char* value) {
    const auto asked = read({{name, value}});
    return asked ? "" : asked.error().what;
}

TEST(DragonflyFields, AreReadWhateverTheirCase) {
    const auto asked = read({{"x-dragonfly-tag", "nightly"},
                             {"X-DRAGONFLY-APPLICATION", "ci"},
                             {"X-Dragonfly-Use-P2P", "True"},
                             {"X-Dragonfly-Prefetch", "false"},
                             {"X-Dragonfly-Priority", "3"}});
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->tag, "nightly");
    EXPECT_EQ(asked->application, "ci");
    EXPECT_TRUE(asked->use_p2p);
    EXPECT_EQ(asked->prefetch, false);
    EXPECT_EQ(asked->priority, 3U);
    EXPECT_EQ(asked->variant, "");
}

TEST(DragonflyFields, OneListOfNamesMakesOneVariantInAnyOrder) {
    const auto one = read({{"X-Dragonfly-Filtered-Query-Params", "b, a,,a"}});
    const auto other = read({{"X-Dragonfly-Filter", "a&b"}});
    ASSERT_TRUE(one && other);
    EXPECT_THAT(one->strip, ElementsAre("a", "b"));
    EXPECT_EQ(one->variant, other->variant);
    EXPECT_NE(one->variant, "");
}

TEST(DragonflyFields, PiecesAreAsLongAsDragonflySpellsThem) {
    const auto length = [](const char* text) {
        const auto asked = read({{"X-Dragonfly-Piece-Length", text}});
        return asked ? asked->piece_size : std::nullopt;
    };
    EXPECT_EQ(length("4mib"), 4U << 20U);
    EXPECT_EQ(length("8mb"), 8'000'000U);
    EXPECT_EQ(length("1gib"), 64U << 20U) << "the most there is";
}

TEST(DragonflyFields, ThatNobodyCouldMeanAreRefusedByName) {
    EXPECT_THAT(refusal("X-Dragonfly-Priority", "7"), HasSubstr("X-Dragonfly-Priority"));
    EXPECT_THAT(refusal("X-Dragonfly-Piece-Length", "1MiB"), HasSubstr("at least 4MiB"));
    EXPECT_THAT(refusal("X-Dragonfly-Filtered-Query-Params", "a*b"), HasSubstr("'*'"));
    std::string many;
    for (int i = 0; i < 65; ++i) many += "n" + std::to_string(i) + ",";
    EXPECT_THAT(refusal("X-Dragonfly-Filtered-Query-Params", many.c_str()), HasSubstr("64"));
}

TEST(DragonflyFields, ThatWouldWriteFilesHereDoNothing) {
    const auto asked =
        read({{"X-Dragonfly-Output-Path", "/etc/passwd"}, {"X-Dragonfly-Force-Hard-Link", "true"}});
    ASSERT_TRUE(asked);
    EXPECT_TRUE(asked->any);
    EXPECT_EQ(asked->variant, "");
}

TEST(DragonflyFields, SayWhoIsToBlame) {
    EXPECT_EQ(blame_for(407, ""), "proxy");
    EXPECT_EQ(blame_for(504, "http_request_denied"), "proxy");
    EXPECT_EQ(blame_for(502, "connection_refused"), "backend");
    EXPECT_EQ(blame_for(507, "proxy_internal_error"), "dfdaemon");
}

}  // namespace
}  // namespace hawker::proxy
