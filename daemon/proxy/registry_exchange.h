// One exchange with a client that takes us for an OCI registry.
//
//   manifest  by tag: from memory or the cache for `ref_ttl`, then a HEAD asks whether it moved; by
//             digest: for ever. One question for all who ask with the same credentials
//   blob      the cached road: one task per digest, whichever registry and repository it is asked
//             for in; who may read it is asked there
//   listing   tags, referrers, the catalog: for `ref_ttl`
//   other     token servers below the registry, pushes: passed on
//
// Owner:  the coroutine of MirrorKind::serve. Thread: the loop's.
#pragma once

#include "daemon/proxy/document_road.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/mirror_rights.h"
#include "daemon/registry/route.h"

#include <string>
#include <string_view>

namespace hawker::proxy {

class RegistryExchange {
public:
    // `target` is without `ns`.
    RegistryExchange(Context& context, const Mirror& mirror, const std::string& target);
    RegistryExchange(const RegistryExchange&) = delete;
    RegistryExchange& operator=(const RegistryExchange&) = delete;
    ~RegistryExchange() { context_.mirror = nullptr; }

    Task<void> run();

private:
    Task<void> serve_base();
    Task<void> serve_manifest();
    Task<void> serve_blob();
    Task<void> serve_listing();
    Task<void> serve_other();

    // What there is to be said of /v2/ while nobody can be asked; `last` may be null.
    Told base_unasked(const DocumentPtr& last) const;
    Task<void> keep_by_digest(TaskId tag);
    void prepare_blob();
    // False: that is for the cached road to say.
    Task<bool> says_blob_head();
    Task<void> send(const Told& told);

    DocumentTerms terms(const TaskId& matter) const;
    // The name of `what` of this repository at this registry.
    TaskId named(std::string_view what, std::string_view which) const;
    TaskId pulls() const { return named("pulls", {}); }  // a yes to read manifests and blobs
    TaskId membership() const { return named("membership", route_.reference); }
    TaskId right_to_blob() const;
    bool may_blob_unasked(const Kept& kept) const;
    TaskId manifest_id(const Digest& digest) const;
    std::string last_change() const;

    Context& context_;
    const Mirror& mirror_;
    std::string target_;
    registry::Route route_;
    MirrorTurn turn_;
    MirrorRights rights_;
    DocumentRoad documents_;
};

}  // namespace hawker::proxy
