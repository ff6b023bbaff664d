// When things do not fit: the index drops additions, and goes on.
#include "cache/data_files.h"
#include "cache/index.h"
#include "tests/unit/cache/scratch.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

TEST(IndexFull, AFullMapDropsAdditionsAndStillRemoves) {
    ScratchDirectory directory;
    OpenIndex index(directory.path(), 1U << 20U);
    const auto body = body_of(std::string(8'000, 'x'));
    for (std::size_t i = 0; i < 500; ++i) {
        index->put_inline(object(task_number(i), 1), body);
        index.commit();
    }
    const std::uint64_t kept = index->objects();
    EXPECT_GT(kept, 10U);
    EXPECT_LT(kept, 200U);
    EXPECT_EQ(index->dropped(), 500 - kept);

    index.stop();
    index.open();  // a full index can be opened and closed
    EXPECT_EQ(index->objects(), kept);

    std::size_t removed = 0;
    for (std::size_t i = 0; i < 500; ++i)
        index->remove(task_number(i), 1, [&removed] { ++removed; });
    index.commit();
    EXPECT_EQ(removed, 500U);
    EXPECT_EQ(index->objects(), 0U);

    for (std::size_t i = 0; i < 10; ++i) index->put_inline(object(task_number(i), 2), body);
    index.commit();
    EXPECT_EQ(index->objects(), 10U) << "the room is used again";
    index.stop();
    index.open();
    EXPECT_EQ(index->objects(), 10U);
}

TEST(IndexFull, WhatFoundNoRoomIsTold) {
    ScratchDirectory directory;
    OpenIndex index(directory.path(), 1U << 20U);
    std::set<TaskId> lost;
    index.options.on_lost = [&](const TaskId& task, std::uint64_t /*generation*/, Loss loss) {
        EXPECT_EQ(loss, Loss::no_room);
        lost.insert(task);
    };
    index.stop();
    index.open();
    for (std::size_t i = 0; i < 100; ++i) {
        index->put_inline(object(task_number(i), 1), body_of(std::string(16'000, 'x')));
        index.commit();
    }
    EXPECT_GT(lost.size(), 0U);
    EXPECT_EQ(index->objects() + lost.size(), 100U);
    std::size_t files = 0;
    while (index->find(task_number(100 + files)) || files == 0) {
        ++files;
        index->put_object(object(task_number(100 + files), 1));
        index.commit();
    }
    EXPECT_TRUE(lost.contains(task_number(100 + files))) << "nobody would find its data file";
}

TEST(IndexFull, ABatchLargerThanTheMapIsDroppedInPart) {
    ScratchDirectory directory;
    OpenIndex index(directory.path(), 1U << 20U);
    index->put_object(object(task_number(1'000), 1));
    for (std::size_t i = 0; i < 100; ++i)
        index->put_inline(object(task_number(i), 1), body_of(std::string(64'000, 'x')));
    std::atomic<bool> removed = false;
    index->remove(task_number(1'000), 1, [&removed] { removed = true; });
    index.commit();
    EXPECT_TRUE(removed);
    EXPECT_FALSE(index->find(task_number(1'000)));
    EXPECT_LT(index->objects(), 100U);
}

TEST(IndexFull, APieceWhoseFileCannotBeSyncedIsNotRecordedAndItsObjectIsNotComplete) {
    ScratchDirectory directory;
    OpenIndex index(directory.path());
    const TaskId a = task_named("a");
    std::vector<Loss> told;
    index.options.on_lost = [&](const TaskId& task, std::uint64_t generation, Loss loss) {
        EXPECT_EQ(task, a);
        EXPECT_EQ(generation, 1U);
        told.push_back(loss);
    };
    index.stop();
    index.open();
    SystemDisk disk;
    auto file = std::make_shared<DataFile>(disk, UniqueFd());  // EBADF stands for a broken disk
    ObjectRecord record = object(a, 1);
    record.complete = true;
    record.digest = digest_named("content");
    record.digest_verified = true;
    index->put_object(object(a, 1));
    index->put_piece(a, 1, piece(0), nullptr);
    index->put_piece(a, 1, piece(1), file);
    index.commit();
    index->put_object(record);
    index.commit();
    EXPECT_EQ(index->pieces(a, 1).size(), 1U);
    ASSERT_TRUE(index->find(a));
    EXPECT_FALSE(index->find(a)->complete);
    EXPECT_FALSE(index->find(a)->digest_verified) << "what fills the gap is not verified";
    EXPECT_FALSE(index->by_digest(digest_named("content")));
    index.stop();
    EXPECT_EQ(told, std::vector{Loss::bytes}) << "once";
}

}  // namespace
}  // namespace hawker::cache
