// Requests to the admin API of a running hawkerd, by libcurl's easy interface.
//
// Thread: one at a time. Waits for the answer, at most half a minute.
#pragma once

#include "base/error.h"

#include <memory>
#include <string>
#include <string_view>

namespace hawker::cli {

struct AdminAnswer {
    int status = 0;
    std::string body;
};

class AdminClient {
public:
    // "http://127.0.0.1:65002" or "unix:/run/hawker/admin.sock".
    static Expected<AdminClient> create(std::string address);
    AdminClient(AdminClient&&) noexcept;
    AdminClient& operator=(AdminClient&&) noexcept;
    ~AdminClient();

    // Errc::unavailable when nobody listens there, in words; Errc::timed_out.
    Expected<AdminAnswer> send(const std::string& method, const std::string& target);

private:
    struct State;
    explicit AdminClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawker::cli
