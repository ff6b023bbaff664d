// Xet through a mirror: its servers' URLs in the mirror's own name, and back. Pure.
//
//   https://cas-server.xethub.hf.co/v2/reconstructions/…
//   {own_base}/xet/https/cas-server.xethub.hf.co/v2/reconstructions/…
//
// Nothing is remembered between the two: a signed URL keeps its query, and is still good after a
// restart, or at another mirror beside this one.
#pragma once

#include "base/host_pattern.h"
#include "daemon/http/message.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker::hub {

// What a mirror calls itself and whom it takes for a server of Xet's.
struct XetNames {
    std::string_view own_base;             // "http://mirror.example:8090"
    std::span<const HostPattern> servers;  // only these are spoken to
};

enum class XetRoute : std::uint8_t {
    none,
    token,           // of the Hub: which server, and the right to read from it
    write_token,     // the same, to write
    reconstruction,  // of a server: which ranges of which xorbs make up a file
    server,          // of a server: anything else, xorbs among it
};
XetRoute xet_route_of(std::string_view target);

// The server's URL that a target of ours stands for; nullopt when it is none, or the host is not
// among the servers.
std::optional<std::string> xet_server_url(std::string_view target, const XetNames& names);
// The other way: nullopt when the URL is not one of a server's.
std::optional<std::string> xet_url_in_our_name(std::string_view url, const XetNames& names);
// JSON with every string that is such a URL in our name; the rest byte for byte.
std::string xet_urls_in_our_name(std::string_view json, const XetNames& names);

// What a head says of Xet, in our name; empty what it does not say.
struct XetFields {
    std::string hash;
    std::string refresh_route;
    std::string links;
};
XetFields xet_fields(const http::Fields& fields, std::span<const std::string> upstreams,
                     const XetNames& names);
// Says it, in place of nothing.
void add_xet_fields(http::Fields& fields, const XetFields& said);

// What the Hub said to a HEAD of a file that is kept in Xet, with a redirect or without: as the
// mirror says it, complete and without a redirect. False when the file is not in Xet: then nothing
// was changed.
bool xet_file_head(http::ResponseHead& head, std::span<const std::string> upstreams,
                   const XetNames& names);

}  // namespace hawker::hub
