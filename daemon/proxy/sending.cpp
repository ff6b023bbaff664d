#include "daemon/proxy/sending.h"

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

namespace {

Task<Expected<void>> send_cold_run(Context& context, cache::Reader& reader, const cache::Run& run,
                                   ResponseWriter::Rest rest) {
    ResponseWriter& out = context.out;
    if (!out.sends_cold_files()) {
        reader.take_back(run.offset);
        co_return Expected<void>();
    }
    const FilePart part{run.fd, run.offset, run.length, run.ahead};
    const std::uint64_t before = out.body_bytes();
    auto sent = co_await out.cold_file(context.services.pool, part, rest);
    if (sent || sent.error().code != Errc::corrupt) co_return sent;
    reader.take_back(run.offset + (out.body_bytes() - before));
    co_return Expected<void>();
}

}  // namespace

Task<Expected<void>> send_run(Context& context, cache::Reader& reader, const cache::Run& run,
                              ResponseWriter::Rest rest) {
    if (run.fd < 0) return context.out.body(run.bytes);
    if (run.is_cold) return send_cold_run(context, reader, run, rest);
    return context.out.file(run.fd, run.offset, run.length, rest);
}

}  // namespace hawker::proxy
