// The chunked transfer coding, both ways (RFC 9112 section 7.1). Strict: bad sizes, extensions above the limit and bare LF are
// Errc::invalid, after which the connection must be closed. Trailers are read and dropped.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

namespace hawker::http {

class ChunkDecoder {
public:
    struct Step {
        std::size_t consumed = 0;              // bytes of the input that were used up
        std::span<const std::byte> data;       // a part of the input: body bytes; may be empty
        bool finished = false;                 // the last chunk and the trailer section are over
    };
    // Takes what it can up to the end of one run of data. Call again with the rest until it consumes nothing.
    Expected<Step> decode(std::span<const std::byte> input);
    bool finished() const;

private:
    enum class State : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf, end_lf, finished };
    State state_ = State::size;
    std::uint64_t remaining_ = 0;
    std::size_t size_digits_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t total_overhead_ = 0;
};

// "1a2b\r\n" before, "\r\n" after the data; and the last chunk.
std::string chunk_head(std::uint64_t size);
inline constexpr std::string_view kChunkTail = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace hawker::http
