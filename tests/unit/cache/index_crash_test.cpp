// kill -9 in the middle of batches: what was said to be committed is there, and no row names bytes
// that are not.
#include "cache/data_files.h"
#include "cache/index.h"
#include "tests/unit/cache/scratch.h"

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

namespace hawker::cache {
namespace {

using namespace test;

constexpr std::size_t kPieceBytes = 20'000;

std::string content_of(std::size_t task, std::uint32_t number) {
    std::string text(kPieceBytes, '\0');
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>(i * (task + 1) + number * 31 + i / 251);
    return text;
}

// Stores one task of three pieces after the other and tells `told` the number of each that is
// committed. Never returns.
[[noreturn]] void store_until_killed(const std::filesystem::path& directory, int told) {
    WallHand clock;
    const auto log = Log::silent();
    IndexOptions options;
    options.directory = directory;
    options.map_size = 256U << 20U;
    options.commit_interval = std::chrono::milliseconds(5);
    auto index = Index::open(Foundation::of_the_system(), options, clock, *log);
    auto files = DataFiles::open(std::make_shared<SystemDisk>(), directory);
    if (!index || !files) ::_exit(2);
    const std::uint64_t first = (*index)->objects() * 10;
    for (std::size_t task = first;; ++task) {
        const TaskId id = task_number(task);
        const std::uint64_t generation = (*index)->next_generation();
        auto file = (*files)->create(id, generation);
        if (!file->make()) ::_exit(3);
        ObjectRecord record = object(id, generation);
        record.size = 3 * kPieceBytes;
        record.piece_size = kPieceBytes;
        record.label = std::to_string(task);
        (*index)->put_object(record);
        for (std::uint32_t number = 0; number < 3; ++number) {
            const std::string text = content_of(task, number);
            if (!file->write(number * kPieceBytes, bytes_of(text))) ::_exit(4);
            PieceRecord record_of_piece = piece(number, (*index)->boot());
            record_of_piece.length = kPieceBytes;
            record_of_piece.checksum = XXH3_64bits(text.data(), text.size());
            (*index)->put_piece(id, generation, record_of_piece, file);
        }
        record.complete = true;
        (*index)->put_object(record);
        if (task % 7 == 6) (*index)->remove(task_number(task - 3), generation - 3, nullptr);
        if (task % 5 == 0)
            (*index)->flush(
                [told, task] { static_cast<void>(::write(told, &task, sizeof(task))); });
    }
}

// Lets a child store until it has told of `tasks` commits, and kills it. Returns the last task it
// told of.
std::size_t store_and_kill(const std::filesystem::path& directory, std::size_t commits) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) store_until_killed(directory, pipe[1]);
    ::close(pipe[1]);
    std::size_t last = 0;
    for (std::size_t i = 0; i < commits; ++i) {
        const ssize_t got = ::read(pipe[0], &last, sizeof(last));
        EXPECT_EQ(got, static_cast<ssize_t>(sizeof(last)));
        if (got <= 0) break;
    }
    ::kill(child, SIGKILL);
    // It may have told of more before it died.
    for (std::size_t more = 0;
         ::read(pipe[0], &more, sizeof(more)) == static_cast<ssize_t>(sizeof(more));)
        last = more;
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    ::close(pipe[0]);
    return last;
}

// No thread of ours may run when the test forks, so nothing stays open.
std::size_t stored_so_far(const std::filesystem::path& directory) {
    OpenIndex index(directory, 256U << 20U);
    const std::size_t objects = index->objects();
    index.stop();
    return objects;
}

TEST(IndexCrash, EverythingToldCommittedIsThereAndEveryNamedPieceAgrees) {
    ScratchDirectory directory;
    std::size_t pieces = 0;
    for (const std::size_t commits : {3U, 20U, 41U}) {
        const std::size_t first = stored_so_far(directory.path()) * 10;
        const std::size_t last = store_and_kill(directory.path(), commits);

        OpenIndex index(directory.path(), 256U << 20U);
        EXPECT_EQ(index->trusted_boot(), index->boot()) << "a kill is not a clean stop";
        for (std::size_t task = first; task <= last; ++task) {
            if (task % 7 == 3) continue;  // may be removed again
            EXPECT_TRUE(index->find(task_number(task))) << task << " of " << last;
        }
        const auto files = DataFiles::open(std::make_shared<SystemDisk>(), directory.path());
        ASSERT_TRUE(files);
        index->each(std::nullopt, [&](const ObjectRecord& record, const AccessRecord&) {
            const auto file = (*files)->open_existing(record.task, record.generation);
            if (!file) {
                ADD_FAILURE() << "the index names a file that is not there";
                return true;
            }
            const auto named = index->pieces(record.task, record.generation);
            EXPECT_TRUE(!record.complete || named.size() == 3);
            for (const PieceRecord& piece : named) {
                EXPECT_EQ((*file)->checksum(piece.number * kPieceBytes, piece.length),
                          piece.checksum);
                ++pieces;
            }
            return true;
        });
        index.stop();
    }
    EXPECT_GT(pieces, 100U);
}

}  // namespace
}  // namespace hawker::cache
