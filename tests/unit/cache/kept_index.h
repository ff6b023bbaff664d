// The index where it can be lost: LMDB in a directory of its own, and a copy of what a crash would
// leave of it.
//
// A commit has its pages on disk, but not the page that makes it the last one: until the next
// commit or sync, a power cut may leave the one before (MDB_NOMETASYNC). A failed commit changes
// nothing.
#pragma once

#include "cache/foundation.h"
#include "tests/unit/cache/faults.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <lmdb.h>

namespace hawker::cache::testing {

inline std::string read_whole(const std::filesystem::path& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    std::string text(none ? 0 : size, '\0');
    std::ifstream(path, std::ios::binary)
        .read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
}

class KeptIndex final : public IndexCalls {
public:
    KeptIndex(Faults& faults, const std::filesystem::path& directory)
        : faults_(faults), directory_(directory / "index") {
        latest_ = before_ = read_whole(directory_ / "data.mdb");
    }

    int commit(MDB_txn* txn) override {
        const auto error = dead_ ? std::optional(EIO) : faults_.strike(Fault::commit);
        if (error) {
            mdb_txn_abort(txn);
            return *error;
        }
        before_ = latest_;
        const int problem = mdb_txn_commit(txn);
        latest_ = read_whole(directory_ / "data.mdb");
        return problem;
    }
    int sync(MDB_env*) override {
        const auto error = dead_ ? std::optional(EIO) : faults_.strike(Fault::sync_index);
        if (error) return *error;
        before_ = latest_;
        return 0;
    }

    void die() { dead_ = true; }
    const std::string& latest() const { return latest_; }
    const std::string& before() const { return before_; }

    // Makes `directory` hold such an index, and nothing else of it.
    static void restore(const std::filesystem::path& directory, const std::string& data) {
        std::error_code ignored;
        std::filesystem::remove_all(directory / "index", ignored);
        if (data.empty()) return;
        std::filesystem::create_directories(directory / "index");
        std::ofstream file(directory / "index" / "data.mdb", std::ios::binary);
        file.write(data.data(), static_cast<std::streamsize>(data.size()));
    }

private:
    Faults& faults_;
    std::filesystem::path directory_;
    std::string latest_, before_;
    bool dead_ = false;
};

// Writes the index when it is told to, or when somebody waits.
class HandScribe final : public Scribe {
public:
    explicit HandScribe(const Clock& clock) : clock_(clock) {}
    Time now() const override { return clock_.now(); }
    void begin(Turn turn) override { turn_ = std::move(turn); }
    void wake(Hurry hurry) override {
        if (hurry == Hurry::somebody_waits) write();
    }
    void end() override { turn_ = nullptr; }
    void write() {
        if (turn_) turn_();
    }

private:
    const Clock& clock_;
    Turn turn_;
};

}  // namespace hawker::cache::testing
