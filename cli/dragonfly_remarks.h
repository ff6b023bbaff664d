// What there is to say about the keys of a dfdaemon's file.
//
// Thread: one.
#pragma once

#include "cli/dragonfly_keys.h"

#include <string>
#include <string_view>
#include <vector>

namespace hawker::cli {

// A line of a comment: whatever the file held, it stays on it.
std::string printable(std::string_view text);

class Remarks {
public:
    void add(int line, std::string key, std::string why, Weight weight = Weight::lost);

    // As lines of a comment, one for each sentence and each place; a sentence that fits ten keys is
    // said once.
    std::string list_of(Weight weight) const;
    // "dfdaemon.yaml:12: proxy.prefetch: ..."
    std::vector<std::string> lost_from(std::string_view file) const;

private:
    struct Remark {
        int line = 0;
        std::string key;
        std::string why;
        Weight weight = Weight::lost;
    };
    std::vector<Remark> remarks_;
};

}  // namespace hawker::cli
