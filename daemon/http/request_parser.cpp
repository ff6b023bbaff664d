#include "daemon/http/request_parser.h"

#include "daemon/http/grammar.h"
#include "daemon/http/head_bytes.h"
#include "daemon/http/request_target.h"

#include <algorithm>
#include <limits>

#include <boost/beast/http/basic_parser.hpp>

namespace hawker::http {

namespace {

namespace beast = boost::beast;

using Refusal = std::optional<BadRequest>;

Refusal refuse(int status, std::string_view sentence) {
    return BadRequest(status, std::string(sentence));
}

// Collects what Beast reads of the fields of one complete head. The body is left to the connection.
class FieldParser final : public beast::http::basic_parser<true> {
public:
    explicit FieldParser(RequestHead& head) : head_(head) {
        skip(true);
        header_limit(std::numeric_limits<std::uint32_t>::max());  // ours are checked already
        body_limit(boost::none);
    }

    // True when `text` was the fields of one head from its first to its last byte. The request line
    // has been read: Beast, which wants one, gets a short one.
    bool parse(std::string_view text, beast::error_code& error) {
        constexpr std::string_view kSomeLine = "GET / HTTP/1.1\r\n";
        put(boost::asio::buffer(kSomeLine.data(), kSomeLine.size()), error);
        if (error != beast::http::error::need_more) return false;
        const std::size_t taken = put(boost::asio::buffer(text.data(), text.size()), error);
        return !error && is_header_done() && taken == text.size();
    }

private:
    using Text = beast::string_view;

    void on_request_impl(beast::http::verb, Text, Text, int, beast::error_code&) override {}
    void on_field_impl(beast::http::field, Text name, Text value, beast::error_code&) override {
        head_.fields.add({name.data(), name.size()}, {value.data(), value.size()});
    }
    void on_response_impl(int, Text, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(Text, beast::error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text, beast::error_code&) override { return 0; }
    void on_finish_impl(beast::error_code&) override {}

    RequestHead& head_;
};

BadRequest refusal_of(const beast::error_code& error) {
    using Cause = beast::http::error;
    if (error == Cause::bad_content_length)
        return {400,
                "Content-Length must be one decimal number, sent once and never beside "
                "Transfer-Encoding."};
    if (error == Cause::bad_transfer_encoding)
        return {400, "Transfer-Encoding must be sent once and never beside Content-Length."};
    if (error == Cause::bad_value)
        return {400, "The Connection field must be a list of names separated by commas."};
    return {400,
            "A field must read 'Name: value', with a name of letters, digits and hyphens and "
            "no space before the colon."};
}

// 1.2 to 1.9 count as 1.1 (RFC 9110 section 2.5).
Refusal read_head(const HeadBytes& bytes, RequestHead& head) {
    head.method = bytes.method;
    head.target = bytes.target;
    head.minor_version = bytes.minor_version == '0' ? 0 : 1;
    FieldParser parser(head);
    beast::error_code error;
    if (!parser.parse(bytes.fields, error)) return refusal_of(error);
    return std::nullopt;
}

Refusal settle_host(RequestHead& head) {
    const auto host = head.fields.get("Host");
    if (head.fields.count("Host") > 1)
        return refuse(400, "The request has more than one Host field: send one.");
    if (!host && head.minor_version > 0)
        return refuse(400, "The request has no Host field: HTTP/1.1 requires one.");
    if (host && !is_authority(*host, Port::optional))
        return refuse(400, "The Host field is not 'host' or 'host:port'.");
    auto form = form_of_target(head.method, head.target);
    if (!form) return std::move(form.error());
    head.form = *form;
    // RFC 9112 section 3.2.2: what the client wrote in Host is ignored and replaced.
    if (head.form != TargetForm::absolute) return std::nullopt;
    const std::string_view authority = authority_of(head.target);
    if (host != authority) head.fields.set("Host", authority);
    return std::nullopt;
}

Refusal refusal_of_coding(const RequestHead& head) {
    const auto codings = head.fields.all("Transfer-Encoding");
    if (head.minor_version == 0)
        return refuse(
            400,
            "Transfer-Encoding is not part of HTTP/1.0: send Content-Length, or speak HTTP/1.1.");
    if (head.fields.has("Content-Length"))
        return refuse(400,
                      "Content-Length and Transfer-Encoding exclude each other: send one of them.");
    if (codings.size() > 1)
        return refuse(400, "Transfer-Encoding was sent more than once: send 'chunked' once.");
    if (equals_ignoring_case(codings.front(), "chunked")) return std::nullopt;
    const auto members = list_members(codings.front());
    const auto is_chunked = [](std::string_view coding) {
        return equals_ignoring_case(coding, "chunked");
    };
    const auto chunked = std::ranges::count_if(members, is_chunked);
    const bool is_understood =
        !members.empty() && std::ranges::all_of(members, is_token) &&
        (chunked == 0 || (chunked == 1 && members.size() > 1 && is_chunked(members.back())));
    if (!is_understood) return refuse(400, "Transfer-Encoding must be exactly 'chunked'.");
    return refuse(501,
                  "This transfer coding is not known here: send the body with 'Transfer-Encoding: "
                  "chunked' alone.");
}

Refusal settle_framing(RequestHead& head) {
    const auto lengths = head.fields.all("Content-Length");
    if (head.fields.has("Transfer-Encoding")) {
        if (auto refusal = refusal_of_coding(head)) return refusal;
        head.framing = Framing::chunked;
    } else if (!lengths.empty()) {
        if (lengths.size() > 1)
            return refuse(400, "Content-Length was sent more than once: send it once.");
        const auto length = parse_decimal(lengths.front());
        if (!length || *length > std::numeric_limits<std::int64_t>::max())
            return refuse(
                400, "Content-Length must be one decimal number below 2^63, without sign or list.");
        head.framing = Framing::length;
        head.content_length = *length;
    }
    if (head.method != "CONNECT") return std::nullopt;
    // Some clients send `Content-Length: 0` with CONNECT; that is no body.
    if (head.framing == Framing::chunked || head.content_length > 0)
        return refuse(400, "CONNECT has no body: send what is for the tunnel after the answer.");
    head.framing = Framing::none;
    return std::nullopt;
}

Refusal settle_expectation(RequestHead& head) {
    const auto expectations = head.fields.all("Expect");
    if (expectations.empty() || head.minor_version == 0) return std::nullopt;
    if (expectations.size() > 1 || !equals_ignoring_case(expectations.front(), "100-continue"))
        return refuse(417, "The only expectation known here is 'Expect: 100-continue', sent once.");
    // Without a body there is nothing to wait for, and nothing to say before the answer.
    head.expects_continue = head.framing == Framing::chunked ||
                            (head.framing == Framing::length && head.content_length > 0);
    return std::nullopt;
}

// HTTP/1.0 keep-alive never crosses a proxy (RFC 9112 section 9.3). Proxy-Connection is what old
// clients say instead.
bool wants_another(const RequestHead& head) {
    if (head.minor_version == 0) return false;
    return !list_has(head.fields.joined("Connection"), "close") &&
           !list_has(head.fields.joined("Proxy-Connection"), "close");
}

}  // namespace

std::expected<std::size_t, BadRequest> parse_request_head(std::span<const std::byte> bytes,
                                                          const HeadLimits& limits,
                                                          RequestHead& head) {
    auto found = find_head({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, limits);
    if (!found) return std::unexpected(std::move(found.error()));
    if (!*found) return 0;

    if (auto refusal = read_head(**found, head)) return std::unexpected(std::move(*refusal));
    for (const auto settle : {settle_host, settle_framing, settle_expectation})
        if (auto refusal = settle(head)) return std::unexpected(std::move(*refusal));
    head.keep_alive = wants_another(head);
    return (*found)->consumed;
}

std::expected<std::optional<ParsedHead>, BadRequest> parse_request_head(
    std::span<const std::byte> bytes, const HeadLimits& limits) {
    ParsedHead parsed;
    auto consumed = parse_request_head(bytes, limits, parsed.head);
    if (!consumed) return std::unexpected(std::move(consumed.error()));
    if (*consumed == 0) return std::nullopt;
    parsed.consumed = *consumed;
    return parsed;
}

}  // namespace hawker::http
