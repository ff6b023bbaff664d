#include "daemon/proxy/response_writer.h"

#include "daemon/http/chunked.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::uint64_t kCorkedFrom = 256ULL << 10U;
constexpr std::uint64_t kLong = 1ULL << 20U;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

ResponseWriter::ResponseWriter(net::Socket& client, const http::RequestHead& request,
                               net::Deadline write_timeout, const Clock& clock,
                               std::string& head_room)
    : client_(client),
      write_timeout_(write_timeout),
      clock_(clock),
      head_request_(request.method == "HEAD"),
      http_1_1_(request.minor_version >= 1),
      keep_alive_(request.keep_alive),
      wants_continue_(request.expects_continue),
      pending_head_(head_room) {}

void ResponseWriter::begin(http::ResponseHead head, std::optional<std::uint64_t> body_length) {
    status_ = head.status;
    has_body_ = !head_request_ && may_have_body(status_);
    head.fields.remove("Transfer-Encoding");
    head.fields.remove("Connection");
    if (may_have_body(status_)) {
        head.fields.remove("Content-Length");
        if (body_length)
            head.fields.add("Content-Length", fmt::format("{}", *body_length));
        else if (has_body_ && http_1_1_ && !ends_by_closing_)
            head.fields.add("Transfer-Encoding", "chunked");
        chunked_ = head.fields.has("Transfer-Encoding");
        if (has_body_ && !body_length && !chunked_) keep_alive_ = false;
    }
    if (status_ == 204) head.fields.remove("Content-Length");  // RFC 9110 section 8.6
    promised_ = has_body_ ? body_length : std::nullopt;
    if (!keep_alive_) head.fields.add("Connection", "close");
    pending_head_ = http::serialize(head);
}

void ResponseWriter::begin(int status, std::uint64_t body_length) {
    status_ = status;
    has_body_ = !head_request_;
    chunked_ = false;
    promised_ = has_body_ ? std::optional(body_length) : std::nullopt;
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), body_length).ptr;
    pending_head_.append("Content-Length: ").append(digits.begin(), end);
    pending_head_ += keep_alive_ ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
}

bool ResponseWriter::withdraw() {
    if (pending_head_.empty() || failed_) return false;
    pending_head_.clear();
    status_ = 0;
    return true;
}

void ResponseWriter::end_by_closing() {
    ends_by_closing_ = true;
    keep_alive_ = false;
}

Expected<void> ResponseWriter::account(std::uint64_t bytes, const Expected<void>& sent) {
    if (!sent) failed_ = true;
    if (!first_byte_at_ && sent) first_byte_at_ = clock_.now();
    body_bytes_ += bytes;
    return sent;
}

Task<Expected<void>> ResponseWriter::send(std::span<const std::span<const std::byte>> parts,
                                          net::Socket::Follows follows) {
    std::array<std::span<const std::byte>, 4> all;
    std::size_t count = 0;
    if (!pending_head_.empty()) all[count++] = bytes_of(pending_head_);
    for (const auto part : parts) all[count++] = part;
    auto sent = co_await client_.write(std::span(all).first(count), write_timeout_, follows);
    head_has_left();
    co_return sent;
}

// A slow client of a long body needs no room meanwhile for the next one's head.
void ResponseWriter::head_has_left() {
    if (promised_ && *promised_ >= kLong)
        std::string().swap(pending_head_);
    else
        pending_head_.clear();
}

Task<Expected<void>> ResponseWriter::announce() {
    if (failed_ || pending_head_.empty()) co_return Expected<void>();
    const std::span<const std::span<const std::byte>> nothing_else;
    auto sent = co_await send(nothing_else, net::Socket::Follows::nothing);
    co_return account(0, sent);
}

Task<Expected<void>> ResponseWriter::body(std::span<const std::byte> bytes) {
    return pace_ && has_body_ ? body_by_pace(bytes) : body_at_once(bytes);
}

Task<Expected<void>> ResponseWriter::body_by_pace(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto next = bytes.first(std::min<std::uint64_t>(bytes.size(), pace_->quantum()));
        co_await pace_->before(next.size());
        auto sent = co_await body_at_once(next);
        if (!sent) co_return sent;
        bytes = bytes.subspan(next.size());
    }
    co_return Expected<void>();
}

Task<Expected<void>> ResponseWriter::body_at_once(std::span<const std::byte> bytes) {
    if (!has_body_ || bytes.empty()) co_return Expected<void>();
    // What came behind the end would stand where the next response begins.
    if (promised_ && bytes.size() > *promised_ - body_bytes_) {
        failed_ = true;
        co_return fail(Errc::invalid, "the body is longer than its announced length");
    }
    const std::string chunk = chunked_ ? http::chunk_head(bytes.size()) : std::string();
    // What send() does, without another coroutine: nearly every hit ends here.
    const std::string_view tail = chunked_ ? http::kChunkTail : std::string_view();
    std::array<std::span<const std::byte>, 4> parts;
    std::size_t count = 0;
    for (const auto part : {bytes_of(pending_head_), bytes_of(chunk), bytes, bytes_of(tail)})
        if (!part.empty()) parts[count++] = part;
    auto sent = co_await client_.write(std::span(parts).first(count), write_timeout_);
    head_has_left();
    co_return account(sent ? bytes.size() : 0, sent);
}

Task<Expected<void>> ResponseWriter::send_file(int fd, std::uint64_t offset, std::uint64_t length,
                                               std::uint64_t& sent) {
    if (pace_) return send_file_by_pace(fd, offset, length, sent);
    return client_.send_file(fd, offset, length, write_timeout_, sent);
}

Task<Expected<void>> ResponseWriter::send_file_by_pace(int fd, std::uint64_t offset,
                                                       std::uint64_t length, std::uint64_t& sent) {
    while (sent < length) {
        const std::uint64_t most = std::min(length - sent, pace_->quantum());
        co_await pace_->before(most);
        std::uint64_t now = 0;
        auto done = co_await client_.send_file(fd, offset + sent, most, write_timeout_, now);
        sent += now;
        if (!done) co_return done;
    }
    co_return Expected<void>();
}

void ResponseWriter::uncork() {
    if (std::exchange(corked_, false)) client_.uncork();
}

// The kernel gives a file's pages to TCP in portions, and pushes short segments between them: while
// the rest is at hand, it holds back what fills none. Of a body of 1 MiB that saves a tenth of the
// segments; a short one is not worth the two calls.
void ResponseWriter::cork_for(Rest rest) {
    const bool is_long = !promised_ || *promised_ - body_bytes_ >= kCorkedFrom;
    if (rest == Rest::at_hand && is_long && !std::exchange(corked_, true)) client_.cork();
}

Task<Expected<void>> ResponseWriter::file(int fd, std::uint64_t offset, std::uint64_t length,
                                          Rest rest) {
    if (chunked_) return file_in_chunk(fd, offset, length, rest);
    return file_as_it_is(fd, offset, length, rest);
}

Task<Expected<void>> ResponseWriter::file_in_chunk(int fd, std::uint64_t offset,
                                                   std::uint64_t length, Rest rest) {
    if (!has_body_ || length == 0) co_return Expected<void>();
    const std::string chunk = http::chunk_head(length);
    const std::array<std::span<const std::byte>, 1> parts = {bytes_of(chunk)};
    cork_for(rest);
    auto begun = co_await send(parts, net::Socket::Follows::more);
    if (!begun) co_return account(0, begun);
    auto sent = co_await file_as_it_is(fd, offset, length, rest);
    if (!sent) co_return sent;
    auto tail = co_await client_.write(http::kChunkTail, write_timeout_);
    co_return account(0, tail);
}

// A head waits in the kernel for the file's first bytes.
Task<Expected<void>> ResponseWriter::file_as_it_is(int fd, std::uint64_t offset,
                                                   std::uint64_t length, Rest rest) {
    if (!has_body_ || length == 0) co_return Expected<void>();
    cork_for(rest);
    if (!pending_head_.empty()) {
        const std::span<const std::span<const std::byte>> nothing_else;
        auto begun = co_await send(nothing_else, net::Socket::Follows::more);
        if (!begun) co_return account(0, begun);
    }
    std::uint64_t bytes = 0;
    auto sent = co_await send_file(fd, offset, length, bytes);
    (void)account(bytes, sent);
    if (rest == Rest::to_come || body_bytes_ == promised_) uncork();
    co_return sent;
}

// Nothing of it is chunked, paced or encrypted.
bool ResponseWriter::sends_cold_files() const { return promised_ && !pace_ && !client_.is_tls(); }

Task<Expected<void>> ResponseWriter::cold_file(Executor& pool, const FilePart& part, Rest rest) {
    cork_for(rest);
    if (!pending_head_.empty()) {
        const std::span<const std::span<const std::byte>> nothing_else;
        auto sent = co_await send(nothing_else, net::Socket::Follows::more);
        if (!sent) co_return account(0, sent);
    }
    std::uint64_t bytes = 0;
    auto sent = co_await client_.send_cold_file(pool, part.fd, part.offset, part.length, part.ahead,
                                                write_timeout_, bytes);
    const bool goes_on = !sent && sent.error().code == Errc::corrupt;
    (void)account(bytes, goes_on ? Expected<void>() : sent);
    if (rest == Rest::to_come || body_bytes_ == promised_) uncork();
    co_return sent;
}

Task<Expected<void>> ResponseWriter::finish() {
    if (failed_) co_return fail(Errc::closed, "the client's connection failed");
    if (promised_ && body_bytes_ != *promised_) {
        failed_ = true;
        co_return fail(Errc::closed, "the body ended before its announced length");
    }
    const std::string_view last = chunked_ && has_body_ ? http::kLastChunk : std::string_view();
    if (!last.empty() || !pending_head_.empty()) {
        const std::array<std::span<const std::byte>, 1> parts = {bytes_of(last)};
        auto sent = co_await send(parts, net::Socket::Follows::nothing);
        auto accounted = account(0, sent);
        if (!accounted) co_return accounted;
    }
    uncork();
    finished_ = true;
    co_return Expected<void>();
}

bool ResponseWriter::finish_at_once() {
    const bool is_whole = !promised_ || body_bytes_ == *promised_;
    finished_ = !failed_ && is_whole && pending_head_.empty() && !(chunked_ && has_body_);
    if (finished_) uncork();
    return finished_;
}

Task<Expected<void>> ResponseWriter::continue_reading() {
    if (!std::exchange(wants_continue_, false) || begun()) co_return Expected<void>();
    auto sent = co_await client_.write("HTTP/1.1 100 Continue\r\n\r\n", write_timeout_);
    co_return sent;
}

}  // namespace hawker::proxy
