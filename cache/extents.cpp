#include "cache/extents.h"

#include <algorithm>
#include <iterator>

namespace hawker::cache {

void Extents::add(ByteRange range) {
    if (range.empty()) return;
    auto it = ends_.upper_bound(range.first);
    if (it != ends_.begin() && std::prev(it)->second >= range.first) --it;
    while (it != ends_.end() && it->first <= range.end) {
        range.first = std::min(range.first, it->first);
        range.end = std::max(range.end, it->second);
        total_ -= it->second - it->first;
        it = ends_.erase(it);
    }
    ends_.emplace(range.first, range.end);
    total_ += range.length();
}

void Extents::remove(ByteRange range) {
    if (range.empty()) return;
    auto it = ends_.upper_bound(range.first);
    if (it != ends_.begin() && std::prev(it)->second > range.first) --it;
    while (it != ends_.end() && it->first < range.end) {
        const ByteRange old(it->first, it->second);
        it = ends_.erase(it);
        total_ -= old.length();
        const ByteRange before(old.first, std::min(old.end, range.first));
        const ByteRange after(std::max(old.first, range.end), old.end);
        for (const ByteRange& rest : {before, after}) {
            if (rest.empty()) continue;
            ends_.emplace(rest.first, rest.end);
            total_ += rest.length();
        }
    }
}

void Extents::clear() {
    ends_.clear();
    total_ = 0;
}

std::uint64_t Extents::run_end(std::uint64_t offset) const {
    const auto after = ends_.upper_bound(offset);
    if (after == ends_.begin()) return offset;
    return std::max(offset, std::prev(after)->second);
}

ByteRange Extents::first_gap(ByteRange within) const {
    const std::uint64_t first = run_end(within.first);
    if (first >= within.end) return ByteRange(within.end, within.end);
    const auto next = ends_.upper_bound(first);
    const std::uint64_t end = next == ends_.end() ? within.end : std::min(next->first, within.end);
    return ByteRange(first, end);
}

std::vector<ByteRange> Extents::gaps(ByteRange within) const {
    std::vector<ByteRange> found;
    while (!within.empty()) {
        const ByteRange gap = first_gap(within);
        if (gap.empty()) break;
        found.push_back(gap);
        within.first = gap.end;
    }
    return found;
}

std::uint64_t Extents::count(ByteRange within) const {
    if (within.empty()) return 0;
    std::uint64_t missing = 0;
    for (const ByteRange& gap : gaps(within)) missing += gap.length();
    return within.length() - missing;
}

std::vector<ByteRange> Extents::stretches() const {
    std::vector<ByteRange> all;
    all.reserve(ends_.size());
    for (const auto& [first, end] : ends_) all.emplace_back(first, end);
    return all;
}

}  // namespace hawker::cache
