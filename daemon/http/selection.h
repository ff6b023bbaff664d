// RFC 9111 section 4.1: which of several stored responses a request selects. Pure.
#pragma once

#include "daemon/http/message.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hawker::http {

// The fields of a request that the response was selected by, in lower case, sorted, each once: what
// Vary names, and Accept-Encoding where the content is coded and Vary does not say so. nullopt for
// `*`, for what is no list of names, and for more names than anybody needs.
std::optional<std::vector<std::string>> selecting_fields(const Fields& response);

// What `request` has in these fields, in one spelling: lines of one name are joined, and space
// around commas goes; where letter case means nothing, it goes too. Two requests with the same text
// select the same response. Secrets stand in it: hash it.
std::string selection_of(const Fields& request, std::span<const std::string> names);

}  // namespace hawker::http
