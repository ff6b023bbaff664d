// libcurl's codes in our words.
#pragma once

#include "base/error.h"

#include <string_view>

#include <curl/curl.h>

namespace hawker::origin {

struct CurlError {
    Errc code;
    std::string_view proxy_error;  // RFC 9209 section 2.3
};
CurlError translate(CURLcode code);

}  // namespace hawker::origin
