// One run of the daemon, as the index knows it: its number, which pieces it believes, and how it
// ended.
//
// A run is entered before it changes anything that outlives it: so its number is never given twice
// where it left a trace, and a run that ends without a word is known for it. What only reads need
// not wait for a disk that may be busy.
//
// Owner:  the index; the environment outlives it.
// Thread: numbers from any; begin() from any that may wait for the disk; end() when the writer has
//         stopped, whoever else begins.
#pragma once

#include "base/error.h"
#include "cache/index_tables.h"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace hawker::cache {

class IndexRun {
public:
    // Reads what earlier runs have left; writes nothing, but for the first time after an older
    // hawkerd.
    explicit IndexRun(Environment& environment);

    std::uint64_t number() const { return number_; }
    // The oldest run whose pieces are believed unread.
    std::uint64_t trusted() const { return trusted_; }
    std::uint64_t stored_bytes_at_start() const { return stored_bytes_; }
    // There was a run before, and it did not say that it ended.
    bool follows_a_crash() const { return number_ > 1 && !was_clean_; }

    // On disk when it has succeeded. Waits for the disk until it has, then no more.
    // Errors: of the disk; shutting_down once the run has ended.
    Expected<void> begin();
    // A clean stop, on disk. From its return on begin() leaves the environment alone, which may go.
    Expected<void> end();

private:
    Expected<void> write(bool clean);

    Environment& environment_;
    std::uint64_t number_ = 1, trusted_ = 1, stored_bytes_ = 0;
    bool was_clean_ = false;
    std::mutex mutex_;  // one begins, the others wait for it; so does the end
    bool ended_ = false;
    std::atomic<bool> begun_{false};
};

}  // namespace hawker::cache
