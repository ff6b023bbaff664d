// The fields that say how long a response may be kept: each line of the input is one field.
//
// Properties: no lifetime and no age is below zero; no-store is never stored, whatever else is
// said; one field more permits nothing more; what says how long is never withheld.
#include "daemon/http/caching.h"
#include "require.h"

#include <algorithm>
#include <array>

namespace {

using namespace hawker;
using namespace hawker::http;
using hawker::fuzz::require;

constexpr std::array kNames = {"Cache-Control", "CDN-Cache-Control", "Expires",   "Date",
                               "Age",           "Last-Modified",     "Vary",      "Pragma",
                               "ETag",          "Content-Encoding",  "Set-Cookie"};

// What one more field may not do.
bool is_at_least_as_strict(const CacheControl& now, const CacheControl& before) {
    const auto lasts_no_longer = [](const auto& one, const auto& other) {
        return !other || (one && *one <= *other);
    };
    return now.no_store >= before.no_store && now.no_cache >= before.no_cache &&
           now.is_private >= before.is_private && now.must_revalidate >= before.must_revalidate &&
           now.proxy_revalidate >= before.proxy_revalidate &&
           lasts_no_longer(now.max_age, before.max_age) &&
           lasts_no_longer(now.s_maxage, before.s_maxage);
}

void check_times(const Fields& fields) {
    const WallTime now = WallTime(std::chrono::seconds(1'800'000'000));
    for (const auto age : {std::chrono::seconds(0), std::chrono::seconds(1'000'000)}) {
        require(freshness_lifetime(fields, now).count() >= 0, "a lifetime is not below zero");
        require(current_age(fields, now, now + age).count() >= 0, "an age is not below zero");
        require(current_age(fields, now + age, now).count() >= 0,
                "an age is not below zero when the clock goes back");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    Fields fields;
    while (!input.empty() && fields.size() < 64) {
        const std::string_view line = fuzz::take_line(input);
        if (line.empty()) continue;
        const auto which = static_cast<unsigned char>(line.front()) % kNames.size();
        fields.add(kNames[which], line.substr(1));
    }
    check_times(fields);
    Fields so_far;
    CacheControl before;
    for (const std::string_view value : fields.all("Cache-Control")) {
        so_far.add("Cache-Control", value);
        const CacheControl now = CacheControl::of(so_far);
        require(is_at_least_as_strict(now, before), "one field more permits nothing more");
        before = now;
    }
    for (const std::string& name : withheld_fields(fields))
        for (const std::string_view kept : {"cache-control", "expires", "date"})
            require(!std::ranges::equal(name, kept,
                                        [](char a, char b) { return (a | 0x20) == (b | 0x20); }),
                    "what says how long is never withheld");
    const Fields request;
    static_cast<void>(storable(request, 200, fields));
    Fields forbidden = fields;
    forbidden.remove("CDN-Cache-Control");
    forbidden.add("Cache-Control", "no-store");
    require(CacheControl::of(forbidden).no_store, "no-store counts whatever else is said");
    require(!storable(request, 200, forbidden), "no-store is not stored");
    return 0;
}
