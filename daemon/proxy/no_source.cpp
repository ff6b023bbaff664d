#include "daemon/proxy/no_source.h"

namespace hawker::proxy {

namespace {

constexpr std::string_view kWhy = "it is not stored any more";

class NoTransfer final : public cache::Transfer {
public:
    explicit NoTransfer(Errc code) : code_(code) {}
    Task<Expected<cache::Arrival>> head() override { co_return fail(code_, std::string(kWhy)); }
    Task<Expected<std::span<const std::byte>>> read() override {
        co_return fail(code_, std::string(kWhy));
    }
    void cancel() override {}

private:
    const Errc code_;
};

class NoSource final : public cache::Source {
public:
    explicit NoSource(Errc code) : code_(code) {}
    std::unique_ptr<cache::Transfer> open(const RangeSpec& /*range*/,
                                          Executor& /*home*/) const override {
        return std::make_unique<NoTransfer>(code_);
    }

private:
    const Errc code_;
};

}  // namespace

std::shared_ptr<const cache::Source> no_source(Errc code) {
    return std::make_shared<NoSource>(code);
}

}  // namespace hawker::proxy
