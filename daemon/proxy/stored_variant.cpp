#include "daemon/proxy/stored_variant.h"

#include "daemon/http/ranges.h"
#include "daemon/http/selection.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/forwarding.h"

#include <algorithm>
#include <charconv>
#include <random>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::size_t kShared = 20;  // bytes of the primary key's name

// Fields of our own: nothing of that name comes from an origin, remove_ours() has seen to it.
constexpr std::string_view kNames = "X-Hawker-Selected-By";
constexpr std::string_view kSelection = "X-Hawker-Selection";
constexpr std::string_view kArrived = "X-Hawker-Arrived";  // Unix milliseconds

Digest digest_of(const http::Fields& request, std::span<const std::string> names) {
    Digest digest;
    digest.bytes = sha256_of("hawker selection v1\n" + http::selection_of(request, names));
    return digest;
}

// What is kept of a head: RFC 9111 section 3.1.
http::Fields kept_fields(http::Fields fields, const http::StoringTerms& terms) {
    for (const std::string& name : http::withheld_fields(fields)) fields.remove(name);
    http::remove_hop_by_hop(fields);
    remove_ours(fields);
    // Age is in the time of receipt; the others are of one answer on one connection.
    for (const std::string_view name : {"Age", "Content-Length", "Cache-Status", "Proxy-Status"})
        fields.remove(name);
    if (terms.keeps_cookies) return fields;
    for (const std::string_view name : {"Set-Cookie", "Set-Cookie2"}) fields.remove(name);
    return fields;
}

void take_times(StoredVariant& variant, const http::Fields& told, const Exchanged& times) {
    http::Fields& fields = variant.stored.head.fields;
    if (!fields.has("Date")) fields.add("Date", http::format_date(times.answered));
    variant.arrived = times.answered;
    variant.stored.received =
        times.answered - http::corrected_initial_age(told, times.asked, times.answered);
}

void take_terms(StoredVariant& variant) {
    const http::ResponseHead& head = variant.stored.head;
    variant.terms.control = http::CacheControl::governing(head.fields);
    variant.terms.lifetime = http::lifetime_of(head.status, head.fields, variant.stored.received);
    if (head.status != 206) return;
    const auto told = http::parse_content_range(head.fields.get("Content-Range").value_or(""));
    if (!told || !told->range || !told->size) return;
    variant.part = told->range;
    variant.whole_size = *told->size;
}

std::optional<WallTime> time_of(std::string_view text) {
    long long ms = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, ms);
    if (read.ec != std::errc() || read.ptr != end || ms < 0 || ms > 9'000'000'000'000)
        return std::nullopt;
    return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

bool StoredVariant::fits(const http::Fields& request) const {
    return digest_of(request, names) == selection;
}

std::chrono::seconds StoredVariant::age(WallTime now) const {
    return http::current_age(std::chrono::seconds(0), stored.received, now);
}

std::size_t StoredVariant::weight() const {
    std::size_t bytes = sizeof(StoredVariant) + 128;
    for (const http::Field& field : stored.head.fields)
        bytes += sizeof(field) + field.name.size() + field.value.size();
    for (const std::string& name : names) bytes += sizeof(std::string) + name.size();
    return bytes;
}

TaskId new_variant_id(const TaskId& primary) {
    TaskId id = primary;
    std::random_device entropy;
    for (std::size_t i = kShared; i < id.bytes.size(); ++i)
        id.bytes[i] = static_cast<std::byte>(entropy() & 0xFFU);
    return id;
}

bool is_variant_of(const TaskId& id, const TaskId& primary) {
    return std::equal(id.bytes.begin(), id.bytes.begin() + kShared, primary.bytes.begin());
}

TaskId before_variants(const TaskId& primary) {
    TaskId id = primary;
    std::fill(id.bytes.begin() + kShared, id.bytes.end(), std::byte{0});
    return id;
}

StoredVariant variant_of(const TaskId& task, const http::Fields& request, http::ResponseHead head,
                         const Exchanged& times, const http::StoringTerms& terms) {
    StoredVariant variant;
    variant.task = task;
    variant.names = http::selecting_fields(head.fields).value_or(std::vector<std::string>());
    variant.selection = digest_of(request, variant.names);
    const http::Fields told = head.fields;
    head.fields = kept_fields(std::move(head.fields), terms);
    variant.stored.head = std::move(head);
    take_times(variant, told, times);
    take_terms(variant);
    return variant;
}

StoredVariant refreshed(const StoredVariant& before, const http::Fields& newer,
                        const Exchanged& times, const http::StoringTerms& terms) {
    StoredVariant variant = before;
    http::Fields told = newer;
    // Without one, the Date that is stored is of the past, and would make it old.
    if (!told.has("Date")) told.add("Date", http::format_date(times.answered));
    http::Fields& fields = variant.stored.head.fields;
    fields = kept_fields(http::updated(fields, kept_fields(told, terms)), terms);
    take_times(variant, told, times);
    take_terms(variant);
    return variant;
}

std::string encode(const StoredVariant& variant) {
    http::ResponseHead head = variant.stored.head;
    std::string names;
    for (const std::string& name : variant.names) names += (names.empty() ? "" : ", ") + name;
    head.fields.add(kNames, names);
    head.fields.add(kSelection, variant.selection.hex());
    const auto since_epoch = variant.arrived.time_since_epoch();
    head.fields.add(
        kArrived,
        fmt::format("{}",
                    std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()));
    return origin::encode_head(head, variant.stored.received);
}

std::optional<StoredVariant> decode_variant(const TaskId& task, std::string_view head) {
    auto stored = origin::decode_head(head);
    if (!stored) return std::nullopt;
    const auto names = stored->head.fields.get(kNames);
    const auto selection = Digest::from_hex(stored->head.fields.get(kSelection).value_or(""));
    const auto arrived = time_of(stored->head.fields.get(kArrived).value_or(""));
    if (!names || !selection || !arrived) return std::nullopt;
    http::Fields listed;
    listed.add("Vary", *names);
    const auto read = http::selecting_fields(listed);
    if (!read) return std::nullopt;
    StoredVariant variant;
    variant.task = task;
    variant.names = *read;
    variant.selection = *selection;
    variant.arrived = *arrived;
    variant.stored = std::move(*stored);
    remove_ours(variant.stored.head.fields);
    take_terms(variant);
    return variant;
}

}  // namespace hawker::proxy
