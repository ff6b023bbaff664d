#include "daemon/origin/client.h"

#include "daemon/origin/curl_response.h"

#include <utility>

namespace hawker::origin {

namespace {

ClientOptions with_a_policy(ClientOptions options) {
    // Nobody said what may be dialled: only what is public.
    if (!options.destinations)
        options.destinations = std::make_shared<const net::DestinationPolicy>();
    if (!options.lanes) options.lanes = std::make_shared<Lanes>();
    if (!options.routes) options.routes = std::make_shared<const Routes>();
    return options;
}

class CurlClient final : public Client {
public:
    CurlClient(net::Loop& loop, const Log& log, ClientOptions options, std::shared_ptr<Multi> multi)
        : loop_(loop),
          log_(log),
          options_(std::move(options)),
          road_(std::make_shared<Road>(std::move(multi), log)) {
        options_.lanes->set_limits(options_.connections_per_host, options_.queue_per_host);
    }

    std::unique_ptr<Response> send(Request request) override {
        return std::make_unique<CurlResponse>(road_, options_, std::move(request));
    }

    // A kept connection was dialled under the policy of its time. When that or a route
    // changes, new requests get a road without kept connections; the old one goes with
    // its last response.
    void set_options(const ClientOptions& options) override {
        ClientOptions next = with_a_policy(options);
        if (next.destinations != options_.destinations || next.routes != options_.routes) {
            auto multi = Multi::create(loop_);
            if (multi)
                road_ = std::make_shared<Road>(std::move(*multi), log_);
            else
                log_.error("origin: kept connections outlive a reload: {}", multi.error().what);
        }
        if (!options.lanes) next.lanes = options_.lanes;
        options_ = std::move(next);
        options_.lanes->set_limits(options_.connections_per_host, options_.queue_per_host);
    }

private:
    net::Loop& loop_;
    const Log& log_;
    ClientOptions options_;
    std::shared_ptr<Road> road_;
};

}  // namespace

Expected<std::unique_ptr<Client>> Client::create(net::Loop& loop, const ClientOptions& options,
                                                 const Log& log) {
    auto multi = Multi::create(loop);
    if (!multi) return fail(std::move(multi.error()).within("create an origin client"));
    return std::make_unique<CurlClient>(loop, log, with_a_policy(options), std::move(*multi));
}

}  // namespace hawker::origin
