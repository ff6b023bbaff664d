#include "daemon/proxy/live_answer.h"

#include "daemon/proxy/no_source.h"

#include <utility>

namespace hawker::proxy {

class LiveAnswer::Transfer final : public cache::Transfer {
public:
    explicit Transfer(std::shared_ptr<LiveAnswer> answer) : answer_(std::move(answer)) {}
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() override { answer_->give_up(); }

    Task<Expected<cache::Arrival>> head() override { co_return answer_->arrival_; }
    Task<Expected<std::span<const std::byte>>> read() override { return answer_->read(); }
    void cancel() override { answer_->give_up(); }

private:
    std::shared_ptr<LiveAnswer> answer_;
};

// Known to other loops too, for as long as the fetch runs: so it holds nothing of this one. Only
// the fetch opens it, on its loop.
class LiveAnswer::Source final : public cache::Source {
public:
    explicit Source(std::weak_ptr<LiveAnswer> answer) : answer_(std::move(answer)) {}

    std::unique_ptr<cache::Transfer> open(const RangeSpec& /*range*/,
                                          Executor& home) const override {
        auto answer = answer_.lock();
        if (!answer || answer->given_back_ || std::exchange(answer->is_taken_, true))
            return no_source()->open(RangeSpec::whole(), home);
        return std::make_unique<Transfer>(std::move(answer));
    }

private:
    std::weak_ptr<LiveAnswer> answer_;
};

LiveAnswer::LiveAnswer(std::unique_ptr<origin::Response> response, cache::Arrival arrival)
    : response_(std::move(response)), arrival_(std::move(arrival)) {}

LiveAnswer::~LiveAnswer() { response_->cancel(); }

std::shared_ptr<const cache::Source> LiveAnswer::source() {
    return std::make_shared<Source>(weak_from_this());
}

Task<Expected<std::span<const std::byte>>> LiveAnswer::read() {
    if (given_back_) co_return fail(Errc::cancelled, "somebody else reads the rest");
    const auto self = shared_from_this();
    reading_ = true;
    auto bytes = co_await response_->read();
    reading_ = false;
    has_failed_ = !bytes;
    if (!bytes) co_return bytes;
    last_ = *bytes;
    given_ += last_.size();
    has_ended_ = last_.empty() || given_ == arrival_.size;
    co_return bytes;
}

void LiveAnswer::give_up() {
    if (is_wanted_ && !reading_ && !has_failed_)
        given_back_ = true;
    else
        response_->cancel();
}

std::optional<LiveAnswer::Rest> LiveAnswer::take_rest() {
    if (is_taken_ && !given_back_) return std::nullopt;
    given_back_ = true;
    Rest rest;
    rest.offset = given_ - last_.size();
    rest.bytes = std::exchange(last_, {});
    return rest;
}

void LiveAnswer::let_go() {
    is_wanted_ = false;
    if (given_back_) response_->cancel();
}

}  // namespace hawker::proxy
