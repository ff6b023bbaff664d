// The chunked transfer coding, both ways (RFC 9112 section 7.1). Strict: bad sizes, extensions
// above the limit and bare LF are Errc::invalid, after which the connection must be closed.
// Trailers are read and dropped.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker::http {

// What comes out does not depend on how the input was cut. After an error every further call fails.
class ChunkDecoder {
public:
    struct Step {
        std::size_t consumed = 0;         // bytes of the input that were used up
        std::span<const std::byte> data;  // a part of the input: body bytes; may be empty
        bool finished = false;            // the last chunk and the trailer section are over
    };
    // Takes what it can up to the end of one run of data. Call again with the rest until it
    // consumes nothing.
    Expected<Step> decode(std::span<const std::byte> input);
    bool finished() const { return state_ == State::finished; }

private:
    enum class State : std::uint8_t { size_line, data, data_end, trailer_line, finished, failed };

    // Takes one byte of a line. The line without its CRLF once it is complete; valid until the next
    // call.
    Expected<std::optional<std::string_view>> take(char byte);
    Expected<void> begin_chunk(std::string_view line);
    Expected<void> end_trailer(std::string_view line);
    Expected<void> line_ended(std::string_view line);
    Expected<std::size_t> take_line(std::span<const std::byte> input);

    State state_ = State::size_line;
    std::string line_;                 // the size or trailer line so far; bounded
    std::uint64_t remaining_ = 0;      // of the current chunk's data
    std::size_t extension_bytes_ = 0;  // of the whole message
    std::size_t trailer_bytes_ = 0;
};

// "1a2b\r\n" before, "\r\n" after the data; and the last chunk.
std::string chunk_head(std::uint64_t size);
inline constexpr std::string_view kChunkTail = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace hawker::http
