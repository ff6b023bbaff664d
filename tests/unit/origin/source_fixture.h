// A source and its origin; what came of asking it.
#pragma once

#include "daemon/origin/origin_source.h"
#include "tests/unit/origin/scripted_origin.h"

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace hawker::origin {

class OriginSourceTest : public WithOrigin {
public:
    OriginSourceTest() { options_.url = origin.url(); }

    OriginSource& source() {
        if (!source_)
            source_.emplace(options_, [this](Executor&) -> Client& { return *client; }, *loop);
        return *source_;
    }

    // Asks for `range` and reads to the end.
    void fetch(RangeSpec range = RangeSpec::whole()) { run(fetch_one(range)); }
    Task<void> fetch_one(RangeSpec range) {
        const auto transfer = source().open(range, *loop);
        auto got = co_await transfer->head();
        if (!got) {
            head_error = got.error();
            co_return;
        }
        arrival = std::move(*got);
        for (;;) {
            auto bytes = co_await transfer->read();
            if (!bytes) {
                body_error = bytes.error().code;
                co_return;
            }
            if (bytes->empty()) co_return;
            body.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        }
    }

    static std::string partial(std::string_view range, std::string_view text) {
        return fmt::format(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: {}\r\nContent-Length: {}\r\n\r\n{}",
            range, text.size(), text);
    }
    static std::string redirect(std::string_view location, std::string_view fields = "") {
        return fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\n{}Content-Length: 0\r\n\r\n",
                           location, fields);
    }
    bool sent(std::size_t request, std::string_view line) const {
        return origin.requests.at(request).contains(fmt::format("\r\n{}\r\n", line));
    }

    SourceOptions options_;
    std::optional<OriginSource> source_;
    std::optional<cache::Arrival> arrival;
    std::optional<Error> head_error;
    std::optional<Errc> body_error;
    std::string body;
};

}  // namespace hawker::origin
