// Files that a listing says are in git itself: where the Hub has them follows from what it says, so
// that nobody needs to be redirected there. Pure.
#pragma once

#include "daemon/hub/route.h"

#include <string>
#include <string_view>
#include <vector>

namespace hawker::hub {

struct ListedFile {
    std::string path;  // as in a URL
    std::string oid;   // of its blob in git
    bool is_empty = false;
};

// Those of a tree's or a paths-info's entries that are no large files. Empty where it is neither.
std::vector<ListedFile> files_in_git(std::string_view listing);

// Where a question for the file is redirected to (facts of the Hub, 2026): path and query. `file`
// is a route whose path is the file's.
std::string place_in_git(const Route& file, std::string_view commit, std::string_view oid);

}  // namespace hawker::hub
