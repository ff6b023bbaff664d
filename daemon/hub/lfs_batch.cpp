#include "daemon/hub/lfs_batch.h"

#include "base/base64.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::hub {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kPlace = "/.hawker/lfs/";
// How long a link is good that names no end: as long as those of the big hosts.
constexpr std::int64_t kUsualLife = 3600;
constexpr std::int64_t kLongestLife = 86'400;

// Discarded where it is none, and where it is deeper than any batch: writing it out again takes a
// stack frame a level.
Json parsed(std::string_view text) {
    constexpr int kDeepest = 32;
    bool is_deep = false;
    const auto is_read = [&is_deep](int depth, Json::parse_event_t, Json&) {
        is_deep = is_deep || depth > kDeepest;
        return !is_deep;
    };
    Json json = Json::parse(text, is_read, false);
    return is_deep ? Json(Json::value_t::discarded) : json;
}

std::string text_of(const Json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_string() ? member->get<std::string>()
                                                         : std::string();
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc() || stop != end) return std::nullopt;
    return number;
}

// RFC 3339, whole seconds: "2026-11-10T15:29:07.5Z", "2026-11-10T17:29:07+02:00".
std::optional<std::int64_t> seconds_in(std::string_view text) {
    const std::string plain(text);
    std::tm parts{};
    const char* const rest = ::strptime(plain.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr) return std::nullopt;
    std::string_view zone(rest);
    if (zone.starts_with('.'))
        zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
    const std::int64_t seconds = ::timegm(&parts);
    if (zone == "Z" || zone == "z") return seconds;
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':')
        return std::nullopt;
    const auto hours = number_in<unsigned>(zone.substr(1, 2));
    const auto minutes = number_in<unsigned>(zone.substr(4, 2));
    if (!hours || !minutes) return std::nullopt;
    const std::int64_t ahead = (std::int64_t{*hours} * 60 + *minutes) * 60;
    return zone[0] == '+' ? seconds - ahead : seconds + ahead;
}

// When the host's own link ends, at most a day from now.
std::int64_t end_of(const Json& action, std::int64_t now) {
    const auto life = action.find("expires_in");
    // Zero is how a host says nothing.
    if (life != action.end() && life->is_number_integer() && life->get<std::int64_t>() != 0)
        return now + std::clamp<std::int64_t>(life->get<std::int64_t>(), 0, kLongestLife);
    if (const auto end = seconds_in(text_of(action, "expires_at")))
        return std::clamp<std::int64_t>(*end, now, now + kLongestLife);
    return now + kUsualLife;
}

// The store wants nothing from the client but what we carry on.
bool is_plain_header(const Json& action) {
    const auto header = action.find("header");
    if (header == action.end() || header->is_null()) return true;
    return header->is_object() && std::ranges::all_of(header->items(), [](const auto& field) {
               const std::string name = filters::lower_case(field.key());
               return name == "authorization" || name == "accept";
           });
}

bool brings_credentials(const Json& action) {
    const auto header = action.find("header");
    return header != action.end() && header->is_object() &&
           std::ranges::any_of(header->items(), [](const auto& field) {
               return filters::lower_case(field.key()) == "authorization";
           });
}

// As it is, or as the password of Basic (RFC 7617).
bool holds(std::string_view value, std::string_view token) {
    if (value.contains(token)) return true;
    const std::size_t space = value.find(' ');
    const auto plain =
        space == std::string_view::npos ? std::nullopt : from_base64(value.substr(space + 1));
    return plain && plain->contains(token);
}

// True where the header held it.
bool take_out(Json& action, std::string_view token) {
    const auto header = action.find("header");
    if (token.empty() || header == action.end() || !header->is_object()) return false;
    const std::size_t before = header->size();
    for (auto field = header->begin(); field != header->end();) {
        const bool is_it = field->is_string() && holds(field->get<std::string>(), token);
        field = is_it ? header->erase(field) : std::next(field);
    }
    return header->size() != before;
}

std::optional<LfsDownload> download_of(const Json& object, std::int64_t now) {
    if (!object.is_object()) return std::nullopt;
    const auto oid = Digest::from_hex(text_of(object, "oid"));
    const auto size = object.find("size");
    const auto actions = object.find("actions");
    if (!oid || size == object.end() || !size->is_number_unsigned() || actions == object.end() ||
        !actions->is_object())
        return std::nullopt;
    const auto action = actions->find("download");
    if (action == actions->end() || !action->is_object()) return std::nullopt;
    LfsDownload download;
    download.oid = *oid;
    download.size = size->get<std::uint64_t>();
    download.href = text_of(*action, "href");
    download.until = end_of(*action, now);
    download.brings_credentials = brings_credentials(*action);
    if (download.href.empty() || !is_plain_header(*action)) return std::nullopt;
    return download;
}

std::string to_base64url(std::string_view bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    return from_base64(plain);
}

}  // namespace

std::optional<std::string> plain_download(std::string_view question) {
    Json asked = parsed(question);
    if (!asked.is_object() || text_of(asked, "operation") != "download") return std::nullopt;
    asked["transfers"] = Json::array({"basic"});
    return asked.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> with_our_links(
    std::string_view answer, std::int64_t now, std::string_view token,
    const std::function<std::string(const LfsDownload&)>& our_link) {
    Json said = parsed(answer);
    if (!said.is_object()) return std::nullopt;
    const auto objects = said.find("objects");
    if (objects == said.end() || !objects->is_array()) return std::nullopt;
    for (Json& object : *objects) {
        const bool has_actions =
            object.is_object() && object.contains("actions") && object["actions"].is_object();
        if (!has_actions) continue;
        bool needs_token = false;
        for (Json& action : object["actions"])
            if (action.is_object() && take_out(action, token)) needs_token = true;
        auto download = download_of(object, now);
        if (!download) continue;
        download->needs_mirrors_token = needs_token;
        Json& action = object["actions"]["download"];
        action["href"] = our_link(*download);
        action.erase("expires_at");
        action["expires_in"] = std::max<std::int64_t>(1, download->until - now);  // 0: no end
    }
    return said.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string lfs_target(const LfsDownload& download, std::string_view seal) {
    const char whose = download.needs_mirrors_token ? 't' : download.brings_credentials ? 'c' : '-';
    return fmt::format("{}{}/{}/{}/{}/{}/{}", kPlace, download.oid.hex(), download.size,
                       download.until, whose, seal, to_base64url(download.href));
}

bool is_lfs_target(std::string_view target) { return target.starts_with(kPlace); }

std::optional<SealedDownload> read_lfs_target(std::string_view target) {
    if (!is_lfs_target(target)) return std::nullopt;
    target.remove_prefix(kPlace.size());
    std::array<std::string_view, 6> parts;
    for (std::string_view& part : parts) {
        part = target.substr(0, target.find('/'));
        target.remove_prefix(std::min(part.size() + 1, target.size()));
    }
    const auto& [oid, size, until, credentials, seal, href] = parts;
    SealedDownload sealed;
    const auto digest = Digest::from_hex(oid);
    const auto bytes = number_in<std::uint64_t>(size);
    const auto end = number_in<std::int64_t>(until);
    auto url = from_base64url(href);
    if (!target.empty() || !digest || !bytes || !end || !url || url->empty() || seal.empty() ||
        (credentials != "c" && credentials != "t" && credentials != "-"))
        return std::nullopt;
    sealed.download.oid = *digest;
    sealed.download.size = *bytes;
    sealed.download.until = *end;
    sealed.download.brings_credentials = credentials == "c";
    sealed.download.needs_mirrors_token = credentials == "t";
    sealed.download.href = std::move(*url);
    sealed.seal = seal;
    return sealed;
}

}  // namespace hawker::hub
