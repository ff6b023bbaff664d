// Tunnels that are opened: from the configuration to what the proxy works with.
//
// Owner:   the server. Thread: the control thread's.
// Failure: make() changes nothing; its sentence names the file, or the command that mends it.
#pragma once

#include "base/clock.h"
#include "certificates/leaf_store.h"
#include "daemon/configuration.h"
#include "daemon/proxy/interception.h"

#include <filesystem>
#include <memory>
#include <string>

namespace hawker::daemon {

// `intercept` as the proxy reads it.
proxy::InterceptedHosts intercepted_hosts(const Options& options);

std::filesystem::path authority_directory(const Options& options);

// Null when nothing is to be intercepted: `intercept` is empty, or left as it was born and no
// authority lies where it is looked for. Errc::invalid when there is none although `intercept` or
// `ca.directory` was given, and as Authority::load().
Expected<std::shared_ptr<const certificates::Authority>> read_authority(const Options& options,
                                                                        WallTime now);

// Keeps leaves and sessions from one configuration to the next, as long as the authority is the
// same.
class Interceptions {
public:
    explicit Interceptions(const Clock& clock) : clock_(clock) {}

    // Null as read_authority().
    Expected<std::shared_ptr<const proxy::Interception>> make(const Configuration& configuration);

    // "off" or "by the authority in DIRECTORY", for the log.
    const std::string& description() const { return description_; }

private:
    Expected<void> take(const std::shared_ptr<const certificates::Authority>& authority);

    const Clock& clock_;
    std::shared_ptr<certificates::LeafStore> leaves_;
    std::shared_ptr<const net::TlsServer> server_;
    std::string description_ = "off";
};

}  // namespace hawker::daemon
