// The fixture of tests that make one request and look at what came of it.
#pragma once

#include "tests/unit/origin/scripted_origin.h"

namespace hawker::origin {

class OneRequest : public WithOrigin {
public:
    // The only request of a test: its head's error, or what its body came to.
    void fetch(Request request) { run(fetch_one(std::move(request))); }
    void fetch() { fetch(get(origin.url())); }

    Task<void> fetch_one(Request request) {
        const auto response = client->send(std::move(request));
        auto got = co_await response->head();
        if (got) {
            answered = std::move(*got);
            framing = response->framing();
            outcome = co_await read_all(*response);
        } else {
            head_error = got.error();
        }
        proxy_error = response->proxy_error();
    }

    http::ResponseHead answered;
    std::optional<Error> head_error;
    http::Framing framing = http::Framing::none;
    Outcome outcome;
    std::string proxy_error;
};

}  // namespace hawker::origin
