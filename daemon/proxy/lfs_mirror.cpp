// kind: git-lfs. A git host in our name (lfs.url or url.insteadOf): the batch API's links lead to
// us, and git's own protocol, locks and uploads are passed on.
#include "daemon/hub/lfs_batch.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/lfs_links.h"
#include "daemon/proxy/mirror_kinds.h"

namespace hawker::proxy {

namespace {

class LfsMirror final : public MirrorKind {
public:
    Task<void> serve(Context& context, const Mirror& mirror) const override {
        const std::string_view target = target_of(context.request);
        MirrorTurn turn = turn_of(context, mirror, target);
        turn.down = [&mirror, &turn](http::ResponseHead& head) {
            locations_in_our_name(head, mirror, turn.own_base);
        };
        context.mirror = &turn;
        const std::string url = turn.urls.front();
        const bool is_link = hub::is_lfs_target(target);
        if (is_link || is_lfs_batch(context.request)) {
            context.decision.rule = mirror.rule;
            context.record.rule = mirror.rule->name;
            context.record.url = filters::loggable_url(url);
            pace(context, mirror.rule.get());
        }
        if (is_link)
            co_await serve_lfs_object(context, mirror, turn);
        else if (is_lfs_batch(context.request))
            co_await serve_lfs_batch(context, mirror, turn);
        else
            co_await serve_url(context, url);
        context.mirror = nullptr;
    }
};

}  // namespace

std::shared_ptr<const MirrorKind> lfs_mirror() { return std::make_shared<const LfsMirror>(); }

}  // namespace hawker::proxy
