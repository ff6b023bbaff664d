#include "daemon/origin/client.h"

#include "daemon/origin/curl_multi.h"
#include "daemon/origin/curl_response.h"

namespace hawker::origin {

namespace {

class CurlClient final : public Client {
public:
    CurlClient(net::Loop& loop, const ClientOptions& options)
        : loop_(loop), options_(options), multi_(loop, options.connections_per_host) {}

    std::unique_ptr<Response> send(Request request) override {
        return std::make_unique<CurlResponse>(loop_, multi_, options_, std::move(request));
    }

    void set_options(const ClientOptions& options) override { options_ = options; }

private:
    net::Loop& loop_;
    ClientOptions options_;
    Multi multi_;
};

}  // namespace

Expected<std::unique_ptr<Client>> Client::create(net::Loop& loop, const ClientOptions& options,
                                                 const Log& /*log*/) {
    // Not thread-safe the first time (curl_global_init(3)): the server makes its clients before its
    // threads.
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(Errc::unavailable, "libcurl does not start");
    return std::make_unique<CurlClient>(loop, options);
}

}  // namespace hawker::origin
