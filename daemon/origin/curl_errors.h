// Why a transfer failed: our code for what the caller can do, RFC 9209's word for the client. Not a
// door; only origin/ includes it.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

#include <curl/curl.h>

namespace hawker::origin {

struct Failure {
    Failure(Errc code, std::string what, std::string_view type)
        : error(code, std::move(what)), proxy_error(type) {}
    Error error;
    std::string_view proxy_error;  // RFC 9209 section 2.3
};

// What is known beside libcurl's code.
struct Circumstances {
    long os_error = 0;     // CURLINFO_OS_ERRNO
    bool dialled = false;  // at least one address was tried
    bool head_read = false;
    std::string_view sentence;  // libcurl's own, without credentials; may be empty
};

Failure failure_of(CURLcode code, const Circumstances& known);

}  // namespace hawker::origin
