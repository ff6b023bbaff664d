// Header lines from libcurl, one at a time, into one final response head. Pure.
#pragma once

#include "base/error.h"
#include "daemon/http/message.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace hawker::origin {

class HeadCollector {
public:
    explicit HeadCollector(bool head_request) : head_request_(head_request) {}

    // A line with its CRLF. 1xx heads are dropped (at most 16 of them), trailers too. Errc::invalid
    // for what facts F7 to F14 do not let an origin say: folded lines, a length beside a transfer
    // coding, two lengths, too much of everything.
    Expected<void> take(std::string_view line);
    bool complete() const { return complete_; }
    http::ResponseHead& head() { return head_; }
    http::Framing framing() const { return framing_; }

private:
    Expected<void> begin(std::string_view line);
    Expected<void> field(std::string_view line);
    Expected<void> end();

    bool head_request_;
    bool complete_ = false;
    int interim_ = 0;
    std::size_t bytes_ = 0;
    http::ResponseHead head_;
    http::Framing framing_ = http::Framing::none;
};

}  // namespace hawker::origin
