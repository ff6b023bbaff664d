#include "daemon/proxy/client_input.h"

#include "base/units.h"

#include <algorithm>

namespace hawker::proxy {

using namespace hawker::literals;

namespace {

constexpr std::size_t kFirstRead = 4_KiB;  // of a head that did not come whole
constexpr std::string_view kNextRequest = "the next request";

}  // namespace

void ClientInput::consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ < buffer_.size()) return;
    begin_ = 0;
    // A client that takes its time over the answer holds no body's buffer meanwhile.
    if (buffer_.capacity() > kFirstRead)
        std::vector<std::byte>().swap(buffer_);
    else
        buffer_.clear();
}

Task<Expected<void>> ClientInput::fill(net::Deadline deadline, std::string_view waiting_for,
                                       std::size_t at_once) {
    if (begin_ > 0) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
    }
    const std::size_t old_size = buffer_.size();
    buffer_.resize(std::max(old_size * 2, at_once));
    auto got = co_await socket_.read(std::span(buffer_).subspan(old_size), deadline, waiting_for);
    buffer_.resize(old_size + (got ? *got : 0));
    if (!got) co_return fail(std::move(got.error()));
    if (*got == 0) co_return fail(Errc::closed, "the client closed its connection");
    co_return Expected<void>();
}

std::optional<ClientInput::Head> ClientInput::read_head(std::span<const std::byte> bytes,
                                                        const Settings& settings,
                                                        std::size_t& consumed) {
    ExchangeSpares::Lent memory = spares_.take();
    auto parsed = http::parse_request_head(bytes, settings.head_limits, memory->request);
    if (!parsed) return Head(std::move(parsed.error()));
    consumed = *parsed;
    if (consumed == 0) return std::nullopt;
    return Head(std::move(memory));
}

// Most heads come whole: then nothing is kept of them but what was read from them.
std::optional<ClientInput::Head> ClientInput::head_at_once(const Settings& settings) {
    const std::span<std::byte> scratch = socket_.loop().scratch();
    auto got = socket_.read_now(scratch, kNextRequest);
    if (!got) return std::nullopt;
    if (!*got) return Head(std::move(got->error()));
    if (**got == 0) return Head(Error(Errc::closed, "the client closed its connection"));
    const std::span<const std::byte> bytes = scratch.first(**got);
    std::size_t consumed = 0;
    auto head = read_head(bytes, settings, consumed);
    const auto rest = bytes.subspan(consumed);
    buffer_.assign(rest.begin(), rest.end());
    begin_ = 0;
    return head;
}

Task<ClientInput::Head> ClientInput::next_head(const Settings& settings) {
    if (buffered().empty()) {
        buffer_ =
            std::vector<std::byte>();  // an idle connection holds no buffer (`= {}` would keep it)
        auto head = head_at_once(settings);
        if (!head && buffered().empty()) {
            auto awake = co_await socket_.readable(settings.idle_timeout, kNextRequest);
            if (!awake) co_return Head(std::move(awake.error()));
            head = head_at_once(settings);
        }
        if (head) co_return std::move(*head);
    }
    const SteadyTime deadline = clock_.now() + settings.head_timeout;
    for (;;) {
        std::size_t consumed = 0;
        auto head = read_head(buffered(), settings, consumed);
        consume(consumed);
        if (head) co_return std::move(*head);
        const bool has_begun = !buffered().empty();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock_.now());
        if (left <= left.zero())
            co_return Head(
                http::BadRequest(408, "The request head did not arrive in time (timeouts.head)."));
        auto more = co_await fill(left, "the rest of a request head", kFirstRead);
        if (more) continue;
        if (has_begun && more.error().code == Errc::timed_out)
            co_return Head(
                http::BadRequest(408, "The request head did not arrive in time (timeouts.head)."));
        co_return Head(std::move(more.error()));
    }
}

RequestBody::RequestBody(ClientInput& input, const http::RequestHead& head, net::Deadline deadline)
    : input_(input),
      framing_(head.framing),
      deadline_(deadline),
      remaining_(head.content_length),
      finished_(framing_ == http::Framing::none ||
                (framing_ == http::Framing::length && head.content_length == 0)) {}

Expected<std::span<const std::byte>> RequestBody::take_from(std::span<const std::byte> available) {
    if (framing_ == http::Framing::length) {
        const auto data = available.first(std::min<std::uint64_t>(available.size(), remaining_));
        remaining_ -= data.size();
        finished_ = remaining_ == 0;
        lent_ = data.size();
        return data;
    }
    while (!available.empty()) {
        auto step = decoder_.decode(available);
        if (!step) return fail(std::move(step.error()));
        finished_ = step->finished;
        if (!step->data.empty()) {
            lent_ = step->consumed;
            return step->data;
        }
        input_.consume(step->consumed);
        available = input_.buffered();
        if (finished_ || step->consumed == 0) break;
    }
    return std::span<const std::byte>();
}

Task<Expected<std::span<const std::byte>>> RequestBody::read() {
    input_.consume(std::exchange(lent_, 0));
    while (!finished_) {
        if (input_.buffered().empty()) {
            auto more = co_await input_.fill(deadline_, "the request body");
            if (!more) co_return fail(std::move(more.error()));
        }
        auto data = take_from(input_.buffered());
        if (!data) co_return fail(std::move(data.error()));
        received_ += data->size();
        if (!data->empty()) co_return *data;
        if (finished_) break;
        auto more = co_await input_.fill(deadline_, "the request body");
        if (!more) co_return fail(std::move(more.error()));
    }
    co_return std::span<const std::byte>();
}

}  // namespace hawker::proxy
