#include "cli/admin_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

namespace hawker::cli {

namespace {

constexpr std::string_view kUnix = "unix:";
constexpr long kConnectSeconds = 5;
constexpr long kTotalSeconds = 30;

std::size_t append(const char* bytes, std::size_t size, std::size_t count, void* into) {
    static_cast<std::string*>(into)->append(bytes, size * count);
    return size * count;
}

struct CloseHandle {
    void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};

}  // namespace

struct AdminClient::State {
    std::string address;  // as the user wrote it
    std::string base;     // what stands before the target in a URL
    std::string socket;   // path of a Unix socket, or empty
    std::unique_ptr<CURL, CloseHandle> handle;
};

AdminClient::AdminClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
AdminClient::AdminClient(AdminClient&&) noexcept = default;
AdminClient& AdminClient::operator=(AdminClient&&) noexcept = default;
AdminClient::~AdminClient() = default;

Expected<AdminClient> AdminClient::create(std::string address) {
    auto state = std::make_unique<State>();
    state->handle.reset(::curl_easy_init());
    if (!state->handle) return fail(Errc::exhausted, "libcurl could not be started");
    state->base = address;
    if (address.starts_with(kUnix)) {
        state->socket = address.substr(kUnix.size());
        state->base = "http://localhost";
    } else if (!address.contains("://")) {
        state->base = "http://" + address;
    }
    while (state->base.ends_with('/')) state->base.pop_back();
    state->address = std::move(address);
    return AdminClient(std::move(state));
}

Expected<AdminAnswer> AdminClient::send(const std::string& method, const std::string& target) {
    AdminAnswer answer;
    CURL* const handle = state_->handle.get();
    ::curl_easy_reset(handle);
    const std::string url = state_->base + target;
    ::curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http");
    ::curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    // http_proxy most likely names the very proxy whose admin API this is.
    ::curl_easy_setopt(handle, CURLOPT_PROXY, "");
    if (!state_->socket.empty())
        ::curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, state_->socket.c_str());
    ::curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    ::curl_easy_setopt(handle, CURLOPT_TIMEOUT, kTotalSeconds);
    ::curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append);
    ::curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
    const CURLcode code = ::curl_easy_perform(handle);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail(Errc::timed_out, fmt::format("{} does not answer", state_->address));
    if (code != CURLE_OK)
        return fail(Errc::unavailable, fmt::format("cannot ask hawkerd at {}: {}. Is it running? "
                                                   "--admin or HAWKER_ADMIN names another address",
                                                   state_->address, ::curl_easy_strerror(code)));
    long status = 0;
    ::curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
}

}  // namespace hawker::cli
