#include "daemon/mirrors_config.h"
#include "daemon/route_config.h"
#include "filters/rule.h"

#include <utility>

#include <fmt/format.h>

namespace hawker::daemon {

void furnish(proxy::Mirror& mirror, std::string_view kind) {
    mirror.name = kind;
    mirror.kind = proxy::mirror_kind(kind);
    auto rule = std::make_shared<filters::Rule>();
    rule->name = fmt::format("mirror {}", kind);
    rule->access = mirror.access;
    rule->ignore_credentials = true;  // they say who may read, never what is read
    rule->follow_redirects = true;
    mirror.rule = std::move(rule);
}

Expected<std::vector<ListenerSpec>> resolve_mirrors(const std::vector<MirrorSpec>& specs,
                                                    const Options& options) {
    std::vector<ListenerSpec> listeners;
    for (const MirrorSpec& spec : specs) {
        auto mirror = std::make_shared<proxy::Mirror>(spec.mirror);
        furnish(*mirror, spec.kind);
        mirror->health =
            std::make_shared<origin::Upstreams>(mirror->upstreams.size(), mirror->patience);
        if (!spec.token_file.empty()) {
            const auto text = secret_contents(spec.token_file);
            if (!text) return fail(Error(text.error()).within(spec.listener.where));
            mirror->token = text->substr(0, text->find_first_of("\r\n"));
            if (const auto ok = check_token(mirror->token); !ok)
                return fail(Error(ok.error()).within(spec.token_file));
        }
        for (const std::string& address : spec.listen) {
            ListenerSpec listener = spec.listener;
            listener.address = address;
            listener.mirror = mirror;
            if (const auto ok = complete_listener(listener, options); !ok) return fail(ok.error());
            listeners.push_back(std::move(listener));
        }
    }
    return listeners;
}

}  // namespace hawker::daemon
