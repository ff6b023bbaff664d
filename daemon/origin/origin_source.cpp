#include "daemon/origin/origin_source.h"

#include "daemon/origin/origin_transfer.h"

#include <utility>

namespace hawker::origin {

namespace {

// A probe's answer this short is read to its end, so that its connection can be used again.
constexpr std::uint64_t kWorthReading = 64UL * 1024;

Task<void> read_rest(cache::Transfer& transfer) {
    for (;;) {
        auto bytes = co_await transfer.read();
        if (!bytes || bytes->empty()) co_return;
    }
}

}  // namespace

OriginSource::OriginSource(SourceOptions options, ClientOf client_of, Executor& home)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(client_of), home)) {}

OriginSource::~OriginSource() = default;

std::unique_ptr<cache::Transfer> OriginSource::open(const RangeSpec& range, Executor& home) const {
    return std::make_unique<OriginTransfer>(shared_, range, home, Purpose::bytes);
}

std::unique_ptr<Declined> OriginSource::take_declined() const {
    return std::exchange(shared_->declined, nullptr);
}

std::unique_ptr<Declined> OriginSource::take_declined_if(
    bool (*wanted)(const http::ResponseHead&)) const {
    if (!shared_->declined || !wanted(shared_->declined->head)) return nullptr;
    return take_declined();
}

void OriginSource::let_go() const {
    shared_->keeps_declined = false;
    shared_->declined.reset();
}

void OriginSource::stop() const {
    shared_->stopped = true;
    for (OriginTransfer* transfer : shared_->transfers) transfer->cancel();
}

Task<Expected<cache::Arrival>> OriginSource::probe(Otherwise otherwise) const {
    shared_->declined.reset();
    OriginTransfer transfer(shared_, RangeSpec(0, 0), shared_->home, Purpose::access, otherwise);
    auto arrival = co_await transfer.head();
    if (arrival && arrival->length && *arrival->length <= kWorthReading)
        co_await read_rest(transfer);
    transfer.cancel();
    co_return arrival;
}

}  // namespace hawker::origin
