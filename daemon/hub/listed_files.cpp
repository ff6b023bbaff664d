#include "daemon/hub/listed_files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::hub {

namespace {

using Json = nlohmann::json;

// Null where there is no text of that name.
const std::string* text_in(const Json& entry, const char* name) {
    const auto member = entry.find(name);
    return member == entry.end() ? nullptr : member->get_ptr<const std::string*>();
}

bool is_in_git(const Json& entry) {
    if (!entry.is_object()) return false;
    const std::string* const type = text_in(entry, "type");
    return type && *type == "file" && !entry.contains("lfs") && !entry.contains("xetHash");
}

}  // namespace

std::vector<ListedFile> files_in_git(std::string_view listing) {
    std::vector<ListedFile> files;
    const Json entries = Json::parse(listing, nullptr, false);
    if (!entries.is_array()) return files;
    for (const Json& entry : entries) {
        if (!is_in_git(entry)) continue;
        const std::string* const path = text_in(entry, "path");
        const std::string* const oid = text_in(entry, "oid");
        const bool is_empty = entry.value("size", Json()) == 0;
        if (path && oid && is_commit(*oid))
            files.emplace_back(percent_encoded(*path, "/"), *oid, is_empty);
    }
    return files;
}

std::string place_in_git(const Route& file, std::string_view commit, std::string_view oid) {
    Route plain = file;
    plain.query.clear();
    return fmt::format("/api/resolve-cache/{}/{}/{}/{}?{}=&etag=%22{}%22", file.type, file.repo,
                       commit, file.path, percent_encoded(file_target(plain, commit)), oid);
}

}  // namespace hawker::hub
