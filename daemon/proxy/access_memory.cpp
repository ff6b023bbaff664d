#include "daemon/proxy/access_memory.h"

#include "base/keyed_hash.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace hawker::proxy {

namespace {

// More clients than this do not ask at once; the rest ask for themselves.
constexpr std::size_t kMostQuestions = 4096;
// The journal is written anew when it has so many for each yes that there may be.
constexpr std::size_t kRecordsPerYes = 4;

class KeyedAccessMemory final : public AccessMemory {
public:
    KeyedAccessMemory(std::size_t most_entries, const Clock& clock,
                      std::unique_ptr<AccessJournal> journal)
        : most_entries_(most_entries),
          clock_(clock),
          names_(journal ? journal->names() : KeyedHash()),
          journal_(std::move(journal)) {}

    void recall(WallTime latest) {
        const std::scoped_lock lock(mutex_);
        for (const Record& each : journal_->recall()) {
            if (each.kind == Record::Kind::yes)
                put(each.key, each.task, std::min(each.until, latest));
            else if (each.kind == Record::Kind::no)
                erase(each.key);
            else
                erase_all_of(each.task);
        }
        begin_journal_anew();
    }

    bool is_allowed(const std::string& principal, const TaskId& task) const override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        const auto found = entries_.find(key);
        return found != entries_.end() && clock_.wall() < found->second->until;
    }

    void allow(const std::string& principal, const TaskId& task, WallTime until) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        put(key, task, until);
        note(Record(Record::Kind::yes, key, task, until));
    }

    void forget(const std::string& principal, const TaskId& task) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        if (erase(key)) note(Record(Record::Kind::no, key, task, {}));
    }

    void forget(const TaskId& task) override {
        const std::scoped_lock lock(mutex_);
        if (erase_all_of(task)) note(Record(Record::Kind::nobody, {}, task, {}));
    }

    Digest key_of(const std::string& principal, const TaskId& task) const override {
        const std::string_view id(reinterpret_cast<const char*>(task.bytes.data()),
                                  task.bytes.size());
        return names_.of({id, principal});
    }

    AccessQuestions& questions() override { return questions_; }

private:
    using Record = AccessJournal::Record;
    struct Yes {
        Yes(const Digest& its_key, const TaskId& its_task, WallTime its_end)
            : key(its_key), task(its_task), until(its_end) {}
        Digest key;
        TaskId task;
        WallTime until;
    };

    void put(const Digest& key, const TaskId& task, WallTime until) {
        if (const auto found = entries_.find(key); found != entries_.end()) {
            found->second->until = until;
            order_.splice(order_.end(), order_, found->second);
            return;
        }
        order_.push_back(Yes(key, task, until));
        entries_.emplace(key, std::prev(order_.end()));
        while (order_.size() > most_entries_) {
            entries_.erase(order_.front().key);
            order_.pop_front();
        }
    }

    bool erase(const Digest& key) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) return false;
        order_.erase(found->second);
        entries_.erase(found);
        return true;
    }

    bool erase_all_of(const TaskId& task) {
        const std::size_t before = order_.size();
        for (auto yes = order_.begin(); yes != order_.end();) {
            const auto here = yes++;
            if (here->task != task) continue;
            entries_.erase(here->key);
            order_.erase(here);
        }
        return order_.size() < before;
    }

    void note(const Record& record) {
        if (!journal_) return;
        journal_->note(record);
        if (journal_->length() > kRecordsPerYes * most_entries_) begin_journal_anew();
    }

    // Those that still hold.
    void begin_journal_anew() {
        std::vector<Record> records;
        records.reserve(order_.size());
        const WallTime now = clock_.wall();
        for (const Yes& each : order_)
            if (now < each.until)
                records.emplace_back(Record::Kind::yes, each.key, each.task, each.until);
        journal_->begin_anew(std::move(records));
    }

    const std::size_t most_entries_;
    const Clock& clock_;
    const KeyedHash names_;
    const std::unique_ptr<AccessJournal> journal_;  // null: none outlives the process
    mutable std::mutex mutex_;
    std::list<Yes> order_;  // oldest first
    std::unordered_map<Digest, std::list<Yes>::iterator> entries_;
    AccessQuestions questions_{kMostQuestions};
};

}  // namespace

std::unique_ptr<AccessMemory> AccessMemory::create(std::size_t most_entries, const Clock& clock) {
    return std::make_unique<KeyedAccessMemory>(most_entries, clock, nullptr);
}

std::unique_ptr<AccessMemory> AccessMemory::create(std::size_t most_entries, const Clock& clock,
                                                   std::unique_ptr<AccessJournal> journal,
                                                   std::chrono::milliseconds ttl) {
    auto memory = std::make_unique<KeyedAccessMemory>(most_entries, clock, std::move(journal));
    memory->recall(clock.wall() + ttl);
    return memory;
}

}  // namespace hawker::proxy
