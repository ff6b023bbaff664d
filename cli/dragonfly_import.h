// A dfdaemon's configuration, as one of ours.
//
// Thread:  any; pure.
// Failure: Errc::invalid when the text is no YAML, or no dfdaemon's configuration.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace hawker::cli {

struct Imported {
    // A whole configuration file. Its comments say what was not taken over, and why. It holds no
    // password and no key.
    std::string text;
    // Of these, what changes something: "dfdaemon.yaml:12: proxy.prefetch: ...".
    std::vector<std::string> lost;
};

// `text` is dfget.yaml or dfdaemon.yaml, or a Helm chart's values with one of them under `client`,
// `dfdaemon`, `seedClient` or `seedPeer`. `name` is what messages call it.
Expected<Imported> import_dfdaemon(const std::string& text, std::string_view name);

}  // namespace hawker::cli
