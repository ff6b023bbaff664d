#include "daemon/http/head_bytes.h"

#include "daemon/http/grammar.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hawker::http {

namespace {

// The longest registered method has 17 characters (UPDATEREDIRECTREF).
constexpr std::size_t kLongestMethod = 64;

std::unexpected<BadRequest> bad_head(int status, std::string sentence) {
    return std::unexpected(BadRequest(status, std::move(sentence)));
}

enum class Line { request, field };

constexpr bool is_printable_ascii(char c) { return c >= 0x20 && c < 0x7F; }

using ByteClass = std::array<bool, 256>;
constexpr ByteClass bytes_that(bool (*belong)(char)) {
    ByteClass bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = belong(static_cast<char>(i));
    return bytes;
}
constexpr ByteClass kPlainInRequest = bytes_that(is_printable_ascii);
constexpr ByteClass kPlainInField = bytes_that(is_field_byte);

// Walks over the bytes once, line by line.
class HeadScanner {
public:
    HeadScanner(std::string_view bytes, const HeadLimits& limits)
        : bytes_(bytes), limits_(limits) {}

    std::expected<std::optional<HeadBytes>, BadRequest> scan();

private:
    using Refusal = std::optional<BadRequest>;

    // From `at` on, over what no rule speaks of.
    std::size_t behind_plain_bytes(Line kind, std::size_t at, bool has_space) const;
    // The next line without its CRLF; nullopt when its end has not arrived.
    std::expected<std::optional<std::string_view>, BadRequest> next_line(Line kind);
    Refusal refusal_of_byte(Line kind, std::size_t at, bool has_space) const;
    Refusal refusal_of_length(Line kind, std::size_t at, bool has_space) const;

    std::string_view bytes_;
    const HeadLimits& limits_;
    std::size_t at_ = 0;
    std::size_t field_lines_ = 0;
};

// TLS and HTTP/2 clients get told what they have met instead of a riddle about control bytes.
bool is_tls_client_hello(std::string_view bytes) { return bytes.starts_with("\x16\x03"); }

// "METHOD target HTTP/1.1" in its three parts, each without a space.
struct RequestLine {
    explicit RequestLine(std::string_view line)
        : method(line.substr(0, line.find(' '))), version(line.substr(line.rfind(' ') + 1)) {
        const std::size_t around = method.size() + version.size() + 2;
        if (line.size() > around) target = line.substr(method.size() + 1, line.size() - around);
    }
    std::string_view method, target, version;
};

std::optional<BadRequest> refusal_of_request_line(std::string_view line) {
    if (line.starts_with("PRI * HTTP/2"))
        return BadRequest(505,
                          "This port speaks plain HTTP/1.1 and got the start of HTTP/2: switch "
                          "HTTP/2 prior knowledge off "
                          "for the proxy.");
    const auto [method, target, version] = RequestLine(line);
    const bool has_version = version.size() == 8 && version.starts_with("HTTP/") &&
                             is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    if (has_version && version[5] != '1')
        return BadRequest(
            505, fmt::format("This port speaks HTTP/1.1, not {}: send the request as HTTP/1.1.",
                             version));
    if (has_version && !is_token(method))
        return BadRequest(400, "The method must be a token like GET, followed by one space.");
    if (!has_version || target.empty() || target.contains(' '))
        return BadRequest(400,
                          "The request line must read 'METHOD target HTTP/1.1', with single spaces "
                          "and nothing after it.");
    return std::nullopt;
}

std::expected<std::optional<HeadBytes>, BadRequest> HeadScanner::scan() {
    if (bytes_.starts_with('\x16')) {
        if (bytes_.size() < 2) return std::nullopt;
        if (is_tls_client_hello(bytes_))
            return bad_head(
                400,
                "This port speaks plain HTTP and got a TLS handshake: write http://, not "
                "https://, in the address of the proxy.");
    }
    // RFC 9112 section 2.2: one empty line that an old client left behind its last body.
    if (bytes_.starts_with("\r\n")) at_ = 2;
    auto line = next_line(Line::request);
    if (!line) return std::unexpected(std::move(line.error()));
    if (!*line) return std::nullopt;
    const std::string_view request_line = **line;
    if (request_line.empty())
        return bad_head(
            400, "More than one empty line stands before the request line: send at most one.");
    if (auto refusal = refusal_of_request_line(request_line))
        return std::unexpected(std::move(*refusal));
    const std::size_t fields = at_;

    do {
        line = next_line(Line::field);
        if (!line) return std::unexpected(std::move(line.error()));
        if (!*line) return std::nullopt;
    } while (!(*line)->empty());

    const RequestLine parts(request_line);
    HeadBytes head;
    head.method = parts.method;
    head.target = parts.target;
    head.fields = bytes_.substr(fields, at_ - fields);
    head.minor_version = parts.version.back();
    head.consumed = at_;
    return head;
}

std::expected<std::optional<std::string_view>, BadRequest> HeadScanner::next_line(Line kind) {
    const std::size_t start = at_;
    bool has_space = false;
    for (std::size_t i = start; i < bytes_.size(); ++i) {
        i = behind_plain_bytes(kind, i, has_space);
        if (i == bytes_.size()) break;
        if (i + 1 >= limits_.head_bytes)
            return bad_head(
                431,
                fmt::format(
                    "The request head is larger than {} bytes: send fewer or smaller fields, or "
                    "raise the limit.",
                    limits_.head_bytes));
        if (bytes_[i] == '\r') {
            if (i + 1 == bytes_.size()) return std::nullopt;
            if (bytes_[i + 1] != '\n')
                return bad_head(
                    400,
                    "A CR in the request head is not followed by LF: end every line with CRLF.");
            at_ = i + 2;
            return bytes_.substr(start, i - start);
        }
        if (i == start && kind == Line::field) ++field_lines_;
        if (auto refusal = refusal_of_byte(kind, i, has_space))
            return std::unexpected(std::move(*refusal));
        if (auto refusal = refusal_of_length(kind, i, has_space))
            return std::unexpected(std::move(*refusal));
        has_space = has_space || bytes_[i] == ' ';
    }
    return std::nullopt;
}

std::size_t HeadScanner::behind_plain_bytes(Line kind, std::size_t at, bool has_space) const {
    // The first byte of a field, and the method, have rules of their own.
    if (kind == Line::field ? at == at_ : !has_space) return at;
    const std::size_t longest =
        kind == Line::field ? limits_.field_bytes : limits_.request_line_bytes;
    const std::size_t end = std::min({bytes_.size(), at_ + longest, limits_.head_bytes - 1});
    const auto& plain = kind == Line::field ? kPlainInField : kPlainInRequest;
    at = behind_printable_ascii(bytes_.substr(0, end), at);
    while (at < end && plain[static_cast<unsigned char>(bytes_[at])]) ++at;
    return at;
}

HeadScanner::Refusal HeadScanner::refusal_of_byte(Line kind, std::size_t at, bool has_space) const {
    const char c = bytes_[at];
    if (c == '\n')
        return BadRequest(
            400, "A line of the request head ends with LF alone: end every line with CRLF.");
    if (kind == Line::request) {
        if (is_printable_ascii(c)) return std::nullopt;
        return has_space ? BadRequest(400,
                                      "The request line holds a byte that is not printable ASCII: "
                                      "percent-encode it.")
                         : BadRequest(400,
                                      "The method holds a byte that is not a letter: this port "
                                      "expects an HTTP/1.1 request.");
    }
    if (at == at_ && (c == ' ' || c == '\t'))
        return field_lines_ == 1 ? BadRequest(400,
                                              "White space stands between the request line and the "
                                              "first field: remove it.")
                                 : BadRequest(400,
                                              "A field goes on over a second line: folding is "
                                              "obsolete, send it on one line.");
    if (!is_field_byte(c))
        return BadRequest(400,
                          "A field holds a control byte: only printable characters, spaces and "
                          "tabs may stand there.");
    return std::nullopt;
}

HeadScanner::Refusal HeadScanner::refusal_of_length(Line kind, std::size_t at,
                                                    bool has_space) const {
    const std::size_t length = at - at_ + 1;
    if (kind == Line::request) {
        if (!has_space && bytes_[at] != ' ' && length > kLongestMethod)
            return BadRequest(
                501, "The method has more than 64 characters: no such method is known here.");
        if (length > limits_.request_line_bytes)
            return BadRequest(
                414, fmt::format(
                         "The request line is longer than {} bytes: shorten the URL, or raise the "
                         "limit.",
                         limits_.request_line_bytes));
        return std::nullopt;
    }
    if (length > limits_.field_bytes)
        return BadRequest(
            431, fmt::format("A field is longer than {} bytes: shorten it, or raise the limit.",
                             limits_.field_bytes));
    if (field_lines_ > limits_.field_count)
        return BadRequest(
            431, fmt::format("The request has more than {} fields: send fewer, or raise the limit.",
                             limits_.field_count));
    return std::nullopt;
}

}  // namespace

std::expected<std::optional<HeadBytes>, BadRequest> find_head(std::string_view bytes,
                                                              const HeadLimits& limits) {
    return HeadScanner(bytes, limits).scan();
}

}  // namespace hawker::http
