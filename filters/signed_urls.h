// What signers add to URLs, as tables: the parameter sets that a rule names with one word.
//
// A name is `own` when nobody else uses it: it goes wherever the set is named. It is `generic`
// (Expires, token, se, ...) when it means other things elsewhere: it goes only from a URL that
// carries the signer's whole set. Names compare without case.
#pragma once

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

// A field of the response that a parameter sets, instead of choosing other bytes.
enum class OverriddenField : unsigned char {
    content_type,
    content_disposition,
    cache_control,
    content_language,
    expires,
    file_name,  // only the name of a Content-Disposition
};
std::optional<OverriddenField> overridden_field(std::string_view lower_name);

}  // namespace hawker::filters
