// A rule's `strip` and `keep`, ready to be asked.
#pragma once

#include "base/error.h"
#include "filters/query.h"
#include "filters/signed_urls.h"

#include <memory_resource>
#include <span>
#include <string>
#include <vector>

namespace hawker::filters {

// A query, taken apart. The pointers borrow the parameters that were split; both lists keep their
// order.
struct SplitQuery {
    std::pmr::vector<const Parameter*> kept;
    std::pmr::vector<const Parameter*> stripped;
};

class StripList {
public:
    // Errc::invalid says which word is wrong: a '*' that is not at its end, a word that is nearly
    // the name of a parameter set, or a parameter that selects content.
    static Expected<StripList> compile(const std::vector<std::string>& strip,
                                       const std::vector<std::string>& keep);

    // The lists are in `memory`.
    SplitQuery split(std::span<const Parameter> parameters,
                     std::pmr::memory_resource* memory) const;

private:
    // Names and trailing-* patterns, without case.
    struct Names {
        std::vector<std::string> exact;
        std::vector<std::string> prefixes;
        bool contains(std::string_view name) const;
    };
    static Expected<Names> compile_names(const std::vector<std::string>& words);

    Names strip_;
    Names keep_;
    ParameterSets sets_ = 0;  // what they include is among them
};

}  // namespace hawker::filters
