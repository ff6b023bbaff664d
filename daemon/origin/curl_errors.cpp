#include "daemon/origin/curl_errors.h"

#include "filters/decision.h"

#include <cerrno>

namespace hawker::origin {

namespace {

Failure not_connected(std::string what, long os_error) {
    switch (os_error) {
        case ECONNREFUSED:
            return Failure(Errc::unavailable, std::move(what), "connection_refused");
        case ETIMEDOUT:
            return Failure(Errc::timed_out, std::move(what), "connection_timeout");
        case ENETUNREACH:
        case EHOSTUNREACH:
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
            return Failure(Errc::unavailable, std::move(what), "destination_ip_unroutable");
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
            return Failure(Errc::exhausted, std::move(what), "proxy_internal_error");
        default:
            return Failure(Errc::unavailable, std::move(what), "destination_unavailable");
    }
}

}  // namespace

Failure failure_of(CURLcode code, const Circumstances& known) {
    std::string what = filters::loggable_text(
        known.sentence.empty() ? std::string_view(curl_easy_strerror(code)) : known.sentence);
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            what += ". If only a proxy reaches the outside from here, name it in origin.proxy";
            return Failure(Errc::not_found, std::move(what), "dns_error");
        case CURLE_COULDNT_CONNECT:
            return not_connected(std::move(what), known.os_error);
        case CURLE_OPERATION_TIMEDOUT:
            return Failure(Errc::timed_out, std::move(what),
                           known.dialled ? "connection_timeout" : "dns_timeout");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
            what +=
                ". If its authority is your company's, name that in origin.ca_file, or in "
                "origins for this host alone";
            return Failure(Errc::unavailable, std::move(what), "tls_certificate_error");
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
            return Failure(Errc::unavailable, std::move(what), "proxy_configuration_error");
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CIPHER:
            return Failure(Errc::unavailable, std::move(what), "tls_protocol_error");
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_FAIL_REWIND:
            return Failure(Errc::closed, std::move(what),
                           known.head_read ? "http_response_incomplete" : "connection_terminated");
        case CURLE_PARTIAL_FILE:
            return Failure(Errc::closed, std::move(what), "http_response_incomplete");
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_FILESIZE_EXCEEDED:
        case CURLE_BAD_CONTENT_ENCODING:
            return Failure(Errc::invalid, std::move(what), "http_protocol_error");
        case CURLE_URL_MALFORMAT:
            return Failure(Errc::invalid, std::move(what), "http_request_error");
        case CURLE_OUT_OF_MEMORY:
            // libcurl's word for a line of the response head beyond 100 KiB; where memory runs out
            // in earnest nobody comes to say so.
            return Failure(Errc::invalid, "the response head has a field beyond 100 KiB",
                           "http_response_header_size");
        default:
            return Failure(Errc::unavailable, std::move(what), "proxy_internal_error");
    }
}

}  // namespace hawker::origin
