// Our own certificate authority: made once by `hawker ca init`, read at the daemon's start, and
// then the issuer of a short-lived leaf for every intercepted host.
//
// Thread:  immutable; any thread. mint() costs a signature: not for a loop.
// Failure: in words for the person at the terminal, with the command that mends it; never with
//          anything of a key.
#pragma once

#include "certificates/description.h"
#include "certificates/identity.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace hawker::certificates {

struct AuthorityOptions {
    std::string common_name = "hawker proxy CA";  // 1 to 64 bytes
    // DNS name constraints (RFC 5280 section 4.2.1.10), each with everything below it; with one
    // here, the authority can vouch for nothing else, IP addresses included. Empty: for anything.
    std::vector<std::string> permitted_domains;
    std::chrono::days validity{3650};
};

class Authority {
public:
    // A new key (EC P-256) and a self-signed certificate that may only issue leaves.
    static Expected<std::shared_ptr<const Authority>> create(const AuthorityOptions& options,
                                                             WallTime now);
    // `directory`/ca.pem and `directory`/ca.key. Errc::not_found when there are none;
    // Errc::invalid when they do not belong together, are no CA, have expired, or when the key is
    // readable for others or belongs to somebody who is neither us nor root. Somebody else's
    // intermediate does too: what follows it in ca.pem is shown to clients with every leaf.
    static Expected<std::shared_ptr<const Authority>> load(const std::filesystem::path& directory,
                                                           WallTime now);
    ~Authority();

    // Into a directory of mode 0700 that is made if need be; the key's file has mode 0600.
    // Errc::invalid when there is an authority already: it is never replaced.
    Expected<void> save(const std::filesystem::path& directory) const;

    // May this host (name or IP literal, with or without brackets) be vouched for under the name
    // constraints?
    bool permits(std::string_view host) const;
    // A leaf for one host: its name or address as the only subjectAltName, serverAuth, a fresh
    // random serial, valid from an hour ago for `validity`, never beyond the authority's own end.
    // All leaves share one key, made with this object. Errc::invalid for a host that is neither a
    // name nor an address and when the authority has expired, Errc::denied for a host that the
    // constraints forbid.
    Expected<std::shared_ptr<const Identity>> mint(std::string_view host, WallTime now,
                                                   std::chrono::hours validity) const;

    std::string certificate_pem() const;
    std::string fingerprint() const;  // SHA-256, "AB:CD:..."
    // Signs with the same key, and shows clients the same certificates.
    bool is_same(const Authority& other) const;
    const std::vector<std::string>& permitted_domains() const;
    WallTime not_after() const;

private:
    struct State;
    explicit Authority(std::unique_ptr<State> state);
    static Expected<std::shared_ptr<const Authority>> assemble(Key key,
                                                               std::vector<Certificate> chain);
    std::unique_ptr<State> state_;
};

// The certificate in an authority's directory: what clients have to trust.
std::filesystem::path certificate_in(const std::filesystem::path& directory);

// Where `hawker ca init` puts the authority and hawkerd looks for it when no option says otherwise:
// $STATE_DIRECTORY/ca (set by systemd), /var/lib/hawker/ca for root, $XDG_STATE_HOME/hawker/ca or
// ~/.local/state/hawker/ca for everybody else.
std::filesystem::path default_authority_directory();
// The same; `environment` gives a variable's value or null.
std::filesystem::path default_authority_directory(
    const std::function<const char*(const char*)>& environment, bool is_root);

}  // namespace hawker::certificates
