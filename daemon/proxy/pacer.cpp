#include "daemon/proxy/pacer.h"

#include <algorithm>

namespace hawker::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kNotWorthATimer = 2ms;
constexpr auto kLook = 250ms;  // so long at most until a closed connection is noticed

}  // namespace

std::uint64_t Pacer::quantum() const {
    std::uint64_t least = UINT64_MAX;
    for (const auto& bucket : buckets_) least = std::min(least, bucket->quantum());
    return least;
}

Task<void> Pacer::before(std::uint64_t bytes) {
    const SteadyTime now = clock_.now();
    std::chrono::nanoseconds longest{0};
    for (const auto& bucket : buckets_) longest = std::max(longest, bucket->reserve(bytes, now));
    const SteadyTime until = now + longest;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.now());
        if (left < kNotWorthATimer || client_.is_closed()) co_return;
        co_await sleep_on(loop_, std::min<std::chrono::milliseconds>(left, kLook));
    }
}

}  // namespace hawker::proxy
