// Stored parts of one content, and what of a range they hold (RFC 9111 sections 3.3, 3.4). Pure.
#pragma once

#include "daemon/proxy/shelves.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hawker::proxy {

struct Stretch {
    VariantPtr variant;  // that holds it
    ByteRange range;     // of the whole
};

class Parts {
public:
    Parts() = default;
    // Those that `is_usable`: the latest of them says which content it is. Parts are put together
    // only where a strong entity tag says that they are of the same one; without it, there is one.
    Parts(const std::vector<VariantPtr>& variants,
          const std::function<bool(const StoredVariant&)>& is_usable);

    bool empty() const { return parts_.empty(); }
    std::uint64_t size() const { return parts_.front()->whole_size; }
    // "": nothing may be put together with them.
    const std::string& entity_tag() const { return tag_; }
    const StoredVariant& latest() const { return *latest_; }

    // What of `wanted` is here, in order.
    std::vector<Stretch> cover(ByteRange wanted) const;
    // From the first byte of it that is not here to the last such one; nullopt: all is here.
    std::optional<ByteRange> gap(ByteRange wanted) const;

private:
    std::vector<VariantPtr> parts_;  // in the order of their first bytes
    VariantPtr latest_;
    std::string tag_;
};

// What a request for a content of that size wants: its one range, or all. nullopt where it wants
// something that parts cannot be for: several ranges, one that does not exist, a condition on it.
std::optional<ByteRange> wanted_of(const http::RequestHead& request, std::uint64_t size);

}  // namespace hawker::proxy
