// The sources that the readers of one task have brought, and which of them still open it.
//
// Credentials expire and signatures run out in the middle of a fetch; then the freshest of the
// others is tried.
// Thread: none of its own; the live object's lock guards it.
#pragma once

#include "cache/source.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace hawker::cache {

class SourceBook {
public:
    using Shared = std::shared_ptr<const Source>;

    // Brought by a reader that has joined. A source that is known keeps its mark.
    void add(const Shared& source) {
        if (find(source) != entries_.end()) return;
        if (entries_.size() == kMost) entries_.erase(entries_.begin());
        entries_.emplace_back(source, false);
    }
    // The one to use from now on, whatever it said before: its reader begins a fetch with it.
    void begin_with(const Shared& source) {
        add(source);
        find(source)->refused = false;
        current_ = source;
    }
    void refuse(const Shared& source) {
        if (const auto it = find(source); it != entries_.end()) it->refused = true;
        if (current_ == source) current_ = nullptr;
    }
    // The one in use, else the newest that was not refused; null when there is none.
    Shared pick() {
        if (current_) return current_;
        const auto newest = std::find_if(entries_.rbegin(), entries_.rend(),
                                         [](const Entry& entry) { return !entry.refused; });
        if (newest != entries_.rend()) current_ = newest->source;
        return current_;
    }
    // Nothing is fetched any more: credentials are not kept longer than they are needed.
    void clear() {
        entries_.clear();
        current_ = nullptr;
    }

private:
    static constexpr std::size_t kMost = 64;
    struct Entry {
        Entry(Shared brought, bool was_refused)
            : source(std::move(brought)), refused(was_refused) {}
        Shared source;
        bool refused;
    };
    std::vector<Entry>::iterator find(const Shared& source) {
        return std::find_if(entries_.begin(), entries_.end(),
                            [&source](const Entry& entry) { return entry.source == source; });
    }

    std::vector<Entry> entries_;  // oldest first
    Shared current_;
};

}  // namespace hawker::cache
