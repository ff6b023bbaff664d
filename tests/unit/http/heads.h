// The vocabulary of the tests about request heads: text in, verdict out.
#pragma once

#include "daemon/http/request_parser.h"

#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hawker::http {

inline auto parse(std::string_view text, const HeadLimits& limits = HeadLimits()) {
    return parse_request_head(std::as_bytes(std::span(text)), limits);
}

// The status that answers `text`; 200 when it is accepted, 0 while it is not complete.
inline int status_of(std::string_view text, const HeadLimits& limits = HeadLimits()) {
    const auto parsed = parse(text, limits);
    if (!parsed) return parsed.error().status;
    return *parsed ? 200 : 0;
}

inline std::string sentence_of(std::string_view text) {
    const auto parsed = parse(text);
    return parsed ? "" : parsed.error().sentence;
}

inline RequestHead accepted(std::string_view text) {
    auto parsed = parse(text);
    if (!parsed || !*parsed) {
        ADD_FAILURE() << "refused: " << text << (parsed ? "" : parsed.error().sentence);
        return {};
    }
    return std::move((*parsed)->head);
}

// A GET with these field lines behind its Host.
inline std::string with_fields(std::string_view lines, std::string_view version = "HTTP/1.1") {
    return "GET /a " + std::string(version) + "\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

struct Case {
    std::string_view fact;  // of docs: the row that this tests
    std::string text;
    int status;
};

inline void expect_statuses(std::span<const Case> cases) {
    for (const Case& it : cases)
        EXPECT_EQ(status_of(it.text), it.status) << it.fact << ": " << it.text;
}

}  // namespace hawker::http
