// What ModelScope's API says in JSON: {"Code": 200, "Data": {"Files": [...]}, "Success": true}.
// Pure.
#pragma once

#include "base/digest.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hawker::modelscope {

// Does the API say yes? It may say no with status 200.
bool is_yes(std::string_view json);

struct Entry {
    Digest sha256;
    std::uint64_t size = 0;
};

// The files of a listing by their paths. Immutable.
class Listing {
public:
    // nullopt: this is no listing, or a no.
    static std::optional<Listing> parse(std::string_view json);

    // nullptr: not there, or there without SHA-256 and size.
    const Entry* find(std::string_view path) const;
    // It is there, whatever is said of it.
    bool names(std::string_view path) const;
    // Folders among them.
    std::size_t entries() const { return entries_; }

private:
    std::unordered_map<std::string, std::optional<Entry>> files_;
    std::size_t entries_ = 0;
};

}  // namespace hawker::modelscope
