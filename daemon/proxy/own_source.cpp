#include "daemon/proxy/own_source.h"

namespace hawker::proxy {

namespace {

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
        options.join = context.mirror->join;
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
        source_ = std::make_shared<origin::OriginSource>(
            source_options(context_), context_.services.client_of, context_.loop);
        if (stopped_) source_->stop();
    }
    return source_;
}

std::unique_ptr<origin::Declined> OwnSource::take_declined() const {
    return source_ ? source_->take_declined() : nullptr;
}

void OwnSource::stop() {
    stopped_ = true;
    if (source_) source_->stop();
}

}  // namespace hawker::proxy
