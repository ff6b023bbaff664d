// The kinds of mirrors, each from its own file. Not a door: mirror_kinds.cpp has the table.
#pragma once

#include "daemon/proxy/mirror.h"

#include <memory>
#include <string_view>

namespace hawker::proxy {

// Any origin: the path is kept, and the rules decide as they do for a forward proxy.
std::shared_ptr<const MirrorKind> generic_mirror();

// A git host whose Git LFS objects come from the cache; the rest is passed on.
std::shared_ptr<const MirrorKind> lfs_mirror();

// ModelScope: its files, listings and references.
std::shared_ptr<const MirrorKind> modelscope_mirror();

// An OCI registry: its manifests, blobs and listings.
std::shared_ptr<const MirrorKind> registry_mirror();
// A registry whose images are called so is one of its upstreams, or among its namespaces.
bool answers_for(const Mirror& mirror, std::string_view ns);

// The Hugging Face Hub: its files, listings and references.
std::shared_ptr<const MirrorKind> hub_mirror();

}  // namespace hawker::proxy
