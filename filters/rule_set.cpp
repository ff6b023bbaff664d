#include "filters/rule_set.h"

#include "filters/canonical_url.h"
#include "filters/host_domains.h"
#include "filters/pattern_set.h"
#include "filters/response_overrides.h"
#include "filters/signature_terms.h"
#include "filters/strip_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory_resource>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace hawker::filters {

namespace {

// A few hundred rules on URLs of a few kilobytes fit many times over; RE2 grows into it only as far
// as it must.
constexpr std::int64_t kMatchingMemory = 64LL << 20U;

std::string where(const RuleSpec& spec) {
    return spec.line > 0 ? fmt::format("rule '{}' (line {})", spec.name, spec.line)
                         : fmt::format("rule '{}'", spec.name);
}

std::vector<std::string> split_names(std::string_view joined) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= joined.size();) {
        const std::size_t end = std::min(joined.find('+', begin), joined.size());
        names.emplace_back(joined.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

Expected<std::vector<int>> digest_groups(const RuleSpec& spec, const PatternSet& patterns,
                                         std::size_t index) {
    std::vector<int> groups;
    if (spec.digest.empty()) return groups;
    for (const std::string& name : split_names(spec.digest)) {
        const int group = patterns.group(index, name);
        if (group == 0)
            return fail(
                Errc::invalid,
                fmt::format("digest: `match` has no group '{0}'; write (?P<{0}>...)", name));
        groups.push_back(group);
    }
    return groups;
}

Expected<void> check(const RuleSpec& spec) {
    if (spec.match.empty()) return fail(Errc::invalid, "`match` is missing");
    if (spec.access == Access::capability && spec.digest.empty() && spec.policy != Policy::bypass)
        return fail(
            Errc::invalid,
            "access: capability means that knowing the digest is the right, so it needs `digest`");
    if (spec.range && !spec.digest.empty())
        return fail(Errc::invalid, "key.range: a digest is of the whole, so take `digest` away");
    if (spec.range && spec.policy == Policy::http)
        return fail(Errc::invalid, "key.range: parts are immutable; write `policy: immutable`");
    if (spec.learn_digest &&
        (!spec.digest.empty() || spec.range || spec.policy != Policy::immutable))
        return fail(Errc::invalid,
                    "learn_digest: for `policy: immutable` without `digest` and `key.range`");
    if (spec.connections == 0U) return fail(Errc::invalid, "connections: at least 1");
    if (spec.piece_size && (*spec.piece_size < (4U << 10U) || *spec.piece_size > (1U << 30U)))
        return fail(Errc::invalid, "piece_size: from 4KiB to 1GiB");
    return {};
}

// As received, but for the scheme and the port that goes with it.
void write_with_scheme(std::string& out, const Url& url, Scheme scheme) {
    out = name_of(scheme);
    out.append("://").append(url.host);
    if (url.port != default_port(url.scheme) && url.port != default_port(scheme))
        out.append(":").append(std::to_string(url.port));
    out += url.path;
    if (url.has_query) out.append("?").append(url.query);
}

void write_joined(std::string& out, std::span<const Parameter* const> parameters) {
    out.clear();
    for (const Parameter* parameter : parameters) {
        if (!out.empty()) out += '&';
        out += parameter->raw;
    }
}

// `bytes=a-b` as we would write it ourselves: it goes on to the origin in our words.
std::optional<ByteRange> closed_range(std::string_view field) {
    constexpr std::string_view kUnit = "bytes=";
    if (!field.starts_with(kUnit)) return std::nullopt;
    ByteRange range;
    const char* const end = field.data() + field.size();
    const auto first = std::from_chars(field.data() + kUnit.size(), end, range.first);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
    const auto last = std::from_chars(first.ptr + 1, end, range.end);
    if (last.ec != std::errc() || range.end < range.first || range.end >= kPartsEnd - 1)
        return std::nullopt;
    if (fmt::format("bytes={}-{}", range.first, range.end) != field) return std::nullopt;
    ++range.end;
    return range;
}

// What a rule needs besides what it says.
struct Entry {
    std::shared_ptr<const Rule> rule;
    StripList strip;
    HostExpressions hosts;
    std::string reason;  // of what it caches
};

// A client's word that something is to be cached says nothing of what its bytes are: everybody
// needs the origin's yes, and what the usual stores sign URLs with is no part of the name.
Entry usual_entry() {
    auto rule = std::make_shared<Rule>();
    rule->name = "on-request";
    rule->strip = {"aws-sigv4",   "gcs",        "aliyun-oss", "huawei-obs",
                   "tencent-cos", "cloudfront", "github-lfs", "huggingface"};
    rule->follow_redirects = true;
    rule->ignore_credentials = true;
    auto strip = StripList::compile(rule->strip, {});
    HostExpressions hosts(rule->match);  // none: it says nothing of hosts
    return Entry{std::move(rule), std::move(strip).value_or(StripList()), std::move(hosts),
                 "cached because the request asks for it, access verify"};
}

// Everything about a matched request that has to do with its query. An error is the reason to pass
// it through.
Expected<void> read_query(const Url& url, std::span<Parameter> parameters, const Entry& entry,
                          std::span<const std::string> strip, std::pmr::memory_resource* memory,
                          Decision& decision) {
    if (const auto reason = why_no_key(url, parameters); !reason.empty())
        return fail(Errc::invalid, std::string(reason));

    const Rule& rule = *entry.rule;
    decision.signed_field =
        signed_field(parameters, rule.range ? RangeField::kept : RangeField::ours);
    if (!decision.signed_field.empty())
        return fail(Errc::unsupported,
                    fmt::format("the signature covers '{}'", decision.signed_field));

    std::optional<StripList> own;
    if (!strip.empty()) {
        auto list = StripList::compile({strip.begin(), strip.end()}, rule.keep);
        if (!list) return fail(std::move(list).error());
        own = std::move(*list);
    }
    const SplitQuery query = (own ? *own : entry.strip).split(parameters, memory);
    auto overrides = read_overrides(query.stripped);
    if (!overrides) return fail(std::move(overrides).error());
    decision.overrides = *std::move(overrides);
    if (query.kept.empty())
        decision.credentials = url.query;
    else
        write_joined(decision.credentials, query.stripped);
    decision.credentials_expire = signature_end(query.stripped);
    const Scheme scheme = rule.origin_scheme.value_or(url.scheme);
    // Without a query it is the beginning of the normal form, which is there already.
    if (!query.kept.empty() || scheme != url.scheme)
        append_canonical_url(decision.canonical_url, url, scheme, query.kept,
                             rule.sort ? Order::by_name : Order::as_written);
    return {};
}

std::string_view why_never_cached(const Rule& rule, std::string_view method) {
    if (rule.policy == Policy::bypass) return "the rule says bypass";
    if (method != "GET" && method != "HEAD") return "only GET and HEAD are cached";
    return {};
}

TaskId name_of_task(const Question& question, const Decision& decision) {
    const TaskId whole =
        question.variant.empty()
            ? task_id_of(decision.canonical_url, question.tag, question.application)
            : task_id_of(decision.canonical_url, question.tag,
                         fmt::format("{}{}", question.application, question.variant));
    return decision.part ? task_id_of(whole, *decision.part) : whole;
}

}  // namespace

struct RuleSet::Compiled {
    std::vector<Entry> entries;
    Entry without_rule;  // of a request that is to be cached although no rule matches
    std::vector<std::shared_ptr<const Rule>> rules;
    PatternSet patterns;
};

RuleSet::RuleSet(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
RuleSet::~RuleSet() = default;

Expected<std::shared_ptr<const RuleSet>> RuleSet::compile(std::vector<RuleSpec> specs) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        if (specs[i].name.empty()) specs[i].name = fmt::format("rule {}", i + 1);
        auto checked = check(specs[i]);
        if (!checked) return fail(std::move(checked).error().within(where(specs[i])));
        texts.push_back(specs[i].match);
    }
    auto patterns = PatternSet::compile(texts, kMatchingMemory);
    if (!patterns) {
        const auto& [index, what] = patterns.error();
        return fail(Errc::invalid, fmt::format("{}: match: {}", where(specs[index]), what));
    }

    auto compiled =
        std::make_unique<Compiled>(Compiled{{}, usual_entry(), {}, *std::move(patterns)});
    for (std::size_t i = 0; i < specs.size(); ++i) {
        auto groups = digest_groups(specs[i], compiled->patterns, i);
        if (!groups) return fail(std::move(groups).error().within(where(specs[i])));
        auto strip = StripList::compile(specs[i].strip, specs[i].keep);
        if (!strip) return fail(std::move(strip).error().within(where(specs[i])));
        auto rule = std::make_shared<Rule>();
        static_cast<RuleSpec&>(*rule) = std::move(specs[i]);
        rule->digest_groups = *std::move(groups);
        compiled->rules.push_back(rule);
        auto reason =
            fmt::format("cached as {}, access {}", name_of(rule->policy), name_of(rule->access));
        HostExpressions hosts(rule->match);
        compiled->entries.emplace_back(std::move(rule), *std::move(strip), std::move(hosts),
                                       std::move(reason));
    }
    return std::shared_ptr<const RuleSet>(
        new RuleSet(std::move(compiled)));  // NOLINT: the constructor is private
}

Decision RuleSet::decide(const Question& question) const {
    Decision decision;
    decide(question, decision);
    return decision;
}

void RuleSet::decide(const Question& question, Decision& decision) const {
    decision.clear();
    decision.origin_url = question.url;

    const auto url = parse_url(question.url);
    if (!url) {
        decision.reason = url.error().what;
        return;
    }
    std::array<std::byte, kRoomForAQuery> room;  // NOLINT: filled as far as it is used
    std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
    Parameters parameters(&memory);
    if (url->has_query) parameters = split_query(url->query, &memory);
    std::string& normal = decision.normal_form;
    append_normal_form(normal, *url);
    const auto matched = compiled_->patterns.first_match(normal);
    if (!matched && !(question.without_rule && question.method == "GET")) {
        decision.reason = "no rule matches";
        return;
    }
    const Entry& entry = matched ? compiled_->entries[*matched] : compiled_->without_rule;
    decision.rule = entry.rule;
    // Whatever the method and the road: a client that was taught to say http:// relies on us for
    // the https.
    const Scheme scheme = entry.rule->origin_scheme.value_or(url->scheme);
    if (scheme != url->scheme) write_with_scheme(decision.origin_url, *url, scheme);

    decision.reason = why_never_cached(*entry.rule, question.method);
    if (!decision.reason.empty()) return;
    if (entry.rule->range) {
        decision.part = closed_range(question.range);
        if (!decision.part || question.method != "GET") {
            decision.part.reset();
            decision.reason =
                "each range is an object of its own here: only a GET with one Range of the form "
                "bytes=a-b is cached";
            return;
        }
    }
    auto read = read_query(*url, parameters, entry, question.strip, &memory, decision);
    if (!read) {
        decision.reason = std::move(read).error().what;
        return;
    }
    if (!entry.rule->digest_groups.empty()) {
        std::pmr::string digits(&memory);
        compiled_->patterns.captures(digits, *matched, normal, entry.rule->digest_groups);
        decision.digest = Digest::from_hex(digits);
    }
    if (entry.rule->access == Access::capability && !decision.digest) {
        decision.reason = "the rule's right is knowing the digest, and this URL has none";
        return;
    }
    if (decision.canonical_url.empty())
        decision.canonical_url = std::string_view(normal).substr(0, normal.find('?'));
    decision.task_id = name_of_task(question, decision);
    decision.road = Road::cache;
    decision.reason = entry.reason;
}

bool RuleSet::may_match_host(std::string_view host) const {
    if (host.ends_with('.')) host.remove_suffix(1);
    return std::ranges::any_of(compiled_->entries, [host](const Entry& entry) {
        return entry.rule->policy != Policy::bypass && entry.hosts.match(host);
    });
}

Expected<std::vector<std::string>> RuleSet::domains() const {
    std::set<std::string> all;
    for (const auto& [rule, strip, hosts, reason] : compiled_->entries) {
        if (rule->policy == Policy::bypass) continue;
        for (const std::string& expression : hosts.texts()) {
            const auto domains = domains_of(expression);
            if (!domains)
                return fail(Errc::unsupported,
                            fmt::format("the hosts of rule '{}' are not literal: {}", rule->name,
                                        expression));
            all.insert(domains->begin(), domains->end());
        }
    }
    return std::vector<std::string>(all.begin(), all.end());
}

std::span<const std::shared_ptr<const Rule>> RuleSet::rules() const { return compiled_->rules; }

}  // namespace hawker::filters
