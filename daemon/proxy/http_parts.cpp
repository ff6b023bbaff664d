#include "daemon/proxy/http_parts.h"

#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"

#include <algorithm>

namespace hawker::proxy {

Parts::Parts(const std::vector<VariantPtr>& variants,
             const std::function<bool(const StoredVariant&)>& is_usable) {
    for (const VariantPtr& variant : variants) {
        if (!variant->part || !is_usable(*variant)) continue;
        const std::string tag(variant->stored.head.fields.get("ETag").value_or(""));
        if (!latest_) {
            latest_ = variant;
            if (http::is_strong(tag)) tag_ = tag;
            parts_.push_back(variant);
            continue;
        }
        const bool is_same =
            !tag_.empty() && tag == tag_ && variant->whole_size == latest_->whole_size;
        if (is_same) parts_.push_back(variant);
    }
    std::ranges::sort(parts_, [](const VariantPtr& one, const VariantPtr& other) {
        return one->part->first < other->part->first;
    });
}

std::vector<Stretch> Parts::cover(ByteRange wanted) const {
    std::vector<Stretch> stretches;
    for (const VariantPtr& variant : parts_) {
        ByteRange range = *variant->part;
        range.first = std::max(range.first, wanted.first);
        range.end = std::min(range.end, wanted.end);
        if (range.first >= range.end) continue;
        wanted.first = range.end;
        stretches.emplace_back(variant, range);
    }
    return stretches;
}

std::optional<ByteRange> Parts::gap(ByteRange wanted) const {
    std::optional<ByteRange> missing;
    std::uint64_t at = wanted.first;
    const auto lacks = [&missing](std::uint64_t first, std::uint64_t end) {
        if (first >= end) return;
        if (!missing) missing = ByteRange(first, end);
        missing->end = end;
    };
    for (const Stretch& stretch : cover(wanted)) {
        lacks(at, stretch.range.first);
        at = stretch.range.end;
    }
    lacks(at, wanted.end);
    return missing;
}

std::optional<ByteRange> wanted_of(const http::RequestHead& request, std::uint64_t size) {
    const auto field = request.fields.get("Range");
    if (!field) return ByteRange(0, size);
    if (request.fields.has("If-Range")) return std::nullopt;
    const auto specs = http::parse_range(*field);
    if (!specs || specs->size() != 1) return std::nullopt;
    return specs->front().resolve(size);
}

}  // namespace hawker::proxy
