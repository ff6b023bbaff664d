#include "filters/host_domains.h"

#include "filters/query.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace hawker::filters {

namespace {

constexpr std::size_t kMostEndings = 256;
constexpr int kDeepest = 32;

// How the texts that some expression matches end. `exact`: it is the whole text.
struct Ending {
    std::string text;
    bool exact = true;
    auto operator<=>(const Ending&) const = default;
};
using Endings = std::set<Ending>;

const Endings kEmpty = {Ending{}};
const Endings kAnything = {Ending{.text = "", .exact = false}};

bool is_punctuation(char c) {
    return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
           !(c >= 'A' && c <= 'Z');
}

// RE2's syntax as far as hosts need it, one function for each of its rules. What is not understood
// is remembered, and everything read after it counts for nothing.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::optional<Endings> read() {
        Endings found = alternatives();
        if (!understood_ || !text_.empty()) return std::nullopt;
        return found;
    }

private:
    Endings give_up() {
        understood_ = false;
        text_ = {};
        return {};
    }

    bool take(std::string_view start) {
        if (!text_.starts_with(start)) return false;
        text_.remove_prefix(start.size());
        return true;
    }

    Endings alternatives() {
        Endings all = sequence();
        while (take("|")) all.merge(sequence());
        return all;
    }

    Endings sequence() {
        Endings ends = kEmpty;
        while (!text_.empty() && !text_.starts_with('|') && !text_.starts_with(')')) {
            // What follows a colon is the port.
            if (text_.starts_with(':')) {
                const Endings host = std::move(ends);
                atom();
                sequence();
                return host;
            }
            ends = joined(ends, quantified(atom()));
        }
        return ends;
    }

    Endings joined(const Endings& first, const Endings& second) {
        Endings all;
        for (const Ending& end : second) {
            if (!end.exact) {
                all.insert(end);
                continue;
            }
            for (const Ending& start : first)
                all.insert(Ending{.text = start.text + end.text, .exact = start.exact});
        }
        return all.size() > kMostEndings ? give_up() : all;
    }

    Endings quantified(Endings once) {
        if (text_.starts_with('{')) return give_up();
        const bool may_miss = text_.starts_with('*') || text_.starts_with('?');
        const bool may_repeat = text_.starts_with('*') || text_.starts_with('+');
        if (!may_miss && !may_repeat) return once;
        text_.remove_prefix(1);
        take("?");  // lazy or not: the same texts
        Endings all = may_miss ? kEmpty : Endings{};
        for (const Ending& end : once)
            all.insert(Ending{.text = end.text, .exact = end.exact && !may_repeat});
        return all;
    }

    Endings atom() {
        if (take("(")) return group();
        if (take("[")) return character_class();
        if (take(".")) return kAnything;
        if (take("^") || take("$")) return kEmpty;
        if (take("\\")) return escaped();
        const char c = text_.front();
        text_.remove_prefix(1);
        if (is_punctuation(c) && c != '-' && c != '_' && c != ':') return give_up();
        return {Ending{.text = std::string(1, lower_case(c))}};
    }

    Endings escaped() {
        if (text_.empty()) return give_up();
        const char c = text_.front();
        text_.remove_prefix(1);
        if (c == 'd' || c == 'w') return kAnything;
        if (!is_punctuation(c)) return give_up();
        return {Ending{.text = std::string(1, c)}};
    }

    Endings group() {
        if (take("?P<") || take("?<"))
            text_.remove_prefix(std::min(text_.find('>'), text_.size() - 1) + 1);
        else if (!take("?:") && text_.starts_with('?'))
            return give_up();
        if (++depth_ > kDeepest) return give_up();
        Endings inside = alternatives();
        --depth_;
        return take(")") ? inside : give_up();
    }

    Endings character_class() {
        take("^");
        take("]");  // first, it is a member
        while (!text_.empty() && !text_.starts_with(']'))
            text_.remove_prefix(text_.starts_with('\\') ? std::min<std::size_t>(2, text_.size())
                                : text_.starts_with("[:")
                                    ? std::min(text_.find(":]"), text_.size() - 2) + 2
                                    : 1);
        return take("]") ? kAnything : give_up();
    }

    std::string_view text_;
    bool understood_ = true;
    int depth_ = 0;
};

// A text that may go on to the left is only good from its first dot on.
std::optional<std::string> domain_of(const Ending& end) {
    std::string_view text = end.text;
    if (!end.exact) {
        const std::size_t dot = text.find('.');
        if (dot == std::string_view::npos) return std::nullopt;
        text.remove_prefix(dot + 1);
    }
    if (text.starts_with('.')) text.remove_prefix(1);  // no host does: at most too wide
    if (text.ends_with('.')) text.remove_suffix(1);
    const std::string_view last = text.substr(text.rfind('.') + 1);
    const bool is_name = std::ranges::all_of(
        text, [](char c) { return !is_punctuation(c) || c == '.' || c == '-' || c == '_'; });
    const bool ends_in_number =
        std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    if (text.empty() || !is_name || ends_in_number) return std::nullopt;
    return std::string(text);
}

}  // namespace

std::optional<std::vector<std::string>> domains_of(std::string_view expression) {
    const std::optional<Endings> endings = Reader(expression).read();
    if (!endings) return std::nullopt;
    std::set<std::string> domains;
    for (const Ending& end : *endings) {
        auto domain = domain_of(end);
        if (!domain) return std::nullopt;
        domains.insert(std::move(*domain));
    }
    std::vector<std::string> widest;
    std::ranges::copy_if(domains, std::back_inserter(widest), [&domains](const std::string& one) {
        return std::ranges::none_of(
            domains, [&one](const std::string& other) { return one.ends_with("." + other); });
    });
    return widest;
}

}  // namespace hawker::filters
