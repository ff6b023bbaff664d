#include "daemon/option_table.h"

#include "daemon/cache_options.h"
#include "daemon/limit_options.h"
#include "daemon/origin_options.h"
#include "daemon/service_options.h"

#include <algorithm>

namespace hawker::daemon {

namespace {

template <std::size_t... kSizes>
constexpr auto joined(const std::array<Option, kSizes>&... parts) {
    std::array<Option, (kSizes + ...)> all;
    auto place = all.begin();
    ((place = std::ranges::copy(parts, place).out), ...);
    return all;
}

// Sections stand together, in the order of the file that is generated.
constexpr auto kTable = joined(kServiceOptions, kCacheOptions, kOriginOptions, kLimitOptions);

}  // namespace

std::span<const Option> option_table() { return kTable; }

const Option* find_option(std::string_view key) {
    const auto* const found = std::ranges::find(kTable, key, &Option::key);
    return found == kTable.end() ? nullptr : &*found;
}

}  // namespace hawker::daemon
