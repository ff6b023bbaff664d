// What clients ask of a mirror of ModelScope, and what its API answers: the first line is a target,
// the second a path, the rest JSON.
//
// Properties: a file's listings are listings of the same repository and revision; what is in a
// listing has one digest; a no is no listing; a question has one name however often it is named.
#include "daemon/modelscope/file_head.h"
#include "daemon/modelscope/listing.h"
#include "daemon/modelscope/route.h"
#include "require.h"

#include <array>
#include <string>

namespace {

using namespace hawker;
using hawker::fuzz::require;

void check_target(std::string_view target) {
    const modelscope::Route route = modelscope::route_of("GET", target);
    if (route.subject == modelscope::Subject::other) return;
    const std::string name = modelscope::document_name(target);
    require(modelscope::document_name(name) == name, "a name is its own name");
    if (route.subject != modelscope::Subject::file) return;
    require(!route.path.empty() && route.path.front() != '/', "a path lies in its repository");
    require(!("/" + route.path + "/").contains("/../"), "and stays there");
    for (const std::string& listing :
         {modelscope::listing_target(route, 1), modelscope::folder_target(route, 2)}) {
        const modelscope::Route of = modelscope::route_of("GET", listing);
        require(of.subject == modelscope::Subject::listing, "a listing is asked for");
        require(of.name() == route.name() && of.revision == route.revision, "the same one");
    }
}

void check_listing(std::string_view path, std::string_view json) {
    const auto listing = modelscope::Listing::parse(json);
    if (!listing) return;
    require(modelscope::is_yes(json), "a no is no listing");
    const modelscope::Entry* const entry = listing->find(path);
    if (!entry) return;
    require(listing->names(path) && listing->entries() > 0, "what is found is named");
    http::ResponseHead head;
    head.status = 200;
    head.fields.add("Content-Length", std::to_string(entry->size));
    const std::array<http::ResponseHead, 1> hops = {head};
    require(modelscope::join_file_head(*entry, hops, head), "its own size fits");
    head.fields.set("Content-Length", std::to_string(entry->size + 1));
    require(!modelscope::join_file_head(*entry, hops, head) || entry->size + 1 == 0,
            "another one does not");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    check_target(fuzz::take_line(input));
    const std::string_view path = fuzz::take_line(input);
    check_listing(path, input);
    return 0;
}
