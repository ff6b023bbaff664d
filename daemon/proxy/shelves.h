// What is kept under `policy: http`, by primary key: which responses there are, so that a request
// can select one of them. In memory and bounded; the index has all of it, and what was forgotten
// here, or is of an earlier life, is read from there again.
//
// Thread: any.
#pragma once

#include "base/questions.h"
#include "daemon/proxy/stored_variant.h"

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace hawker::proxy {

// What came of asking an origin on behalf of all who wait: is there something now that others may
// use?
struct Landed {
    bool is_shared = false;
};

class Shelves {
public:
    static constexpr std::size_t kMostVariants = 32;  // of one primary key
    static constexpr std::size_t kMostBytes = 64UL << 20U;

    explicit Shelves(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}
    Shelves(const Shelves&) = delete;
    Shelves& operator=(const Shelves&) = delete;

    struct View {
        std::vector<VariantPtr> variants;  // the latest first
        bool is_loaded = false;            // false: the index may have more
        std::uint64_t epoch = 0;           // another one after every invalidation
        bool collapses = true;             // false: waiting for others has been of no use lately
    };
    View look(const TaskId& primary, SteadyTime now);

    // What the index has, beside what came meanwhile.
    void loaded(const TaskId& primary, std::vector<VariantPtr> variants);
    // Another response, before those that it replaces: they stay until it is whole, and should it
    // never be, stand where they stood. The tasks that are for the caller to remove then: theirs,
    // and those of the oldest where there are too many, which have left. nullopt, and nothing is
    // kept, when the key was invalidated since `epoch`.
    std::optional<std::vector<TaskId>> put(const TaskId& primary, VariantPtr variant,
                                           std::uint64_t epoch);
    // The same response, with what a newer answer has said; no effect when it is not there any
    // more.
    void replace(const TaskId& primary, const VariantPtr& variant);
    void drop(const TaskId& primary, const TaskId& variant);
    // The same for what the origin has taken back, and for those behind it that it replaced and
    // that are still there: they must not come to light. The tasks that are for the caller to
    // remove.
    std::vector<TaskId> withdraw(const TaskId& primary, const TaskId& variant);
    // All of them; their tasks.
    std::vector<TaskId> invalidate(const TaskId& primary);
    // Those who ask for it at the same time do not wait for each other for a while.
    void do_not_collapse(const TaskId& primary, SteadyTime until);

    // The requests that are under way to origins, of all loops.
    Questions<Landed>& requests() { return requests_; }
    std::size_t bytes() const;

private:
    struct Shelf {
        TaskId primary;
        std::vector<VariantPtr> variants;
        bool is_loaded = false;
        std::uint64_t epoch = 0;
        SteadyTime alone_until{};
        std::size_t weight = 0;
    };
    Shelf& shelf_of(const TaskId& primary);
    void weigh(Shelf& shelf);

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::list<Shelf> shelves_;  // the latest first
    std::unordered_map<TaskId, std::list<Shelf>::iterator> places_;
    std::size_t bytes_ = 0;
    std::uint64_t epochs_ = 0;
    Questions<Landed> requests_{65'536};
};

}  // namespace hawker::proxy
