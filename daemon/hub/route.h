// What a request to the Hugging Face Hub asks for, told by its path alone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::hub {

enum class Subject : std::uint8_t {
    file,        // /{repo}/resolve/{rev}/{path}
    info,        // /api/{T}/{repo} and /api/{T}/{repo}/revision/{rev}
    tree,        // /api/{T}/{repo}/tree/{rev}[/{path}]
    paths_info,  // POST /api/{T}/{repo}/paths-info/{rev}
    listing,     // /api/{T}/{repo}/refs and /commits/{rev}
    lfs_batch,   // POST /[{T}/]{repo}.git/info/lfs/objects/batch
    lfs_object,  // /.hawker/lfs/...: a link of our own (lfs_batch.h)
    other,       // everything else: passed on
};

struct Route {
    Subject subject = Subject::other;
    std::string type;      // models, datasets, spaces, kernels
    std::string repo;      // "org/name", or "name" alone
    std::string revision;  // decoded: "main", "refs/pr/1", 40 hexadecimal digits; empty: none
    std::string path;      // below the revision, as written; empty: none
    std::string query;     // as written, without '?'

    // The revision is a commit: what lies under it never changes.
    bool is_immutable() const;
    // "datasets/org/name": the repository's name among all.
    std::string name() const { return type + "/" + repo; }
};

// For people: "'config.json' of models/org/name at 'main'"; empty for Subject::other and LFS.
std::string in_words(const Route& route);
// "the revision 'main' of models/org/name"; without a revision, the repository.
std::string revision_in_words(const Route& route);

// Total: what is not understood, or could be read two ways (dot segments, empty segments), is
// Subject::other.
Route route_of(std::string_view method, std::string_view target);

// A question for a listing, as query or as a body (a form, or JSON), asks with `expand` for what
// moves under a commit too: who changed it last, what a scan said of it. In doubt it does.
bool expands(std::string_view question);

// It reads what a repository has, or what repositories there are: not who asks, what they may do
// otherwise, or a token that can do more than read. In doubt it does not.
bool is_for_readers(const Route& route, std::string_view target);

// 40 lower-case hexadecimal digits.
bool is_commit(std::string_view revision);

// For a URL's path or query: all but unreserved characters (RFC 3986 section 2.3) and those of
// `kept` are percent-encoded.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

// Where the Hub has the same file under `commit`: path and query.
std::string file_target(const Route& route, std::string_view commit);
// Where it says which commit a revision is: its repository information.
std::string revision_target(const Route& route);

// Where it has the same listing (tree or paths_info) under `commit`: path and query.
std::string listing_target(const Route& route, std::string_view commit);

// One name for one thing, however it is written in a URL: the file under that commit.
std::string file_name(const Route& route, std::string_view commit);

}  // namespace hawker::hub
