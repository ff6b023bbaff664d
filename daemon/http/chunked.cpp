#include "daemon/http/chunked.h"

#include "daemon/http/grammar.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

namespace hawker::http {

namespace {

constexpr std::size_t kMostSizeDigits = 16;
constexpr std::size_t kMostExtensionBytes = 256;
constexpr std::size_t kMostExtensionBytesOfAMessage = 16 * 1024;
constexpr std::size_t kMostTrailerBytes = 16 * 1024;

std::unexpected<Error> broken(std::string_view what) {
    return fail(Errc::invalid, fmt::format("The chunked body is broken: {}.", what));
}

// A cursor over one chunk extension list:
// *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
class ExtensionReader {
public:
    explicit ExtensionReader(std::string_view text) : rest_(text) {}

    bool reads_to_the_end() {
        while (!rest_.empty()) {
            skip_space();
            if (!skip(';')) return false;
            skip_space();
            if (!skip_token()) return false;
            const std::string_view after_name = rest_;
            skip_space();
            if (!skip('=')) {
                rest_ = after_name;
                continue;
            }
            skip_space();
            if (!skip_token() && !skip_quoted_string()) return false;
        }
        return true;
    }

private:
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    }
    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool skip_token() {
        const auto end = std::ranges::find_if_not(rest_, is_token_char);
        const auto length = static_cast<std::size_t>(end - rest_.begin());
        rest_.remove_prefix(length);
        return length > 0;
    }
    bool skip_quoted_string() {
        if (!skip('"')) return false;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(c == '\\' ? std::min<std::size_t>(2, rest_.size()) : 1);
            if (c == '"') return true;
        }
        return false;
    }

    std::string_view rest_;
};

}  // namespace

Expected<ChunkDecoder::Step> ChunkDecoder::decode(std::span<const std::byte> input) {
    Step step;
    while (step.consumed < input.size() && state_ != State::finished) {
        const auto rest = input.subspan(step.consumed);
        if (state_ == State::data) {
            step.data = rest.first(
                static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size())));
            step.consumed += step.data.size();
            remaining_ -= step.data.size();
            if (remaining_ == 0) state_ = State::data_end;
            return step;
        }
        auto taken = take_line(rest);
        if (!taken) {
            state_ = State::failed;
            return fail(std::move(taken.error()));
        }
        step.consumed += *taken;
    }
    step.finished = finished();
    return step;
}

// Takes bytes of a line up to its end or the input's.
Expected<std::size_t> ChunkDecoder::take_line(std::span<const std::byte> input) {
    for (std::size_t i = 0; i < input.size(); ++i) {
        auto line = take(static_cast<char>(input[i]));
        if (!line) return fail(std::move(line.error()));
        if (!*line) continue;
        auto accepted = line_ended(**line);
        if (!accepted) return fail(std::move(accepted.error()));
        line_.clear();
        return i + 1;
    }
    return input.size();
}

Expected<std::optional<std::string_view>> ChunkDecoder::take(char byte) {
    if (state_ == State::failed) return broken("it failed before");
    const bool had_cr = line_.ends_with('\r');
    if (had_cr && byte != '\n') return broken("a CR without LF");
    if (byte == '\n') {
        if (!had_cr) return broken("a line that ends with LF alone, not CRLF");
        return std::string_view(line_).substr(0, line_.size() - 1);
    }
    if (byte != '\r') {
        if (!is_field_byte(byte)) return broken("a control byte in a line");
        if (state_ == State::data_end) return broken("more data than the chunk's size said");
        if (state_ == State::size_line && line_.size() >= kMostSizeDigits + kMostExtensionBytes)
            return broken("a chunk extension of more than 256 bytes");
        if (state_ == State::trailer_line && ++trailer_bytes_ > kMostTrailerBytes)
            return broken("trailers of more than 16 KiB");
    }
    line_.push_back(byte);
    return std::nullopt;
}

Expected<void> ChunkDecoder::line_ended(std::string_view line) {
    switch (state_) {
        case State::size_line:
            return begin_chunk(line);
        case State::data_end:
            state_ = State::size_line;
            return {};
        default:
            return end_trailer(line);
    }
}

Expected<void> ChunkDecoder::begin_chunk(std::string_view line) {
    const char* const end = line.data() + line.size();
    const auto [size_end, outcome] = std::from_chars(line.data(), end, remaining_, 16);
    const auto digits = static_cast<std::size_t>(size_end - line.data());
    if (digits == 0 || digits > kMostSizeDigits || outcome != std::errc())
        return broken("a chunk size is 1 to 16 hexadecimal digits");
    if (remaining_ > std::numeric_limits<std::int64_t>::max())
        return broken("a chunk size beyond 63 bits");

    const std::string_view extensions = line.substr(digits);
    extension_bytes_ += extensions.size();
    if (extensions.size() > kMostExtensionBytes)
        return broken("a chunk extension of more than 256 bytes");
    if (extension_bytes_ > kMostExtensionBytesOfAMessage)
        return broken("chunk extensions of more than 16 KiB in one message");
    if (!ExtensionReader(extensions).reads_to_the_end())
        return broken("a chunk extension that does not parse");

    state_ = remaining_ == 0 ? State::trailer_line : State::data;
    return {};
}

Expected<void> ChunkDecoder::end_trailer(std::string_view line) {
    if (line.empty()) {
        state_ = State::finished;
        return {};
    }
    if (!is_token(line.substr(0, line.find(':'))))
        return broken("a trailer that is not 'Name: value'");
    if (!line.contains(':')) return broken("a trailer without a colon");
    return {};
}

std::string chunk_head(std::uint64_t size) { return fmt::format("{:x}\r\n", size); }

}  // namespace hawker::http
