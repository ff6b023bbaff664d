#include "base/nearest_word.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace hawker {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // One row of the table is enough: row[j] is the distance from the bytes of `a` seen so far to
    // the first j of `b`.
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
    // Half of the word wrong is no typing error any more.
    std::size_t best = std::max<std::size_t>(2, word.size() / 2) + 1;
    const std::string* nearest = nullptr;
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance >= best) continue;
        best = distance;
        nearest = &candidate;
    }
    return nearest ? fmt::format("; did you mean '{}'?", *nearest) : std::string();
}

}  // namespace hawker
