#include "certificates/authority.h"

#include "certificates/certificate_builder.h"
#include "certificates/secret_file.h"
#include "certificates/subject.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <openssl/err.h>

namespace hawker::certificates {

namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr std::size_t kLongestCommonName = 64;  // RFC 5280, ub-common-name
constexpr seconds kClockSlack = 1h;             // a client's clock may be that much behind ours
constexpr const char* kCertificateFile = "ca.pem";
constexpr const char* kKeyFile = "ca.key";

Key new_key() { return Key(EVP_EC_gen("P-256")); }

// Each once, as certificates spell them, and none that lies within another.
Expected<std::vector<std::string>> domains_of(const std::vector<std::string>& given) {
    std::vector<std::string> domains;
    for (const std::string& text : given) {
        auto subject = parse_subject(text);
        if (!subject || subject->is_address() || subject->text.starts_with('*'))
            return fail(Errc::invalid, fmt::format("'{}' is no domain: write it as 'git.example', "
                                                   "which stands for everything below it, too",
                                                   text));
        domains.push_back(std::move(subject->text));
    }
    std::ranges::sort(domains);
    const auto [repeated, end] = std::ranges::unique(domains);
    domains.erase(repeated, end);
    std::vector<std::string> widest;
    std::ranges::copy_if(domains, std::back_inserter(widest), [&domains](const std::string& one) {
        return std::ranges::none_of(domains, [&one](const std::string& other) {
            return other != one && is_within(one, other);
        });
    });
    return widest;
}

bool is_self_issued(X509* certificate) {
    return ::X509_NAME_cmp(::X509_get_subject_name(certificate),
                           ::X509_get_issuer_name(certificate)) == 0;
}

// The verifier's own reading of the constraints, for what a directory's ca.pem may contain beyond
// ours. Leaves of our own constraints never fail here: permits() was asked before.
bool passes_constraints(X509* leaf, X509* issuer) {
    const NameConstraints constraints(static_cast<NAME_CONSTRAINTS*>(
        ::X509_get_ext_d2i(issuer, NID_name_constraints, nullptr, nullptr)));
    return !constraints || ::NAME_CONSTRAINTS_check(leaf, constraints.get()) == X509_V_OK;
}

}  // namespace

struct Authority::State {
    Key key;
    Certificate certificate;
    std::vector<Certificate> shown;  // what clients need between a leaf and the root they trust
    Key leaf_key;
    Description description;
    bool is_constrained = false;
};

Authority::Authority(std::unique_ptr<State> state) : state_(std::move(state)) {}
Authority::~Authority() = default;

Expected<std::shared_ptr<const Authority>> Authority::assemble(Key key,
                                                               std::vector<Certificate> chain) {
    auto state = std::make_unique<State>();
    state->key = std::move(key);
    state->leaf_key = new_key();
    if (!state->leaf_key) return fail(openssl_error("make a key"));
    state->certificate = share(chain.front().get());
    ::X509_check_purpose(state->certificate.get(), -1, 0);
    ::ERR_clear_error();
    for (Certificate& certificate : chain)
        if (!is_self_issued(certificate.get())) state->shown.push_back(std::move(certificate));
    state->description = describe(state->certificate.get());
    state->is_constrained =
        ::X509_get_ext_by_NID(state->certificate.get(), NID_name_constraints, -1) >= 0;
    return std::shared_ptr<const Authority>(new Authority(std::move(state)));
}

Expected<std::shared_ptr<const Authority>> Authority::create(const AuthorityOptions& options,
                                                             WallTime now) {
    auto domains = domains_of(options.permitted_domains);
    if (!domains) return fail(std::move(domains).error());
    if (options.common_name.empty() || options.common_name.size() > kLongestCommonName)
        return fail(Errc::invalid, "the name of an authority has 1 to 64 bytes");
    if (options.validity < std::chrono::days(1))
        return fail(Errc::invalid, "an authority is valid for one day at least");
    Key key = new_key();
    if (!key) return fail(openssl_error("make a key"));
    CertificateBuilder builder(now - kClockSlack, now + options.validity, key.get());
    builder.subject(options.common_name);
    builder.authority();
    if (!domains->empty()) builder.constrain_to(*domains);
    auto certificate = std::move(builder).sign(nullptr, key.get());
    if (!certificate) return fail(std::move(certificate).error());
    std::vector<Certificate> chain;
    chain.push_back(std::move(*certificate));
    return assemble(std::move(key), std::move(chain));
}

Expected<std::shared_ptr<const Authority>> Authority::load(const std::filesystem::path& directory,
                                                           WallTime now) {
    const std::string certificate_file = (directory / kCertificateFile).native();
    const std::string key_file = (directory / kKeyFile).native();
    const auto certificate_text = read_file(certificate_file);
    const auto key_text = read_secret_file(key_file);
    const auto is_missing = [](const auto& text) {
        return !text && text.error().code == Errc::not_found;
    };
    if (is_missing(certificate_text) && is_missing(key_text))
        return fail(Errc::not_found, fmt::format("`hawker ca init --directory {}` first: there is "
                                                 "no certificate authority there",
                                                 directory.native()));
    if (!key_text) return fail(Errc::invalid, key_text.error().what);
    if (!certificate_text) return fail(Errc::invalid, certificate_text.error().what);
    std::vector<Certificate> chain = read_certificates(*certificate_text);
    Key key = read_key(*key_text);
    if (!key)
        return fail(Errc::invalid,
                    fmt::format("{}: no private key in PEM form without a password", key_file));
    if (chain.empty() || ::X509_check_ca(chain.front().get()) != 1)
        return fail(Errc::invalid,
                    fmt::format("{}: its first certificate is not one of a certificate authority",
                                certificate_file));
    if (::X509_check_private_key(chain.front().get(), key.get()) != 1) {
        ::ERR_clear_error();
        return fail(Errc::invalid, fmt::format("{} is not the key of {}: put both back together, "
                                               "or move both away and run `hawker ca init`",
                                               key_file, certificate_file));
    }
    if (!EVP_PKEY_is_a(key.get(), "EC") && !EVP_PKEY_is_a(key.get(), "RSA"))
        return fail(Errc::invalid, fmt::format("{}: neither an EC nor an RSA key", key_file));
    auto loaded = assemble(std::move(key), std::move(chain));
    if (loaded && (*loaded)->not_after() <= now)
        return fail(Errc::invalid,
                    fmt::format("{} has expired: move ca.pem and ca.key away, run "
                                "`hawker ca init`, and let clients trust the new one",
                                certificate_file));
    return loaded;
}

Expected<void> Authority::save(const std::filesystem::path& directory) const {
    const std::string key = key_pem(state_->key.get());
    const std::array files = {NewFile(kKeyFile, key, 0600),
                              NewFile(kCertificateFile, state_->description.pem, 0644)};
    return write_new_files(directory, files);
}

bool Authority::is_same(const Authority& other) const {
    return fingerprint() == other.fingerprint() &&
           std::ranges::equal(state_->shown, other.state_->shown,
                              [](const Certificate& a, const Certificate& b) {
                                  return ::X509_cmp(a.get(), b.get()) == 0;
                              });
}

bool Authority::permits(std::string_view host) const {
    const auto subject = parse_subject(host);
    if (!subject) return false;
    // What is only excluded mint() finds out.
    if (!state_->is_constrained || permitted_domains().empty()) return true;
    return !subject->is_address() &&
           std::ranges::any_of(permitted_domains(), [&subject](const std::string& domain) {
               return is_within(subject->text, domain);
           });
}

Expected<std::shared_ptr<const Identity>> Authority::mint(std::string_view host, WallTime now,
                                                          std::chrono::hours validity) const {
    const auto subject = parse_subject(host);
    if (!subject) return fail(subject.error());
    if (!permits(host))
        return fail(Errc::denied,
                    fmt::format("the certificate authority may not vouch for {}: `hawker ca show` "
                                "says for what it may",
                                subject->text));
    const Description& own = state_->description;
    if (own.not_after <= now)
        return fail(Errc::invalid,
                    "the certificate authority has expired: move ca.pem and ca.key "
                    "away and run `hawker ca init`");
    CertificateBuilder builder(std::max(now - kClockSlack, own.not_before),
                               std::min<WallTime>(now + validity, own.not_after),
                               state_->leaf_key.get());
    builder.subject(subject->text.size() <= kLongestCommonName ? subject->text : "");
    builder.server(*subject);
    auto leaf = std::move(builder).sign(state_->certificate.get(), state_->key.get());
    if (!leaf) return fail(std::move(leaf).error());
    if (!passes_constraints(leaf->get(), state_->certificate.get()))
        return fail(Errc::denied,
                    fmt::format("the certificate authority may not vouch for {}", subject->text));
    std::vector<Certificate> chain;
    for (const Certificate& certificate : state_->shown) chain.push_back(share(certificate.get()));
    ::EVP_PKEY_up_ref(state_->leaf_key.get());
    return std::make_shared<const Identity>(Key(state_->leaf_key.get()), std::move(*leaf),
                                            std::move(chain));
}

std::string Authority::certificate_pem() const { return state_->description.pem; }
std::string Authority::fingerprint() const { return state_->description.fingerprint; }
WallTime Authority::not_after() const { return state_->description.not_after; }
const std::vector<std::string>& Authority::permitted_domains() const {
    return state_->description.permitted_domains;
}

std::filesystem::path certificate_in(const std::filesystem::path& directory) {
    return directory / kCertificateFile;
}

}  // namespace hawker::certificates
