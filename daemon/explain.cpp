#include "daemon/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::daemon {

namespace {

std::string line(std::string_view label, std::string_view text) {
    return fmt::format("{:<14} {}\n", label, text);
}

std::string describe_overrides(const filters::ResponseOverrides& overrides) {
    std::vector<std::string_view> names;
    if (overrides.content_type) names.emplace_back("Content-Type");
    if (overrides.content_disposition) names.emplace_back("Content-Disposition");
    if (overrides.cache_control) names.emplace_back("Cache-Control");
    if (overrides.content_language) names.emplace_back("Content-Language");
    if (overrides.expires) names.emplace_back("Expires");
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string explain(const filters::RuleSet& rules, const filters::Question& question) {
    const filters::Decision decision = rules.decide(question);
    const bool cached = decision.road == filters::Road::cache;
    std::string out = line("URL", filters::loggable_url(question.url, decision.part));
    out += line("rule", decision.rule
                            ? fmt::format("{} (line {})", decision.rule->name, decision.rule->line)
                            : "none");
    out += line("road", cached ? "cache" : "pass through");
    out += line("reason", decision.reason);
    if (!decision.rule) return out;
    out += line("policy", filters::name_of(decision.rule->policy));
    out += line("access", filters::name_of(decision.rule->access));
    if (decision.rule->access == filters::Access::verify)
        out += line("unverifiable", filters::name_of(decision.rule->on_unverifiable));
    if (const auto names = filters::stripped_names(decision); !names.empty())
        out += line("stripped", fmt::format("{}", fmt::join(names, " ")));
    if (cached) {
        // In clear, because it is the key and the question is about keys: who asks has typed it in.
        out += line("canonical URL", decision.canonical_url);
        out += line("digest", decision.digest ? fmt::format("sha256:{}", decision.digest->hex())
                                              : "none in the URL");
        if (decision.part)
            out += line("range", fmt::format("bytes {} to {}, an object of its own",
                                             decision.part->first, decision.part->end - 1));
        out += line("task ID", decision.task_id.hex());
        if (decision.credentials_expire)
            out +=
                line("signature ends", fmt::format("{} (Unix time)", *decision.credentials_expire));
        if (!decision.overrides.empty())
            out += line("sets fields", describe_overrides(decision.overrides));
    }
    if (!decision.signed_field.empty()) out += line("signed field", decision.signed_field);
    out += line("origin URL", filters::loggable_url(decision.origin_url));
    return out;
}

}  // namespace hawker::daemon
