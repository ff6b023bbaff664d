#include "filters/strip_list.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace hawker::filters {

namespace {

std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

// "aws-sig-v4" would silently strip a parameter that nobody has. Short names are too near to real
// parameters to judge.
std::string_view nearly_a_set(std::string_view word) {
    for (const ParameterSet& set : parameter_sets())
        if (set.name.size() >= 8 && edit_distance(lower_case(word), set.name) <= 2) return set.name;
    return {};
}

void add_set(const ParameterSet* set, ParameterSets& sets) {
    if (set == nullptr || (sets & bit_of(*set)) != 0) return;
    sets |= bit_of(*set);
    for (const std::string_view name : set->includes) add_set(find_parameter_set(name), sets);
}

}  // namespace

bool StripList::Names::contains(std::string_view name) const {
    return std::ranges::any_of(
               exact, [name](const std::string& it) { return equals_ignoring_case(name, it); }) ||
           std::ranges::any_of(prefixes, [name](const std::string& prefix) {
               return starts_ignoring_case(name, prefix);
           });
}

Expected<StripList::Names> StripList::compile_names(const std::vector<std::string>& words) {
    Names names;
    for (const std::string& word : words) {
        if (word.empty() || word.find_first_of("=&?# ") != std::string::npos)
            return fail(Errc::invalid,
                        fmt::format("'{}' is not the name of a query parameter", word));
        const std::size_t star = word.find('*');
        if (star != std::string::npos && star + 1 != word.size())
            return fail(Errc::invalid, fmt::format("'{}': a '*' may only stand at the end", word));
        if (star == std::string::npos)
            names.exact.push_back(lower_case(percent_normal_form(word)));
        else
            names.prefixes.push_back(lower_case(percent_normal_form(word.substr(0, star))));
    }
    return names;
}

Expected<StripList> StripList::compile(const std::vector<std::string>& strip,
                                       const std::vector<std::string>& keep) {
    StripList list;
    std::vector<std::string> words;
    for (const std::string& word : strip) {
        if (const ParameterSet* const set = find_parameter_set(word)) {
            add_set(set, list.sets_);
            continue;
        }
        if (const std::string_view near = nearly_a_set(word); !near.empty())
            return fail(
                Errc::invalid,
                fmt::format("strip: '{}' is no parameter set; did you mean '{}'?", word, near));
        if (selects_content(lower_case(word)))
            return fail(
                Errc::invalid,
                fmt::format("strip: '{}' selects the content, so it stays in the key", word));
        words.push_back(word);
    }
    auto stripped = compile_names(words);
    if (!stripped) return fail(std::move(stripped).error().within("strip"));
    auto kept = compile_names(keep);
    if (!kept) return fail(std::move(kept).error().within("keep"));
    list.strip_ = *std::move(stripped);
    list.keep_ = *std::move(kept);
    return list;
}

SplitQuery StripList::split(std::span<const Parameter> parameters,
                            std::pmr::memory_resource* memory) const {
    SplitQuery split{std::pmr::vector<const Parameter*>(memory),
                     std::pmr::vector<const Parameter*>(memory)};
    if (parameters.empty()) return split;
    const ParameterSets whole = sets_ & whole_sets(parameters);
    split.stripped.reserve(parameters.size());
    for (const Parameter& parameter : parameters) {
        const KnownName* const known = parameter.known;
        const bool is_a_signers =
            known != nullptr && ((known->own & sets_) != 0 || (known->generic & whole) != 0);
        const bool goes = (is_a_signers || strip_.contains(parameter.name())) &&
                          !selects_content(parameter) && !keep_.contains(parameter.name());
        (goes ? split.stripped : split.kept).push_back(&parameter);
    }
    return split;
}

}  // namespace hawker::filters
