// One response that is kept under `policy: http`: what is known of it besides its body. The body is
// a task of the cache's, the head stands beside it in the index, and what the request was that
// selected it is among the head's fields: so what a crash leaves is whole or is not there.
//
// Thread: immutable; any.
#pragma once

#include "base/byte_range.h"
#include "base/clock.h"
#include "base/digest.h"
#include "daemon/http/reuse.h"
#include "daemon/http/storing.h"
#include "daemon/origin/origin_source.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::proxy {

struct StoredVariant {
    TaskId task;  // of the body
    origin::StoredHead
        stored;  // `received`: when it would have been made, were its age all waiting
    http::StoredTerms terms;
    std::vector<std::string> names;  // of the request's fields that selected it
    Digest selection;                // what it had in them
    std::optional<ByteRange> part;   // of a 206: which bytes the body is,
    std::uint64_t whole_size = 0;    // and of how many
    WallTime arrived;                // the latest of those that fit is the one

    bool fits(const http::Fields& request) const;
    std::chrono::seconds age(WallTime now) const;
    http::Use use(const http::CacheControl& asked, WallTime now) const {
        return http::use_of(terms, asked, age(now));
    }
    std::size_t weight() const;
};
using VariantPtr = std::shared_ptr<const StoredVariant>;

// The name of a body: the first 20 bytes of the primary key's, then chance. So those of one key
// stand side by side in the index, and two of them never share bytes.
TaskId new_variant_id(const TaskId& primary);
bool is_variant_of(const TaskId& id, const TaskId& primary);
// Below every one of them.
TaskId before_variants(const TaskId& primary);

// When a request left, and when its answer's head came.
struct Exchanged {
    WallTime asked;
    WallTime answered;
};

// Of an answer that may_store() has let in, or whose fields replace those of one that is stored.
StoredVariant variant_of(const TaskId& task, const http::Fields& request, http::ResponseHead head,
                         const Exchanged& times, const http::StoringTerms& terms);
// `before`, after a 304 or the 200 to a HEAD that confirmed it.
StoredVariant refreshed(const StoredVariant& before, const http::Fields& newer,
                        const Exchanged& times, const http::StoringTerms& terms);

// As the cache keeps it with the body; nullopt for what is no variant, or a damaged one.
std::string encode(const StoredVariant& variant);
std::optional<StoredVariant> decode_variant(const TaskId& task, std::string_view head);

}  // namespace hawker::proxy
