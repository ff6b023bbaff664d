// The way of a URL: parse, normal form, key, redaction.
//
// Properties, for any bytes: the canonical URL of a canonical URL is itself; other values of what
// was stripped give the same key, another parameter gives another; a URL that is cached was parsed;
// what is printed is printable and holds no value.
#include "filters/rule_set.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace {

using namespace hawker;
using namespace hawker::filters;

constexpr std::string_view kCanary = "CANARY-71";

void require(bool holds, std::string_view property) {
    if (holds) return;
    fmt::print(stderr, "violated: {}\n", property);
    std::abort();
}

RuleSpec rule(std::string match, std::vector<std::string> strip) {
    RuleSpec spec;
    spec.match = std::move(match);
    spec.strip = std::move(strip);
    return spec;
}

std::shared_ptr<const RuleSet> make_rules() {
    RuleSpec tls = rule("^https?://tls\\.", {"X-*", "Expires", "filename"});
    tls.origin_scheme = Scheme::https;
    RuleSpec sorting = rule("^https?://([a-z0-9-]+\\.)*sort\\.[a-z]+(:\\d+)?/", {"*"});
    sorting.keep = {"k*"};
    sorting.sort = true;
    RuleSpec digest =
        rule("^https?://[^/]+/(?P<a>..)/(?P<b>[0-9a-f]*)", {"aws-sigv4", "github-lfs"});
    digest.digest = "a+b";
    RuleSpec rest = rule("^https?://", {"aws-sigv4", "aws-sigv2", "cloudfront", "gcs", "azure-sas",
                                        "aliyun-oss", "tencent-cos", "huawei-obs", "aliyun-cdn",
                                        "github-lfs", "github-release", "huggingface"});
    auto rules = RuleSet::compile({tls, sorting, digest, rest});
    require(rules.has_value(), "the rules compile");
    return *rules;
}

Decision get(const RuleSet& rules, std::string_view url) {
    Question question;
    question.method = "GET";
    question.url = url;
    return rules.decide(question);
}

// The same text with another value wherever `changes` says so about a parameter's raw text.
template <typename Predicate>
std::string with_values(std::string_view url, std::string_view value, Predicate changes) {
    const std::size_t question = url.find('?');
    if (question == std::string_view::npos) return std::string(url);
    std::string out(url.substr(0, question + 1));
    std::string_view rest = url.substr(question + 1);
    for (;;) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view raw = rest.substr(0, end);
        // A bare name gets the value too: one name with two values is another thing to be asked.
        if (!raw.empty() && changes(raw))
            out.append(raw.substr(0, raw.find('='))).append("=").append(value);
        else
            out += raw;
        if (end == rest.size()) return out;
        out += '&';
        rest.remove_prefix(end + 1);
    }
}

void check_printing(std::string_view url) {
    const auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; };
    require(std::ranges::all_of(loggable_url(url), printable), "what is printed is printable");
    // Not where the canary is in the path or in a name already, or an escape would complete it.
    if (url.find(kCanary.substr(3)) != std::string_view::npos) return;
    const std::string marked = with_values(url, kCanary, [](std::string_view) { return true; });
    require(loggable_url(marked).find(kCanary) == std::string::npos,
            "what is printed holds no value");
}

void check_key(const RuleSet& rules, std::string_view url, const Decision& decision) {
    const Decision again = get(rules, decision.canonical_url);
    require(again.road == Road::cache && again.canonical_url == decision.canonical_url,
            "canonical is idempotent");
    // Another rule may match without the query, but the same rule gives the same name.
    require(again.task_id == decision.task_id && again.credentials.empty(),
            "a canonical URL has its own name");

    const std::string credentials = "&" + decision.credentials + "&";
    const auto is_stripped = [&credentials](std::string_view raw) {
        return credentials.find("&" + std::string(raw) + "&") != std::string::npos;
    };
    // "host" is a value that no list of signed fields objects to.
    const Decision resigned = get(rules, with_values(url, "host", is_stripped));
    require(resigned.road == Road::cache && resigned.task_id == decision.task_id,
            "the key outlives the signature");

    const Decision other = get(
        rules, std::string(url) + (url.find('?') == std::string_view::npos ? "?" : "&") + "kzz=1");
    require(other.road == Road::pass || other.task_id != decision.task_id,
            "another parameter is another object");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::shared_ptr<const RuleSet> rules = make_rules();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_printing(text);
    static_cast<void>(parse_authority(text).has_value());
    static_cast<void>(rules->may_match_host(text.substr(0, 64)));
    const Decision decision = get(*rules, text);
    require(decision.road == Road::pass || parse_url(text).has_value(),
            "only what was parsed is cached");
    require(!decision.rule || parse_url(decision.origin_url).has_value(),
            "the origin's URL parses");
    if (decision.road == Road::cache) check_key(*rules, text, decision);
    return 0;
}
