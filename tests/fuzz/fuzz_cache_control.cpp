// The fields that say how long a response may be kept: each line of the input is one field.
//
// Properties: no lifetime and no age is below zero; no-store is never stored, whatever else is
// said; one field more permits nothing more; what says how long is never withheld; what demands
// validation is not used stale; a response is selected by the request that it came to; an update
// leaves what belongs to the content alone.
#include "daemon/http/caching.h"
#include "daemon/http/reuse.h"
#include "daemon/http/selection.h"
#include "daemon/http/storing.h"
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

void check_reuse(const Fields& fields) {
    const WallTime now = WallTime(std::chrono::seconds(1'800'000'000));
    require(corrected_initial_age(fields, now, now).count() >= 0, "an age is not below zero");
    StoredTerms stored;
    stored.control = CacheControl::governing(fields);
    stored.lifetime = lifetime_of(200, fields, now);
    const CacheControl asked = CacheControl::of(fields);
    for (const auto age :
         {std::chrono::seconds(0), stored.lifetime, std::chrono::seconds(1 << 30)}) {
        const Use use = use_of(stored, asked, age);
        if (asked.no_cache || stored.control.no_cache)
            require(use == Use::validate, "no-cache is always validated");
        if (use == Use::fresh) require(age < stored.lifetime, "what is fresh is not older");
        if (!may_be_stale(stored))
            require(use == Use::fresh || use == Use::validate, "what forbids it is not used stale");
    }
    const Fields now_known = updated(fields, fields);
    require(now_known.joined("ETag") == fields.joined("ETag"), "an update keeps the entity tag");
    require(now_known.joined("Vary") == fields.joined("Vary"), "an update keeps what selects");
}

void check_selection(const Fields& fields) {
    const auto names = selecting_fields(fields);
    if (!names) return;
    require(names->size() <= 32, "few fields select");
    require(selection_of(fields, *names) == selection_of(fields, *names),
            "a request selects what it got");
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
    check_reuse(fields);
    check_selection(fields);
    Fields forbidden = fields;
    forbidden.remove("CDN-Cache-Control");
    forbidden.add("Cache-Control", "no-store");
    require(CacheControl::of(forbidden).no_store, "no-store counts whatever else is said");
    require(!may_store(request, 200, forbidden, StoringTerms()), "no-store is not stored");
    return 0;
}
