// The Hub's answers, as a mirror gives them: heads of files behind redirects, listings without what
// leads to Xet, links in the mirror's own name. Pure.
#pragma once

#include "base/digest.h"
#include "daemon/http/message.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::hub {

// The head of a file, at the end of the redirects that led to it: what the Hub said of the file on
// the way (commit, linked tag and size) joins what the last server says of the bytes. The tag is
// strong, and the same whichever server sent the bytes. False when nobody on the way spoke as the
// Hub does: then this is not the file, whatever it is.
bool join_file_head(std::span<const http::ResponseHead> hops, http::ResponseHead& last);

// The URL that the Hub led to, and what it said that the bytes there hash to.
struct LinkedContent {
    std::string url;
    Digest sha256;
};
// nullopt where none of `bases` said it: further answers are others' words.
std::optional<LinkedContent> linked_content(std::span<const http::ResponseHead> hops,
                                            std::span<const std::string> bases);

// Takes away what would send a client to Xet, and what was for one client or one server alone.
void strip_for_mirror(http::Fields& fields);

// The `sha` of a repository's information: which commit the revision is now.
std::optional<std::string> commit_in(std::string_view info);

// Says what it is of, as a repository's information does.
bool is_information(std::string_view info);

// For whom a repository's information says that its files are: `private`, `gated` and `disabled`,
// which not every answer has. What is not said in so many words is unsaid.
enum class Openness : std::uint8_t { unsaid, open, gated, hidden };
Openness openness_in(std::string_view info);

// `json` without the members of that name, wherever they stand; the rest byte for byte. Text that
// is not JSON comes back as it is.
std::string without_member(std::string_view json, std::string_view name);

// A Link field's value (RFC 8288) whose targets on one of `bases` lead to `own_base` instead.
std::string links_in_our_name(std::string_view value, std::span<const std::string> bases,
                              std::string_view own_base);

// The members of a Link field; and whether one of them leads to Xet.
std::vector<std::string_view> link_members(std::string_view value);
bool leads_to_xet(std::string_view link);

// What its API answers is JSON: a page of a login or a captive portal, with status 200, is not.
bool is_of_the_api(const http::ResponseHead& head, std::string_view body);

// The Hub says that the commit is there and the file is not: that stays so.
bool says_no_entry(const http::ResponseHead& head);

}  // namespace hawker::hub
