// How an exchange is told to give up: whatever it waits for now ends, and whatever it begins to
// wait for later ends as it begins.
//
// Thread: the loop's. Owner: the exchange.
#pragma once

#include <functional>
#include <utility>

namespace hawker::proxy {

class Cancellation {
public:
    // From now on this ends the wait; nullptr while the exchange waits for the client only, whose
    // socket is closed by others.
    Cancellation& operator=(std::function<void()> give_up) {
        give_up_ = std::move(give_up);
        tell();
        return *this;
    }
    void ask() {
        asked_ = true;
        tell();
    }

private:
    void tell() const {
        if (asked_ && give_up_) give_up_();
    }

    std::function<void()> give_up_;
    bool asked_ = false;
};

}  // namespace hawker::proxy
