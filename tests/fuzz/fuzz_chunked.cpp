// The chunked coding: the first byte says where the input is cut.
//
// Properties: where the input is cut changes neither the verdict nor a byte; after an error nothing
// more is taken; what we encode comes out as it went in.
#include "daemon/http/chunked.h"
#include "require.h"

#include <string>

namespace {

using namespace hawker::http;
using hawker::fuzz::require;

struct Result {
    std::string body;
    bool finished = false;
    bool failed = false;
    bool operator==(const Result&) const = default;
};

// In pieces of `step` bytes.
Result decode(std::string_view input, std::size_t step) {
    ChunkDecoder decoder;
    Result result;
    while (!input.empty() && !decoder.finished()) {
        auto piece = std::as_bytes(std::span(input.substr(0, step)));
        std::size_t used = 0;
        while (used < piece.size() && !decoder.finished()) {
            const auto taken = decoder.decode(piece.subspan(used));
            if (!taken) {
                require(!decoder.decode(piece).has_value(), "after an error nothing is taken");
                result.failed = true;
                return result;
            }
            require(taken->consumed > 0, "there is always progress");
            result.body.append(reinterpret_cast<const char*>(taken->data.data()),
                               taken->data.size());
            used += taken->consumed;
        }
        input.remove_prefix(used);
    }
    result.finished = decoder.finished();
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = 1 + data[0] % 17;
    const std::string_view input = hawker::fuzz::text_of(data + 1, size - 1);
    const Result whole = decode(input, input.size() + 1);
    const Result cut = decode(input, step);
    require(whole.failed == cut.failed && whole.finished == cut.finished,
            "where the input is cut does not change the verdict");
    require(whole.failed || whole == cut, "where the input is cut changes no byte");

    std::string encoded;
    for (std::size_t at = 0; at < input.size(); at += step) {
        const std::string_view run = input.substr(at, step);
        encoded += chunk_head(run.size());
        encoded += run;
        encoded += kChunkTail;
    }
    encoded += kLastChunk;
    const Result again = decode(encoded, step);
    require(again.finished && again.body == input, "what we encode comes out as it went in");
    return 0;
}
