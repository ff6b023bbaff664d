#include "daemon/modelscope/listing.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace hawker::modelscope {

namespace {

using nlohmann::json;

// The rest is not built: commit messages and pictures of committers are most of a listing.
json parsed(std::string_view text) {
    constexpr std::array<std::string_view, 14> kRead = {
        "Success", "success", "Code", "code", "Data",   "data",   "Files",
        "files",   "Path",    "path", "Type", "Sha256", "sha256", "Size"};
    const auto is_read = [&kRead](int depth, json::parse_event_t event, json& value) {
        if (event != json::parse_event_t::key) return depth < 8;
        return std::ranges::find(kRead, value.get_ref<const std::string&>()) != kRead.end();
    };
    return json::parse(text, is_read, false);
}

const json* member(const json& object, std::initializer_list<const char*> names) {
    if (!object.is_object()) return nullptr;
    for (const char* const name : names)
        if (const auto found = object.find(name); found != object.end()) return &*found;
    return nullptr;
}

std::string text_in(const json* value) {
    return value && value->is_string() ? value->get<std::string>() : std::string();
}

bool is_yes(const json& answer) {
    if (!answer.is_object()) return false;
    const json* const success = member(answer, {"Success", "success"});
    const json* const code = member(answer, {"Code", "code"});
    const bool is_good_code = !code || *code == 200 || *code == "200" || code->is_null();
    const bool says_no = success && success->is_boolean() && !success->get<bool>();
    return is_good_code && !says_no;
}

std::optional<Entry> entry_of(const json& file) {
    const auto digest = Digest::from_hex(text_in(member(file, {"Sha256", "sha256"})));
    const json* const size = member(file, {"Size"});
    if (!digest || !size || !size->is_number_unsigned()) return std::nullopt;
    return Entry{*digest, size->get<std::uint64_t>()};
}

}  // namespace

bool is_yes(std::string_view json) { return is_yes(parsed(json)); }

std::optional<Listing> Listing::parse(std::string_view json) {
    const auto answer = parsed(json);
    if (!is_yes(answer)) return std::nullopt;
    const auto* const data = member(answer, {"Data", "data"});
    if (!data) return std::nullopt;
    const auto* const files = data->is_array() ? data : member(*data, {"Files", "files"});
    Listing listing;
    if (files && files->is_null()) return listing;  // an empty repository
    if (!files || !files->is_array()) return std::nullopt;
    for (const auto& file : *files) {
        const std::string path = text_in(member(file, {"Path", "path"}));
        ++listing.entries_;
        if (path.empty() || text_in(member(file, {"Type"})) == "tree") continue;
        const auto [place, is_new] = listing.files_.emplace(path, entry_of(file));
        if (!is_new) place->second = std::nullopt;  // said twice: neither counts
    }
    return listing;
}

const Entry* Listing::find(std::string_view path) const {
    const auto place = files_.find(std::string(path));
    return place != files_.end() && place->second ? &*place->second : nullptr;
}

bool Listing::names(std::string_view path) const { return files_.contains(std::string(path)); }

}  // namespace hawker::modelscope
