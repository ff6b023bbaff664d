#include "daemon/origin/curl_errors.h"

namespace hawker::origin {

CurlError translate(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return {Errc::unavailable, "dns_error"};
        case CURLE_COULDNT_CONNECT:
            return {Errc::unavailable, "connection_refused"};
        case CURLE_OPERATION_TIMEDOUT:
            return {Errc::timed_out, "connection_timeout"};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
            return {Errc::unavailable, "tls_certificate_error"};
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CIPHER:
            return {Errc::unavailable, "tls_protocol_error"};
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
            return {Errc::closed, "http_response_incomplete"};
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WRITE_ERROR:
        case CURLE_BAD_CONTENT_ENCODING:
            return {Errc::invalid, "http_protocol_error"};
        case CURLE_URL_MALFORMAT:
            return {Errc::invalid, "http_request_error"};
        default:
            return {Errc::unavailable, "proxy_internal_error"};
    }
}

}  // namespace hawker::origin
