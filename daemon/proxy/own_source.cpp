#include "daemon/proxy/own_source.h"

namespace hawker::proxy {

namespace {

// What was for who asked first, or for that moment, is no part of what everybody after it gets.
void remove_what_was_said_once(http::Fields& fields) {
    for (const std::string_view name :
         {"RateLimit", "RateLimit-Policy", "X-Request-Id", "X-Amzn-Trace-Id", "Expires"})
        fields.remove(name);
}

origin::SourceOptions source_options(const Context& context) {
    const filters::Decision& decision = context.decision;
    origin::SourceOptions options;
    options.url = decision.origin_url;
    options.fields =
        with_token(context, fetch_fields(context.request, context.settings->pseudonym));
    options.follow_redirects = decision.rule->follow_redirects;
    options.may_store_credentialed = decision.rule->ignore_credentials;
    options.obey_cache_control = decision.rule->policy == filters::Policy::http;
    options.content_types = decision.rule->content_types;
    options.knows_digest = decision.digest.has_value();
    if (context.mirror) {
        options.alternatives = context.mirror->urls;
        options.upstreams = context.mirror->upstreams;
        if (const auto& join = context.mirror->join)
            options.join = [join](std::span<const http::ResponseHead> hops,
                                  http::ResponseHead& last) {
                const bool is_it = join(hops, last);
                if (is_it) remove_what_was_said_once(last.fields);
                return is_it;
            };
        options.recall_landing = context.mirror->recall_landing;
        options.keep_landing = context.mirror->keep_landing;
        options.asks_nobody = context.mirror->asks_nobody;
    }
    options.part = decision.part;
    return options;
}

}  // namespace

OwnSource::~OwnSource() {
    if (source_) source_->let_go();
}

const std::shared_ptr<origin::OriginSource>& OwnSource::get() {
    if (!source_) {
        origin::SourceOptions options = source_options(context_);
        options.promised = promised_;
        source_ = std::make_shared<origin::OriginSource>(
            std::move(options), context_.services.client_of, context_.loop);
        if (stopped_) source_->stop();
    }
    return source_;
}

bool OwnSource::promise(const Digest& digest) {
    if (source_) return false;
    promised_ = digest;
    return true;
}

std::unique_ptr<origin::Declined> OwnSource::take_declined() const {
    return source_ ? source_->take_declined() : nullptr;
}

void OwnSource::stop() {
    stopped_ = true;
    if (source_) source_->stop();
}

}  // namespace hawker::proxy
