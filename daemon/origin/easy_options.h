// Sets options of an easy handle and keeps the first failure. Not a door; only origin/ includes it.
#pragma once

#include "base/error.h"

#include <string>

#include <curl/curl.h>

namespace hawker::origin {

class Options {
public:
    explicit Options(CURL* easy) : easy_(easy) {}

    template <typename Value>
    void set(CURLoption option, Value value) {
        const CURLcode code = curl_easy_setopt(easy_, option, value);
        if (first_ == CURLE_OK) first_ = code;
    }
    void set(CURLoption option, const std::string& value) { set(option, value.c_str()); }

    // libcurl only fails here when it has no memory.
    Expected<void> result() const {
        if (first_ == CURLE_OK) return {};
        return fail(Errc::exhausted,
                    std::string("prepare a transfer: ") + curl_easy_strerror(first_));
    }

private:
    CURL* easy_;
    CURLcode first_ = CURLE_OK;
};

}  // namespace hawker::origin
