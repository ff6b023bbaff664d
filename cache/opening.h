// The first question to a source about a task of which nothing is stored: what is it, and may we
// keep it?
//
// One reader leads; whoever wants the same task meanwhile waits for the outcome. The leader's
// source may be refused where another's is not, so a refusal passes the lead on to the next one;
// what is true for everybody fails everybody.
#pragma once

#include "base/task.h"
#include "cache/backoff.h"
#include "cache/fetch.h"
#include "cache/stock.h"

#include <memory>
#include <optional>

namespace hawker::cache {

// Owner:  the coroutine of Cache::open that leads; `request`, `object` and `home` outlive it.
// Thread: `home`.
class Opening {
public:
    Opening(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
            const OpenRequest& request, Executor& home);

    // Asks until there is an answer that can be kept, then begins the fetch with it: `object` is
    // ready. An error is the source's, or Errc::exhausted; then somebody else may lead.
    Task<Expected<void>> lead();

private:
    Task<Expected<void>> ask();
    Task<Expected<void>> welcome();
    Expected<void> judge(const Arrival& arrival);
    bool install(std::uint64_t generation, std::shared_ptr<DataFile> file);

    std::shared_ptr<Stock> stock_;
    std::shared_ptr<LiveObject> object_;
    const OpenRequest& request_;
    Executor& home_;
    Backoff backoff_;
    RangeSpec range_;
    std::unique_ptr<Beginning> beginning_;
};

}  // namespace hawker::cache
