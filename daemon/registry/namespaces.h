// Which registry a client means, where it says so: containerd's `?ns=` names the host that stands
// in the image's name. Pure.
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>

namespace hawker::registry {

struct Asked {
    std::string target;             // without `ns`
    std::optional<std::string> ns;  // in lower case; said twice, what no host is called
};
Asked take_namespace(std::string_view target);

// The host, and the port where it is not 443, that answers for `ns`: Docker's registry has another
// name than its images. In lower case.
std::string registry_host(std::string_view ns);

// "https://ghcr.io" of what somebody wrote as a registry: a URL, or a host for https. In normal
// form, without a slash at the end.
Expected<std::string> upstream_url(std::string_view text);

// Does the server at `upstream` (a URL) answer for `ns` by its name?
bool is_namespace_of(std::string_view ns, std::string_view upstream);

}  // namespace hawker::registry
