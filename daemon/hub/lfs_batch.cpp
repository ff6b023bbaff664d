#include "daemon/hub/lfs_batch.h"

#include "base/base64.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::hub {

namespace {

using nlohmann::json;

constexpr std::string_view kPlace = "/.hawker/lfs/";
// How long a link is good that names no end: as long as those of the big hosts.
constexpr std::int64_t kUsualLife = 3600;

json parsed(std::string_view text) { return json::parse(text, nullptr, false); }

std::string text_of(const json& object, const char* name) {
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

std::optional<LfsDownload> download_of(const json& object, std::int64_t now) {
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
    download.until = now + kUsualLife;
    const auto life = action->find("expires_in");
    if (life != action->end() && life->is_number_integer())
        download.until = now + std::clamp<std::int64_t>(life->get<std::int64_t>(), 0, 86'400);
    const auto header = action->find("header");
    download.brings_credentials =
        header != action->end() && header->is_object() && header->contains("Authorization");
    if (download.href.empty()) return std::nullopt;
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
    json asked = parsed(question);
    if (!asked.is_object() || text_of(asked, "operation") != "download") return std::nullopt;
    asked["transfers"] = json::array({"basic"});
    return asked.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::string> with_our_links(
    std::string_view answer, std::int64_t now,
    const std::function<std::string(const LfsDownload&)>& our_link) {
    json said = parsed(answer);
    if (!said.is_object()) return std::nullopt;
    const auto objects = said.find("objects");
    if (objects == said.end() || !objects->is_array()) return std::nullopt;
    for (json& object : *objects)
        if (const auto download = download_of(object, now))
            object["actions"]["download"]["href"] = our_link(*download);
    return said.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string lfs_target(const LfsDownload& download, std::string_view seal) {
    return fmt::format("{}{}/{}/{}/{}/{}/{}", kPlace, download.oid.hex(), download.size,
                       download.until, download.brings_credentials ? 'c' : '-', seal,
                       to_base64url(download.href));
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
        (credentials != "c" && credentials != "-"))
        return std::nullopt;
    sealed.download.oid = *digest;
    sealed.download.size = *bytes;
    sealed.download.until = *end;
    sealed.download.brings_credentials = credentials == "c";
    sealed.download.href = std::move(*url);
    sealed.seal = seal;
    return sealed;
}

}  // namespace hawker::hub
