// What clients ask of a mirror of the Hub, and what the Hub and Xet's servers answer: the first
// line is a target, the second a Link field, the rest JSON.
//
// Properties: a target of Xet's names https and one of its servers, and comes back from there as it
// was; an answer in our name stays as it is when it is read again; what is not ours stays byte for
// byte.
#include "daemon/hub/answers.h"
#include "daemon/hub/route.h"
#include "daemon/hub/xet.h"
#include "require.h"

#include <algorithm>
#include <array>
#include <string>

namespace {

using namespace hawker;
using hawker::fuzz::require;

constexpr std::string_view kOwnBase = "http://mirror.example:8090";

void check_target(std::string_view target, const hub::XetNames& names) {
    (void)hub::route_of("GET", target);
    (void)hub::xet_route_of(target);
    const auto url = hub::xet_server_url(target, names);
    if (!url) return;
    require(url->starts_with("https://"), "Xet's servers are spoken to over https");
    const std::string_view rest = std::string_view(*url).substr(8);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    require(authority.substr(0, authority.find(':')).contains("hf.co") ||
                authority.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos,
            "only Xet's servers are spoken to");
    require(!authority.contains('@'), "nobody else's name stands in front");
    const auto ours = hub::xet_url_in_our_name(*url, names);
    require(ours && std::string_view(*ours).substr(kOwnBase.size()) == target,
            "a target comes back as it was");
}

void check_answer(const std::string& json, const hub::XetNames& names) {
    const std::string ours = hub::xet_urls_in_our_name(json, names);
    require(hub::xet_urls_in_our_name(ours, names) == ours, "what is in our name stays");
    if (!json.contains("http")) require(ours == json, "what is not ours stays");
    (void)hub::commit_in(json);
    (void)hub::without_member(json, "xetHash");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::array<HostPattern, 1> servers = {*HostPattern::parse("*.hf.co")};
    static const std::array<std::string, 1> upstreams = {"https://huggingface.co"};
    const hub::XetNames names = {kOwnBase, servers};
    std::string_view input = fuzz::text_of(data, size);
    check_target(fuzz::take_line(input), names);
    const std::string_view link = fuzz::take_line(input);
    (void)hub::links_in_our_name(link, upstreams, kOwnBase);
    http::ResponseHead head;
    head.status = 302;
    head.fields.add("X-Repo-Commit", std::string(40, '1'));
    head.fields.add("X-Linked-Size", "1");
    head.fields.add("X-Xet-Hash", std::string(64, 'a'));
    head.fields.add("Link", link);
    (void)hub::xet_file_head(head, upstreams, names);
    check_answer(std::string(input), names);
    return 0;
}
