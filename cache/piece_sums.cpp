#include "cache/piece_sums.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {

namespace {

constexpr std::size_t kMostBegun = 64;

}  // namespace

std::vector<PieceSums::Begun>::iterator PieceSums::begin_or_find(std::uint64_t at, bool is_first) {
    if (!is_first) return std::ranges::find(begun_, at, &Begun::next);
    std::erase_if(begun_, [at](const Begun& before) { return before.first == at; });
    if (begun_.size() == kMostBegun) begun_.erase(begun_.begin());
    Begun begun{at, at, std::unique_ptr<XXH3_state_t, Freed>(XXH3_createState())};
    if (!begun.state) return begun_.end();
    XXH3_64bits_reset(begun.state.get());
    return begun_.insert(begun_.end(), std::move(begun));
}

void PieceSums::add(std::uint64_t at, std::span<const std::byte> bytes, std::uint64_t piece_size,
                    std::uint64_t size, std::vector<PieceSum>& whole) {
    while (!bytes.empty()) {
        const std::uint64_t first = at / piece_size * piece_size;
        const std::uint64_t end = size - first > piece_size ? first + piece_size : size;
        const auto part = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
        const auto begun = begin_or_find(at, at == first);
        at += part.size();
        bytes = bytes.subspan(part.size());
        if (begun == begun_.end()) continue;
        XXH3_64bits_update(begun->state.get(), part.data(), part.size());
        begun->next = at;
        if (at != end) continue;
        whole.emplace_back(ByteRange(first, end), XXH3_64bits_digest(begun->state.get()));
        begun_.erase(begun);
    }
}

}  // namespace hawker::cache
