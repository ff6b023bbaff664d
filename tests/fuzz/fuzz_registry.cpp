// What clients ask of a mirror of an OCI registry: the first line is a target, the second an
// Accept, the third what a header names as a registry, the rest a manifest.
//
// Properties: what is taken apart is the specification's grammar, and comes to the same when it is
// put together; `ns` is gone; a registry's URL is read again as itself and names nobody in front.
#include "daemon/registry/manifest.h"
#include "daemon/registry/namespaces.h"
#include "daemon/registry/route.h"
#include "filters/url.h"
#include "require.h"

#include <fmt/format.h>

namespace {

using namespace hawker;
using hawker::fuzz::require;

void check_route(std::string_view target) {
    const registry::Route route = registry::route_of(target);
    const bool has_name = !route.name.empty();
    if (!has_name) return;
    require(route.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-/") ==
                std::string::npos,
            "a name has the specification's letters");
    require(!route.name.contains("..") && !route.name.contains("//"), "and leads nowhere else");
    require(!route.digest || registry::digest_text(*route.digest) == route.reference,
            "a digest is written in one way");
    const std::string_view word = route.subject == registry::Subject::manifest ? "manifests"
                                  : route.subject == registry::Subject::blob   ? "blobs"
                                  : route.subject == registry::Subject::tags   ? "tags"
                                                                               : "referrers";
    const registry::Route again =
        registry::route_of(fmt::format("/v2/{}/{}/{}", route.name, word, route.reference));
    require(again.subject == route.subject && again.name == route.name &&
                again.reference == route.reference,
            "a route is read again as itself");
}

void check_namespace(std::string_view target) {
    const registry::Asked asked = registry::take_namespace(target);
    require(!registry::take_namespace(asked.target).ns, "ns is taken out");
    require(asked.target.size() <= target.size(), "and nothing is put in");
    require(asked.ns || asked.target == target, "without it nothing changes");
}

void check_upstream(std::string_view text) {
    const auto url = registry::upstream_url(text);
    if (!url) return;
    require(registry::upstream_url(*url) == *url, "a registry's URL is read again as itself");
    const auto parsed = filters::parse_url(*url);
    require(parsed && !parsed->has_query, "and is one");
    require(!parsed->host.contains('@'), "nobody else's name stands in front");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::string_view target = fuzz::take_line(input);
    check_route(target);
    check_namespace(target);
    http::Fields fields;
    fields.add("Accept", fuzz::take_line(input));
    const std::string accepted = registry::accepted_types(fields);
    http::Fields again;
    again.add("Accept", accepted);
    require(registry::accepted_types(again) == accepted, "an Accept's normal form is normal");
    check_upstream(fuzz::take_line(input));
    http::ResponseHead head;
    (void)registry::check_manifest(head, input, std::nullopt);
    return 0;
}
