#include "daemon/origin/easy.h"

#include "daemon/origin/easy_options.h"
#include "daemon/origin/grammar.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawker::origin {

namespace {

// As much as may wait for the reader at first: what one recv(2) brings beyond that is copied aside
// while the client waits for its head, and a buffer that stays in the core's cache is copied
// faster.
constexpr long kReceiveBuffer = 64L * 1024;

bool is_framing(std::string_view name) {
    return http::equals_ignoring_case(name, "Content-Length") ||
           http::equals_ignoring_case(name, "Transfer-Encoding");
}

// "Name: value"; libcurl wants "Name;" for an empty value, and takes "Name:" for "never send it".
void add_field(FieldLines& lines, const http::Field& field) {
    const bool is_blank = field.value.find_first_not_of(" \t") == std::string::npos;
    if (is_blank)
        lines.add({field.name, ";"});
    else
        lines.add({field.name, ": ", field.value});
}

// To a proxy that is not tunnelled through, the whole URL (RFC 9112 section 3.2.2).
std::string request_target(const Request& request, const Target& target, const Route& route) {
    const bool absolute = route.proxy && target.scheme == "http";
    // OPTIONS of the server itself (RFC 9112 section 3.2.4).
    const bool of_the_server =
        request.method == "OPTIONS" && request.url.size() + 1 == target.root().size();
    if (of_the_server) return absolute ? target.scheme + "://" + target.authority : "*";
    return absolute ? target.url() : target.in_origin;
}

void set_method(Options& options, const Request& request) {
    if (request.method == "HEAD") {
        options.set(CURLOPT_NOBODY, 1L);
    } else if (request.body == http::Framing::none) {
        options.set(CURLOPT_HTTPGET, 1L);
        options.set(CURLOPT_CUSTOMREQUEST, request.method);
    } else {
        options.set(CURLOPT_UPLOAD, 1L);
        options.set(CURLOPT_CUSTOMREQUEST, request.method);
        const bool known = request.body == http::Framing::length;
        options.set(CURLOPT_INFILESIZE_LARGE,
                    known ? static_cast<curl_off_t>(request.content_length) : curl_off_t{-1});
    }
}

// NTLM and Negotiate say who all of a connection is from (RFC 4559 section 6): nobody else may come
// by it.
bool is_for_a_connection(const Request& request) {
    return std::ranges::any_of(request.fields.all("Authorization"), [](std::string_view value) {
        const std::string_view scheme = value.substr(0, value.find(' '));
        return http::equals_ignoring_case(scheme, "NTLM") ||
               http::equals_ignoring_case(scheme, "Negotiate");
    });
}

void set_connection(Options& options, const Request& request, const ClientOptions& client) {
    options.set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    options.set(CURLOPT_PROTOCOLS_STR, "http,https");
    options.set(CURLOPT_FOLLOWLOCATION, 0L);
    options.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    options.set(CURLOPT_HTTP09_ALLOWED, 0L);
    options.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(client.connect_timeout.count()));
    options.set(CURLOPT_TCP_NODELAY, 1L);
    options.set(CURLOPT_TCP_KEEPALIVE, 1L);
    options.set(CURLOPT_NOSIGNAL, 1L);
    // A look-up that is given up is not waited for: the loop would stand still until the name
    // servers have answered or not (the resolving thread ends by itself).
    options.set(CURLOPT_QUICK_EXIT, 1L);
    options.set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
    options.set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    options.set(CURLOPT_MAXLIFETIME_CONN, 600L);
    options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // A kept connection may die under the request; only what may be repeated is sent on one.
    if (!is_repeatable(request)) options.set(CURLOPT_FRESH_CONNECT, 1L);
    if (!is_for_a_connection(request)) return;
    options.set(CURLOPT_FRESH_CONNECT, 1L);
    options.set(CURLOPT_FORBID_REUSE, 1L);
}

}  // namespace

bool is_repeatable(const Request& request) {
    return request.body == http::Framing::none &&
           (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS");
}

void FieldLines::add(std::initializer_list<std::string_view> parts_of_a_line) {
    for (const std::string_view part : parts_of_a_line) text_ += part;
    text_ += '\0';
    ++lines_;
}

curl_slist* FieldLines::get() {
    nodes_.assign(lines_, curl_slist());
    char* line = text_.data();
    for (std::size_t i = 0; i < lines_; ++i) {
        nodes_[i].data = line;
        nodes_[i].next = i + 1 < lines_ ? &nodes_[i + 1] : nullptr;
        line += std::strlen(line) + 1;
    }
    return lines_ == 0 ? nullptr : nodes_.data();
}

Expected<void> list_fields(const Request& request, const Target& target, FieldLines& lines) {
    for (const http::Field& field : request.fields) {
        if (is_framing(field.name)) continue;
        if (!is_token(field.name) || !http::is_one_line(field.value))
            return fail(Errc::invalid, "a request field cannot be sent: its bytes end the line");
        add_field(lines, field);
    }
    // As written in the URL: some signatures cover Host with its default port.
    if (!request.fields.has("Host") && !target.authority.ends_with(':'))
        lines.add({"Host: ", target.authority});
    // libcurl looks through all of them again and again: nothing is here that it would not add.
    const bool has_body = request.body != http::Framing::none;
    if (!request.fields.has("Accept")) lines.add({"Accept:"});
    for (const std::string_view own : {"Expect", "Content-Type"})
        if (has_body && !request.fields.has(own)) lines.add({own, ":"});
    if (request.body == http::Framing::chunked) lines.add({"Transfer-Encoding: chunked"});
    return {};
}

Expected<void> configure(CURL* easy, const Request& request, const Target& target,
                         const ClientOptions& client, const Route& route, curl_slist* fields) {
    if (!is_token(request.method)) return fail(Errc::invalid, "the method is no token");
    const bool has_body = request.body != http::Framing::none &&
                          (request.body != http::Framing::length || request.content_length > 0);
    if (request.method == "HEAD" && has_body)
        return fail(Errc::invalid, "a HEAD request with a body cannot be passed on");
    Options options(easy);
    options.set(CURLOPT_URL, target.root());
    options.set(CURLOPT_PATH_AS_IS, 1L);
    options.set(CURLOPT_HTTPHEADER, fields);
    options.set(CURLOPT_REQUEST_TARGET, request_target(request, target, route));
    set_method(options, request);
    set_connection(options, request, client);
    return options.result();
}

}  // namespace hawker::origin
