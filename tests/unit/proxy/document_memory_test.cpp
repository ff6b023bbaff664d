#include "daemon/proxy/documents.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

class DocumentMemoryTest : public testing::Test {
protected:
    static TaskId task(int number) {
        TaskId id;
        id.bytes[0] = static_cast<std::byte>(number);
        return id;
    }
    static DocumentPtr document(std::size_t bytes) {
        auto made = std::make_shared<Document>();
        made->body.assign(bytes, 'x');
        return made;
    }

    DocumentMemory memory{4096};
};

TEST_F(DocumentMemoryTest, WhatWasPutLastIsWhatIsFound) {
    EXPECT_EQ(memory.find(task(1)), nullptr);
    memory.put(task(1), document(10));
    const DocumentPtr second = document(20);
    memory.put(task(1), second);
    EXPECT_EQ(memory.find(task(1)), second);
}

TEST_F(DocumentMemoryTest, ThoseNotLookedAtForLongestLeaveFirst) {
    memory.put(task(1), document(1000));
    memory.put(task(2), document(1000));
    EXPECT_NE(memory.find(task(1)), nullptr);
    memory.put(task(3), document(1000));
    EXPECT_NE(memory.find(task(1)), nullptr);
    EXPECT_EQ(memory.find(task(2)), nullptr);
    EXPECT_NE(memory.find(task(3)), nullptr);
}

TEST_F(DocumentMemoryTest, PuttingTheSameAgainWeighsNothingMore) {
    for (int i = 0; i < 100; ++i) memory.put(task(1), document(1000));
    memory.put(task(2), document(1000));
    EXPECT_NE(memory.find(task(1)), nullptr);
}

TEST_F(DocumentMemoryTest, OneThatIsLargerThanAllIsKeptUntilTheNext) {
    memory.put(task(1), document(10'000));
    EXPECT_NE(memory.find(task(1)), nullptr);
    memory.put(task(2), document(10));
    EXPECT_EQ(memory.find(task(1)), nullptr);
    EXPECT_NE(memory.find(task(2)), nullptr);
}

}  // namespace
}  // namespace hawker::proxy
