// The way of a client's bytes: request head, then chunked body.
//
// Properties: what we accept, Debian's http-parser accepts too and reads the same way (method,
// target, version, fields, framing, body, end of message), so that no server behind us can see
// another message than we did; and where the input is cut never changes the verdict. We accept less
// than http-parser by intent. Two things we accept and it does not: a method it has no number for,
// which is replaced before it looks; and a field whose name only begins with "Transfer-Encoding",
// which 2.9.4 takes for that field, so that such a head is not compared.
#include "daemon/http/chunked.h"
#include "daemon/http/request_parser.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <http_parser.h>

namespace {

using namespace hawker::http;

void require(bool holds, std::string_view property) {
    if (holds) return;
    fmt::print(stderr, "violated: {}\n", property);
    std::abort();
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

// ---- the other parser ----

struct Other {
    std::string target, body;
    std::vector<Field> fields;
    bool is_in_value = false, has_head = false, is_complete = false, keeps_alive = false,
         is_chunked = false;
    std::optional<std::uint64_t> length;
    std::string method;
    int minor = 0;
    bool is_accepted = false;
};

Other& other_of(http_parser* parser) { return *static_cast<Other*>(parser->data); }

int on_url(http_parser* parser, const char* at, std::size_t length) {
    other_of(parser).target.append(at, length);
    return 0;
}

int on_name(http_parser* parser, const char* at, std::size_t length) {
    Other& other = other_of(parser);
    if (other.has_head) return 0;  // a trailer
    if (other.fields.empty() || other.is_in_value) other.fields.emplace_back();
    other.is_in_value = false;
    other.fields.back().name.append(at, length);
    return 0;
}

int on_value(http_parser* parser, const char* at, std::size_t length) {
    Other& other = other_of(parser);
    if (other.has_head) return 0;
    other.is_in_value = true;
    other.fields.back().value.append(at, length);
    return 0;
}

int on_head(http_parser* parser) {
    Other& other = other_of(parser);
    other.has_head = true;
    other.method = http_method_str(static_cast<http_method>(parser->method));
    other.minor = parser->http_minor;
    other.is_chunked = (parser->flags & F_CHUNKED) != 0;
    if ((parser->flags & F_CONTENTLENGTH) != 0) other.length = parser->content_length;
    other.keeps_alive = http_should_keep_alive(parser) != 0;
    return 0;
}

int on_body(http_parser* parser, const char* at, std::size_t length) {
    other_of(parser).body.append(at, length);
    return 0;
}

int on_complete(http_parser* parser) {
    other_of(parser).is_complete = true;
    return 0;
}

Other read_with_other(std::string_view text) {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_head;
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    Other other;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &other;
    const std::size_t taken = http_parser_execute(&parser, &settings, text.data(), text.size());
    other.is_accepted = HTTP_PARSER_ERRNO(&parser) == HPE_OK && taken == text.size();
    // It keeps white space behind a value.
    for (Field& field : other.fields) field.value.erase(field.value.find_last_not_of(" \t") + 1);
    return other;
}

bool is_known_to_other(std::string_view method) {
    for (int number = 0; number <= HTTP_SOURCE; ++number)
        if (method == http_method_str(static_cast<http_method>(number))) return true;
    return false;
}

// ---- heads ----

using Parsed = decltype(parse_request_head({}, HeadLimits()));

Parsed parse(std::string_view text) { return parse_request_head(bytes_of(text), HeadLimits()); }

bool is_open(const Parsed& parsed) { return parsed && !*parsed; }

bool are_same(const Parsed& a, const Parsed& b) {
    if (!a || !b)
        return !a && !b && a.error().status == b.error().status &&
               a.error().sentence == b.error().sentence;
    return (*a)->consumed == (*b)->consumed && (*a)->head.target == (*b)->head.target;
}

void cuts_make_no_difference(std::string_view text, const Parsed& whole) {
    bool was_decided = false;
    const std::size_t stride = 1 + text.size() / 300;
    for (std::size_t cut = 0; cut < text.size(); cut += stride) {
        const Parsed part = parse(text.substr(0, cut));
        if (is_open(part)) {
            require(!was_decided, "a verdict stays");
            continue;
        }
        was_decided = true;
        require(are_same(part, whole), "a verdict does not depend on what follows");
    }
}

void fields_agree(const RequestHead& ours, const Other& other) {
    std::vector<Field> expected = other.fields;
    const auto is_host = [](const Field& field) {
        return equals_ignoring_case(field.name, "Host");
    };
    if (ours.form == TargetForm::absolute) {
        // Ours is rewritten from the target, and added when HTTP/1.0 sent none.
        if (std::ranges::none_of(expected, is_host)) expected.emplace_back();
        require(std::ranges::count_if(ours.fields, is_host) == 1, "one Host");
    }
    require(ours.fields.size() == expected.size(), "the same number of fields");
    auto theirs = expected.begin();
    for (const Field& field : ours.fields) {
        const bool is_rewritten = ours.form == TargetForm::absolute && is_host(field);
        require(is_rewritten || (field.name == theirs->name && field.value == theirs->value),
                "the same fields");
        ++theirs;
    }
}

bool is_misread_by_other(const RequestHead& head) {
    static constexpr std::string_view kName = "Transfer-Encoding";
    return std::ranges::any_of(head.fields, [](const Field& field) {
        return field.name.size() > kName.size() &&
               equals_ignoring_case(field.name.substr(0, kName.size()), kName);
    });
}

void heads_agree(const RequestHead& ours, const Other& other, bool is_method_replaced) {
    require(is_method_replaced || ours.method == other.method, "the same method");
    require(ours.target == other.target, "the same target");
    require((ours.minor_version == 0) == (other.minor == 0), "the same version");
    require(!ours.keep_alive || other.keeps_alive, "we keep alive only what it would");
    fields_agree(ours, other);
    require((ours.framing == Framing::chunked) == other.is_chunked, "chunked to both");
    if (ours.framing == Framing::length)
        require(other.length == ours.content_length, "the same length");
    if (ours.framing == Framing::none) require(other.length.value_or(0) == 0, "no body to both");
}

// ---- bodies ----

struct Decoded {
    std::string body;
    std::size_t consumed = 0;
    bool is_finished = false, is_broken = false;
};

void feed(ChunkDecoder& decoder, std::string_view text, Decoded& decoded) {
    auto rest = bytes_of(text);
    for (;;) {
        const auto step = decoder.decode(rest);
        if (!step) {
            decoded.is_broken = true;
            return;
        }
        decoded.body.append(reinterpret_cast<const char*>(step->data.data()), step->data.size());
        decoded.consumed += step->consumed;
        decoded.is_finished = step->finished;
        if (step->consumed == 0) return;
        rest = rest.subspan(step->consumed);
    }
}

void body_agrees(const std::string& head, std::string_view rest) {
    ChunkDecoder decoder;
    Decoded whole;
    feed(decoder, rest, whole);

    const std::size_t stride = 1 + rest.size() / 200;
    for (std::size_t cut = 0; cut <= rest.size(); cut += stride) {
        ChunkDecoder cut_decoder;
        Decoded parts;
        feed(cut_decoder, rest.substr(0, cut), parts);
        if (!parts.is_broken) feed(cut_decoder, rest.substr(cut), parts);
        require(parts.is_broken == whole.is_broken, "a body is broken wherever it is cut");
        if (whole.is_broken) continue;
        require(parts.body == whole.body && parts.consumed == whole.consumed,
                "a body is the same wherever it is cut");
    }

    if (whole.is_broken || !whole.is_finished) return;
    const Other other = read_with_other(head + std::string(rest.substr(0, whole.consumed)));
    require(other.is_accepted && other.is_complete, "it accepts the body and ends where we do");
    require(other.body == whole.body, "the same body");
}

void head_path(std::string_view text) {
    const Parsed parsed = parse(text);
    cuts_make_no_difference(text, parsed);
    if (!parsed) {
        require(parsed.error().status >= 400 && !parsed.error().sentence.empty(),
                "a refusal has a status and a sentence");
        return;
    }
    if (!*parsed) return;
    const RequestHead& ours = (*parsed)->head;
    if (is_misread_by_other(ours)) return;
    std::string head(text.substr(0, (*parsed)->consumed));
    const bool is_method_replaced = !is_known_to_other(ours.method);
    if (is_method_replaced) head.replace(head.find(ours.method), ours.method.size(), "POST");

    const Other other = read_with_other(head);
    require(other.is_accepted && other.has_head, "it accepts what we accept");
    heads_agree(ours, other, is_method_replaced);
    if (ours.framing == Framing::chunked) body_agrees(head, text.substr((*parsed)->consumed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    head_path(text);
    body_agrees("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", text);
    return 0;
}
