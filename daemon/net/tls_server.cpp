#include "daemon/net/tls_server.h"

#include "base/digest.h"
#include "base/host_pattern.h"
#include "certificates/holder.h"
#include "daemon/net/tls_connection.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>

namespace hawker::net {

namespace {

constexpr long kSessionSeconds = 3600;

// RFC 6066 section 3: the client's word for whom it means, against CONNECT's.
int on_server_name(SSL* ssl, int* alert, void* /*argument*/) {
    auto* const connection = static_cast<TlsConnection*>(SSL_get_app_data(ssl));
    const char* const name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const std::string& expected = connection->terms().expected_name;
    if (!name || expected.empty() || plain_host(name) == plain_host(expected))
        return SSL_TLSEXT_ERR_OK;
    connection->refuse_name(name);
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// RFC 7301: who offers only what we do not speak is told so, instead of being answered in
// HTTP/1.1.
int on_protocols(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_length,
                 const unsigned char* offered, unsigned offered_length, void* /*argument*/) {
    static constexpr std::array<unsigned char, 9> kOurs = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    const int result = ::SSL_select_next_proto(&found, chosen_length, kOurs.data(), kOurs.size(),
                                               offered, offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

template <typename Holder, typename Chain>
bool show_to(Holder* holder, const certificates::Identity& identity, Chain add_to_chain) {
    bool is_shown = false;
    if constexpr (std::is_same_v<Holder, SSL>)
        is_shown = ::SSL_use_certificate(holder, identity.leaf()) == 1 &&
                   ::SSL_use_PrivateKey(holder, identity.key()) == 1;
    else
        is_shown = ::SSL_CTX_use_certificate(holder, identity.leaf()) == 1 &&
                   ::SSL_CTX_use_PrivateKey(holder, identity.key()) == 1;
    // Last: a chain belongs to the certificate that was set just before it
    // (SSL_CTX_add1_chain_cert(3)).
    return is_shown && add_to_chain(identity);
}

std::array<std::byte, 32> digest_of_trust(SSL_CTX* context, ClientCertificates wanted) {
    Sha256 hash;
    hash.update(wanted == ClientCertificates::required ? "required" : "wanted");
    STACK_OF(X509_OBJECT)* const trusted =
        ::X509_STORE_get0_objects(::SSL_CTX_get_cert_store(context));
    for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i)
        if (const X509* const each = ::X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i)))
            hash.update(certificates::sha256_of(each));
    return hash.value();
}

// The keys of tickets are the context's own secret; nothing else knows them.
bool take_over_tickets(SSL_CTX* context, SSL_CTX* before) {
    std::array<unsigned char, 80> keys{};  // SSL_CTX_set_tlsext_ticket_keys(3)
    const bool taken =
        ::SSL_CTX_ctrl(before, SSL_CTRL_GET_TLSEXT_TICKET_KEYS, keys.size(), keys.data()) == 1 &&
        ::SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_TICKET_KEYS, keys.size(), keys.data()) == 1;
    ::OPENSSL_cleanse(keys.data(), keys.size());
    return taken;
}

// OpenSSL's check of what clients show. The names are told to them, so that they can choose one.
Expected<void> ask_for_certificates(SSL_CTX* context, const TlsServerOptions& options) {
    if (options.client_certificates == ClientCertificates::ignored) return {};
    const char* const file = options.client_ca_file.c_str();
    STACK_OF(X509_NAME)* const names = ::SSL_load_client_CA_file(file);
    if (!names || ::SSL_CTX_load_verify_file(context, file) != 1) {
        ::sk_X509_NAME_pop_free(names, ::X509_NAME_free);
        return fail(Errc::invalid, fmt::format("{}: no certificate authority's PEM file ({})",
                                               options.client_ca_file, take_complaint()));
    }
    ::SSL_CTX_set_client_CA_list(context, names);
    const int required = options.client_certificates == ClientCertificates::required
                             ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                             : 0;
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
    return {};
}

void set_terms(SSL_CTX* context) {
    ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_ENABLE_KTLS | SSL_OP_CIPHER_SERVER_PREFERENCE);
    ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // Sessions live in tickets, under keys that this process made: nothing is kept for clients.
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_num_tickets(context, 1);
    ::SSL_CTX_set_timeout(context, kSessionSeconds);
    // The macro for this hides a cast of the old style.
    ::SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                            reinterpret_cast<void (*)()>(&on_server_name));
    ::SSL_CTX_set_alpn_select_cb(context, &on_protocols, nullptr);
}

}  // namespace

bool show(SSL* ssl, const certificates::Identity& identity) {
    return show_to(ssl, identity, [ssl](const certificates::Identity& shown) {
        for (const auto& each : shown.chain())
            if (::SSL_add1_chain_cert(ssl, each.get()) != 1) return false;
        return true;
    });
}

bool show(SSL_CTX* context, const certificates::Identity& identity) {
    return show_to(context, identity, [context](const certificates::Identity& shown) {
        for (const auto& each : shown.chain())
            if (::SSL_CTX_add1_chain_cert(context, each.get()) != 1) return false;
        return true;
    });
}

std::string take_complaint() {
    const unsigned long code = ::ERR_peek_error();
    const char* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
    ::ERR_clear_error();
    return reason ? reason : "no reason given";
}

Expected<std::shared_ptr<const TlsServer>> TlsServer::create(const TlsServerOptions& options) {
    auto state = std::make_unique<State>();
    state->context.reset(::SSL_CTX_new(::TLS_server_method()));
    SSL_CTX* const context = state->context.get();
    if (!context)
        return fail(Errc::unavailable, fmt::format("TLS cannot be used: {}", take_complaint()));
    set_terms(context);
    if (options.identity && !show(context, *options.identity))
        return fail(Errc::invalid,
                    fmt::format("the certificate cannot be used: {}", take_complaint()));
    if (auto asked = ask_for_certificates(context, options); !asked)
        return fail(std::move(asked).error());
    if (options.client_certificates != ClientCertificates::ignored)
        state->asked_of_clients = digest_of_trust(context, options.client_certificates);
    if (options.before && !take_over_tickets(context, options.before->state().context.get()))
        return fail(Errc::unavailable, fmt::format("the keys of session tickets cannot be taken "
                                                   "over: {}",
                                                   take_complaint()));
    // Not make_shared: the constructor is ours alone.
    return std::shared_ptr<const TlsServer>(new TlsServer(std::move(state)));  // NOLINT
}

TlsServer::TlsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsServer::~TlsServer() = default;

}  // namespace hawker::net
