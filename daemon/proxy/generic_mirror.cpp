// kind: generic. The path is kept, and the rules see the URL at the first upstream, whichever of
// them is asked: so a request has one task, wherever its bytes come from.
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror_kinds.h"

namespace hawker::proxy {

namespace {

class GenericMirror final : public MirrorKind {
public:
    Task<void> serve(Context& context, const Mirror& mirror) const override {
        MirrorTurn turn = turn_of(context, mirror, target_of(context.request));
        turn.down = [&mirror, &turn](http::ResponseHead& head) {
            locations_in_our_name(head, mirror, turn.own_base);
        };
        context.mirror = &turn;
        const std::string url = turn.urls.front();
        co_await serve_url(context, url);
        context.mirror = nullptr;
    }
};

}  // namespace

std::shared_ptr<const MirrorKind> generic_mirror() {
    return std::make_shared<const GenericMirror>();
}

}  // namespace hawker::proxy
