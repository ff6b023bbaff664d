// What a request to ModelScope asks for, told by its path and query alone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::modelscope {

enum class Subject : std::uint8_t {
    file,     // /api/v1/{T}/{repo}/repo?Revision=&FilePath=, /{T}/{repo}/resolve/{rev}/{path}
    listing,  // /api/v1/{T}/{repo}/repo/files and /repo/tree
    info,     // /api/v1/{T}/{repo} and /revisions; /api/v1/repos/internalAccelerationInfo
    other,    // everything else: passed on
};

struct Route {
    Subject subject = Subject::other;
    std::string type;      // models, datasets, studios
    std::string repo;      // "org/name"
    std::string revision;  // decoded: "master", "v1.0", 40 hexadecimal digits; empty: none
    std::string path;      // of a file, decoded

    // The revision is a commit: what lies under it never changes.
    bool is_immutable() const;
    // "datasets/org/name": the repository's name among all.
    std::string name() const { return type + "/" + repo; }
};

// Total: what is not understood, or could be read two ways (dot segments, a parameter twice), is
// Subject::other.
Route route_of(std::string_view method, std::string_view target);

// One name for one question, whatever the order of its parameters. Of what route_of() understood.
std::string document_name(std::string_view target);

// How many entries a page of a listing has at most; fewer say that it is the last.
inline constexpr std::size_t kDatasetPage = 200;    // of repo/tree: as the Python client asks
inline constexpr std::size_t kModelListing = 3000;  // of repo/files, which has one page

// The listings of a file's revision: path and query, as the Python client asks for them. Of the
// whole repository, and of the folder that the file is in. `page` counts from 1.
std::string listing_target(const Route& route, std::size_t page);
std::string folder_target(const Route& route, std::size_t page);
std::size_t page_size(const Route& route);

}  // namespace hawker::modelscope
