// An origin's answer that is under way, as the one transfer of a cache::Source: it is stored while
// it comes, and never asked for again. Should the cache run out of room, the rest of it is still
// here for the client that asked.
//
// Owner:  shared by the exchange and the transfer. Thread: the loop's.
// Stop:   let_go() when the exchange ends: what the cache does not read any more is cancelled.
#pragma once

#include "cache/source.h"
#include "daemon/origin/client.h"

#include <memory>
#include <optional>
#include <span>

namespace hawker::proxy {

class LiveAnswer : public std::enable_shared_from_this<LiveAnswer> {
public:
    // `response`: its head was read.
    LiveAnswer(std::unique_ptr<origin::Response> response, cache::Arrival arrival);
    LiveAnswer(const LiveAnswer&) = delete;
    LiveAnswer& operator=(const LiveAnswer&) = delete;
    ~LiveAnswer();

    // To be opened once, on this loop.
    std::shared_ptr<const cache::Source> source();

    // What the cache did not take: bytes in hand, then whatever response() still has to say.
    // nullopt while the cache goes on with it.
    struct Rest {
        std::uint64_t offset = 0;  // of the first of `bytes`
        std::span<const std::byte> bytes;
    };
    std::optional<Rest> take_rest();
    origin::Response& response() { return *response_; }
    // Of the whole, where that is known.
    std::optional<std::uint64_t> length() const { return arrival_.size; }

    // The origin cut it short, or the cache did not take all of it.
    bool is_broken() const { return has_failed_ || (given_back_ && !has_ended_); }

    void let_go();

private:
    class Source;
    class Transfer;

    Task<Expected<std::span<const std::byte>>> read();
    void give_up();

    std::unique_ptr<origin::Response> response_;
    cache::Arrival arrival_;
    std::uint64_t given_ = 0;          // bytes, to the cache
    std::span<const std::byte> last_;  // of them
    bool is_taken_ = false;            // by the cache
    bool reading_ = false;
    bool has_failed_ = false;
    bool has_ended_ = false;   // the cache has taken all of it
    bool is_wanted_ = true;    // by the exchange
    bool given_back_ = false;  // by the cache
};

}  // namespace hawker::proxy
