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

// So many entries with a `key` and a `task`; the one put longest ago leaves first.
template <typename Entry>
class Entries {
public:
    explicit Entries(std::size_t most) : most_(most) {}

    const Entry* find(const Digest& key) const {
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &*found->second;
    }
    void put(const Entry& entry) {
        if (const auto found = places_.find(entry.key); found != places_.end()) {
            *found->second = entry;
            order_.splice(order_.end(), order_, found->second);
            return;
        }
        order_.push_back(entry);
        places_.emplace(entry.key, std::prev(order_.end()));
        while (order_.size() > most_) {
            places_.erase(order_.front().key);
            order_.pop_front();
        }
    }
    bool erase(const Digest& key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return false;
        order_.erase(found->second);
        places_.erase(found);
        return true;
    }
    bool erase_all_of(const TaskId& task) {
        const std::size_t before = order_.size();
        for (auto entry = order_.begin(); entry != order_.end();) {
            const auto here = entry++;
            if (here->task != task) continue;
            places_.erase(here->key);
            order_.erase(here);
        }
        return order_.size() < before;
    }
    const std::list<Entry>& in_order() const { return order_; }  // oldest first

private:
    const std::size_t most_;
    std::list<Entry> order_;
    std::unordered_map<Digest, typename std::list<Entry>::iterator> places_;
};

class KeyedAccessMemory final : public AccessMemory {
public:
    KeyedAccessMemory(std::size_t most_entries, const Clock& clock,
                      std::unique_ptr<AccessJournal> journal)
        : most_entries_(most_entries),
          clock_(clock),
          names_(journal ? journal->names() : KeyedHash()),
          journal_(std::move(journal)),
          yeses_(most_entries),
          standings_(most_entries) {}

    void recall(WallTime latest) {
        const std::scoped_lock lock(mutex_);
        for (const Record& each : journal_->recall()) {
            switch (each.kind) {
                case Record::Kind::yes:
                    yeses_.put(Yes(each.key, each.task, std::min(each.until, latest)));
                    break;
                case Record::Kind::no:
                    yeses_.erase(each.key);
                    break;
                case Record::Kind::nobody:
                    yeses_.erase_all_of(each.task);
                    break;
                case Record::Kind::open:
                case Record::Kind::refused:
                case Record::Kind::hidden:
                    standings_.put(Stood(each.key, each.task, each.kind, each.until));
                    break;
            }
        }
        begin_journal_anew();
    }

    bool is_allowed(const std::string& principal, const TaskId& task) const override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        const Yes* const found = yeses_.find(key);
        return found && clock_.wall() < found->until;
    }

    void allow(const std::string& principal, const TaskId& task, WallTime until) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        yeses_.put(Yes(key, task, until));
        note(Record(Record::Kind::yes, key, task, until));
    }

    void forget(const std::string& principal, const TaskId& task) override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        if (yeses_.erase(key)) note(Record(Record::Kind::no, key, task, {}));
    }

    void forget(const TaskId& task) override {
        const std::scoped_lock lock(mutex_);
        if (yeses_.erase_all_of(task)) note(Record(Record::Kind::nobody, {}, task, {}));
    }

    Standing standing(const std::string& principal, const TaskId& task) const override {
        const Digest key = key_of(principal, task);
        const std::scoped_lock lock(mutex_);
        const Stood* const found = standings_.find(key);
        return found ? Standing(word_of(found->kind), found->heard) : Standing();
    }

    void hear(const std::string& principal, const TaskId& task, Standing::Word word) override {
        const Stood now(key_of(principal, task), task, kind_of(word),
                        std::chrono::floor<std::chrono::seconds>(clock_.wall()));
        const std::scoped_lock lock(mutex_);
        const Stood* const before = standings_.find(now.key);
        // When it was heard matters of a yes alone: a no that is repeated costs no write.
        const bool is_news = !before || before->kind != now.kind ||
                             (word == Standing::Word::open && before->heard != now.heard);
        standings_.put(now);
        if (is_news) note(Record(now.kind, now.key, task, now.heard));
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
    struct Stood {
        Stood(const Digest& its_key, const TaskId& its_task, Record::Kind its_kind,
              WallTime its_time)
            : key(its_key), task(its_task), kind(its_kind), heard(its_time) {}
        Digest key;
        TaskId task;
        Record::Kind kind;
        WallTime heard;
    };

    static Standing::Word word_of(Record::Kind kind) {
        if (kind == Record::Kind::open) return Standing::Word::open;
        return kind == Record::Kind::hidden ? Standing::Word::hidden : Standing::Word::refused;
    }
    static Record::Kind kind_of(Standing::Word word) {
        if (word == Standing::Word::open) return Record::Kind::open;
        return word == Standing::Word::hidden ? Record::Kind::hidden : Record::Kind::refused;
    }

    void note(const Record& record) {
        if (!journal_) return;
        journal_->note(record);
        if (journal_->length() > kRecordsPerYes * most_entries_) begin_journal_anew();
    }

    // Those that still hold.
    void begin_journal_anew() {
        std::vector<Record> records;
        records.reserve(yeses_.in_order().size() + standings_.in_order().size());
        const WallTime now = clock_.wall();
        for (const Yes& each : yeses_.in_order())
            if (now < each.until)
                records.emplace_back(Record::Kind::yes, each.key, each.task, each.until);
        for (const Stood& each : standings_.in_order())
            records.emplace_back(each.kind, each.key, each.task, each.heard);
        journal_->begin_anew(std::move(records));
    }

    const std::size_t most_entries_;
    const Clock& clock_;
    const KeyedHash names_;
    const std::unique_ptr<AccessJournal> journal_;  // null: none outlives the process
    mutable std::mutex mutex_;
    Entries<Yes> yeses_;
    Entries<Stood> standings_;
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
