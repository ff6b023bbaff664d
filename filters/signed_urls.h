// What signers add to URLs, as tables: the parameter sets that a rule names with one word.
//
// A name is `own` when nobody else uses it: it goes wherever the set is named. It is `generic`
// (Expires, token, se, ...) when it means other things elsewhere: it goes only from a URL that
// carries the signer's whole set. Names compare without case.
#pragma once

#include "filters/query.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hawker::filters {

struct ParameterSet {
    std::string_view name;                  // the word in a rule's `strip`
    std::span<const std::string_view> own;  // lower case, as all names here
    std::span<const std::string_view> generic;
    std::span<const std::string_view>
        whole;  // all of these make the signer's set whole; "a|b" is satisfied by either
    std::span<const std::string_view>
        includes;  // sets that are part of this one, each with its own `whole`
};

std::span<const ParameterSet> parameter_sets();
const ParameterSet* find_parameter_set(std::string_view name);

// Parameters that name another content (a version, a part, a processed image): no set and no
// pattern ever strips them.
bool selects_content(std::string_view lower_name);
bool selects_content(const Parameter& parameter);

// A field of the response that a parameter sets, instead of choosing other bytes.
enum class OverriddenField : unsigned char {
    content_type,
    content_disposition,
    cache_control,
    content_language,
    expires,
    file_name,  // only the name of a Content-Disposition
};

// What a signature says about itself by a parameter: signature_terms.h reads it.
enum class Term : unsigned char {
    none,
    amz_begin,      // X-Amz-Date, ...
    amz_lifetime,   // ... and seconds from then on
    goog_begin,     //
    goog_lifetime,  //
    oss_begin,      //
    oss_lifetime,   //
    end,            // Unix seconds
    end_date,       //
    policy,         // CloudFront's, coded
    begin_and_end,  // Tencent's: Unix seconds, "a;b"
    // Alibaba's: Unix seconds, then "-". It counts its validity from this time on, but does not say
    // in the URL how long it is.
    signing_and_more,
    signed_fields,  // the names of request fields that it covers
    signed_range,   // the one range that it is good for
    count,
};

// What the tables above say of one name, to be asked by bits instead of words.
using ParameterSets = std::uint32_t;  // bit n: parameter_sets()[n]
struct KnownName {
    std::string_view name;
    ParameterSets own = 0;  // whose own it is
    ParameterSets generic = 0;
    std::uint64_t makes_whole = 0;  // a bit for each word of each set's `whole`: those it satisfies
    bool selects_content = false;
    std::optional<OverriddenField> overridden;
    Term term = Term::none;
};

// Null when no table has it. In any case.
const KnownName* find_known_name(std::string_view name);
ParameterSets bit_of(const ParameterSet& set);
// Whose whole set the parameters hold.
ParameterSets whole_sets(std::span<const Parameter> parameters);

}  // namespace hawker::filters
