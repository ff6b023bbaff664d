#include "daemon/proxy/access_memory.h"

#include "base/keyed_hash.h"

#include <list>
#include <mutex>
#include <unordered_map>

namespace hawker::proxy {

namespace {

// More clients than this do not ask at once; the rest ask for themselves.
constexpr std::size_t kMostQuestions = 4096;

class KeyedAccessMemory final : public AccessMemory {
public:
    KeyedAccessMemory(std::size_t most_entries, const Clock& clock)
        : most_entries_(most_entries), clock_(clock) {}

    bool is_allowed(const std::string& principal, const TaskId& task) const override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        const auto found = entries_.find(key);
        return found != entries_.end() && clock_.wall() < found->second->until;
    }

    void allow(const std::string& principal, const TaskId& task, WallTime until) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        if (const auto found = entries_.find(key); found != entries_.end()) {
            found->second->until = until;
            order_.splice(order_.end(), order_, found->second);
            return;
        }
        order_.push_back(Yes(key, task, until));
        entries_.emplace(key, std::prev(order_.end()));
        while (order_.size() > most_entries_) forget_first();
    }

    void forget(const std::string& principal, const TaskId& task) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end()) return;
        order_.erase(found->second);
        entries_.erase(found);
    }

    void forget(const TaskId& task) override {
        const std::scoped_lock lock(mutex_);
        for (auto yes = order_.begin(); yes != order_.end();) {
            const auto here = yes++;
            if (here->task != task) continue;
            entries_.erase(here->key);
            order_.erase(here);
        }
    }

    Digest key_of(const std::string& principal, const TaskId& task) const override {
        const std::string_view id(reinterpret_cast<const char*>(task.bytes.data()),
                                  task.bytes.size());
        return names_.of({id, principal});
    }

    AccessQuestions& questions() override { return questions_; }

private:
    struct Yes {
        Yes(const Digest& its_key, const TaskId& its_task, WallTime its_end)
            : key(its_key), task(its_task), until(its_end) {}
        Digest key;
        TaskId task;
        WallTime until;
    };

    void forget_first() {
        entries_.erase(order_.front().key);
        order_.pop_front();
    }

    const std::size_t most_entries_;
    const Clock& clock_;
    const KeyedHash names_;
    mutable std::mutex mutex_;
    std::list<Yes> order_;  // oldest first
    std::unordered_map<Digest, std::list<Yes>::iterator> entries_;
    AccessQuestions questions_{kMostQuestions};
};

}  // namespace

std::unique_ptr<AccessMemory> AccessMemory::create(std::size_t most_entries, const Clock& clock) {
    return std::make_unique<KeyedAccessMemory>(most_entries, clock);
}

}  // namespace hawker::proxy
