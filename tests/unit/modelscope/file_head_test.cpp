#include "daemon/modelscope/file_head.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace hawker::modelscope {
namespace {

class FileHead : public testing::Test {
protected:
    FileHead() {
        entry_.sha256 = *Digest::from_hex(std::string(64, 'a'));
        entry_.size = 7;
        head_.status = 200;
        hop_[0].status = 302;
    }
    void says(std::string_view name, std::string_view value) { head_.fields.add(name, value); }
    bool joins() { return join_file_head(entry_, {}, head_); }
    bool joins_from_store() { return join_file_head(entry_, hop_, head_); }

    Entry entry_;
    http::ResponseHead head_;
    std::array<http::ResponseHead, 1> hop_;
};

TEST_F(FileHead, TheTagIsTheListingsWhoeverSentTheBytes) {
    says("Content-Length", "7");
    says("ETag", "\"of-the-store\"");
    says("Set-Cookie", "acw_tc=1");
    ASSERT_TRUE(joins_from_store());
    EXPECT_EQ(head_.fields.get("ETag"), "\"" + std::string(64, 'a') + "\"");
    EXPECT_EQ(head_.fields.get("X-Linked-Etag"), head_.fields.get("ETag"));
    EXPECT_FALSE(head_.fields.has("Set-Cookie"));
}

TEST_F(FileHead, AnotherSizeIsAnotherThing) {
    says("Content-Length", "8");
    EXPECT_FALSE(joins_from_store());
}

TEST_F(FileHead, APartTellsTheSizeOfTheWhole) {
    head_.status = 206;
    says("Content-Length", "1");
    says("Content-Range", "bytes 0-0/7");
    EXPECT_EQ(size_told(head_), 7U);
    EXPECT_TRUE(joins_from_store());
    head_.fields.set("Content-Range", "bytes 0-0/8");
    EXPECT_FALSE(joins_from_store());
}

TEST_F(FileHead, JsonIsTheApisOwnWordUnlessItIsAnAttachment) {
    says("Content-Type", "application/json; charset=utf-8");
    EXPECT_FALSE(joins());
    says("Content-Length", "7");
    EXPECT_FALSE(joins());  // an error of the same length would be let in else
    says("Content-Disposition", "attachment; filename=\"config.json\"");
    EXPECT_TRUE(joins());
}

TEST_F(FileHead, OtherTypesAreFilesAndNeedNoLength) {
    says("Content-Type", "application/octet-stream");
    EXPECT_EQ(size_told(head_), std::nullopt);
    EXPECT_TRUE(joins());
}

TEST_F(FileHead, TheStoreMayCallAFileJson) {
    says("Content-Type", "application/json");
    EXPECT_FALSE(joins_from_store());  // a page behind a redirect says no size of ours
    says("Content-Length", "7");
    EXPECT_TRUE(joins_from_store());
}

}  // namespace
}  // namespace hawker::modelscope
