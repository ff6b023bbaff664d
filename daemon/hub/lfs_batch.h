// The Git LFS batch API as a mirror speaks it: downloads whose links lead to the mirror, each bound
// to the object it is for. Pure.
#pragma once

#include "base/digest.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::hub {

// A download that a batch answer offers.
struct LfsDownload {
    Digest oid;
    std::uint64_t size = 0;
    std::string href;
    bool brings_credentials = false;   // the answer tells the client to send an Authorization there
    bool needs_mirrors_token = false;  // which it told, and which is for nobody's eyes
    std::int64_t until = 0;            // Unix seconds
};

// The question, without transfers that go past us; nullopt for what is no question for downloads
// (an upload, or not JSON): that is passed on as it is.
std::optional<std::string> plain_download(std::string_view question);

// The answer with every download's link replaced by what `our_link` says, and good for as long as
// that says. Fields that hold `token`, where there is one, leave the answer. Objects that are named
// by anything but a SHA-256, links that come with other fields than Authorization and Accept, and
// uploads, keep theirs. nullopt when it is no batch answer.
std::optional<std::string> with_our_links(
    std::string_view answer, std::int64_t now, std::string_view token,
    const std::function<std::string(const LfsDownload&)>& our_link);

// "/.hawker/lfs/{oid}/{size}/{until}/{c, t or -}/{seal}/{href in base64url}": what a link is made
// of, to be sealed by whoever gives it out.
std::string lfs_target(const LfsDownload& download, std::string_view seal);
// Is it meant as one? It may have been made by anybody.
bool is_lfs_target(std::string_view target);
struct SealedDownload {
    LfsDownload download;
    std::string seal;
};
std::optional<SealedDownload> read_lfs_target(std::string_view target);

}  // namespace hawker::hub
