// Heads of ModelScope's files, as a mirror gives them. Pure.
#pragma once

#include "daemon/http/message.h"
#include "daemon/modelscope/listing.h"

#include <span>

namespace hawker::modelscope {

// The head of a file at the end of the redirects that led to it. It gets the tag that the listing
// gives the content, which is the same whichever server sent the bytes. False when the answer
// cannot be this file: another size, or the API's own words (a missing file is 200 and JSON).
bool join_file_head(const Entry& entry, std::span<const http::ResponseHead> hops,
                    http::ResponseHead& last);

// The size of the whole that an answer speaks of; nullopt when it does not say.
std::optional<std::uint64_t> size_told(const http::ResponseHead& head);

}  // namespace hawker::modelscope
