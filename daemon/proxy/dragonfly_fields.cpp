#include "daemon/proxy/dragonfly_fields.h"

#include "base/units.h"
#include "daemon/proxy/exchange.h"
#include "filters/strip_list.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::proxy {

namespace {

using http::equals_ignoring_case;

constexpr std::string_view kPrefix = "X-Dragonfly-";
constexpr std::size_t kMostNames = 64;
constexpr std::uint64_t kLeastPiece = 4ULL << 20U;
constexpr std::uint64_t kMostPiece = 64ULL << 20U;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

// Of a list that commas (or the Go dfdaemon's ampersands) divide; each once, in one order.
Expected<std::vector<std::string>> names_of(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of(",&"), list.size());
        if (const std::string_view name = trimmed(list.substr(0, end)); !name.empty())
            names.emplace_back(name);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    if (names.size() > kMostNames)
        return fail(Errc::invalid, fmt::format("at most {} names", kMostNames));
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    if (auto list_of_names = filters::StripList::compile(names, {}); !list_of_names)
        return fail(std::move(list_of_names).error());
    return names;
}

Expected<void> read_priority(DragonflyFields& asked, std::string_view value) {
    if (value.size() != 1 || value.front() < '0' || value.front() > '6')
        return fail(Errc::invalid, "a number from 0 to 6");
    asked.priority = static_cast<unsigned>(value.front() - '0');
    return {};
}

Expected<void> read_piece(DragonflyFields& asked, std::string_view value) {
    const auto size = parse_size(value);
    if (!size || *size < kLeastPiece)
        return fail(Errc::invalid, "a size of at least 4MiB, like 8MiB");
    // A dfdaemon has no upper bound: who asks for more gets the most there is.
    asked.piece_size = std::min(*size, kMostPiece);
    return {};
}

Expected<void> read_names(DragonflyFields& asked, std::string_view value) {
    auto names = names_of(value);
    if (!names) return fail(std::move(names).error());
    asked.strip = std::move(*names);
    return {};
}

Expected<void> read(DragonflyFields& asked, std::string_view name, std::string_view value) {
    const auto is = [name](std::string_view known) { return equals_ignoring_case(name, known); };
    const bool is_on = equals_ignoring_case(value, "true");
    if (is("Tag")) asked.tag = value;
    if (is("Application")) asked.application = value;
    if (is("Use-P2P")) asked.use_p2p = is_on;
    if (is("Prefetch")) asked.prefetch = is_on;
    if (is("Filtered-Query-Params") || is("Filter")) return read_names(asked, value);
    if (is("Priority")) return read_priority(asked, value);
    if (is("Piece-Length")) return read_piece(asked, value);
    return {};
}

std::string_view suffix_of(const http::Field& field) {
    const std::string_view name = field.name;
    const bool is_one = name.size() > kPrefix.size() &&
                        equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
    return is_one ? name.substr(kPrefix.size()) : std::string_view();
}

}  // namespace

bool has_dragonfly_fields(const http::Fields& fields) {
    return std::ranges::any_of(fields,
                               [](const http::Field& field) { return !suffix_of(field).empty(); });
}

Expected<DragonflyFields> read_dragonfly_fields(const http::Fields& fields) {
    DragonflyFields asked;
    for (const http::Field& field : fields) {
        const std::string_view suffix = suffix_of(field);
        if (suffix.empty()) continue;
        asked.any = true;
        if (auto ok = read(asked, suffix, trimmed(field.value)); !ok)
            return fail(Errc::invalid,
                        fmt::format("Take {} away, or give it {}.", field.name, ok.error().what));
    }
    if (!asked.strip.empty())
        asked.variant = fmt::format("\nwithout {}", fmt::join(asked.strip, "&"));
    if (asked.piece_size) asked.variant += fmt::format("\npieces of {}", *asked.piece_size);
    return asked;
}

void tell_task(const Context& context, http::Fields& fields, Download download) {
    if (!context.dragonfly.any) return;
    fields.set("X-Dragonfly-Task-ID", context.record.task);
    if (download == Download::finished) fields.set("X-Dragonfly-Task-Download-Finished", "true");
    // A 416 of ours: no other answer has a Content-Range that names no range.
    if (fields.get("Content-Range").value_or("").starts_with("bytes */"))
        tell_blame(context, fields, blame_for(416, ""));
}

void tell_blame(const Context& context, http::Fields& fields, std::string_view who) {
    if (has_dragonfly_fields(context.request.fields)) fields.set("X-Dragonfly-Error-Type", who);
}

std::string_view blame_for(int status, std::string_view proxy_error) {
    if (status < 500 || proxy_error.starts_with("http_request")) return "proxy";
    return status == 502 || status == 504 ? "backend" : "dfdaemon";
}

}  // namespace hawker::proxy
