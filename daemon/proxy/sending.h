// A reader's run on its way to the client.
#pragma once

#include "base/error.h"
#include "base/task.h"
#include "cache/reader.h"
#include "daemon/proxy/response_writer.h"

#include <cstdint>

namespace hawker::proxy {

struct Context;

// Asked of a reader at once.
inline constexpr std::uint64_t kRun = 8ULL << 20U;  // bytes

// Sends `run`, which `reader` handed out just now. Of a cold one perhaps not all, or nothing: the
// reader has taken back the rest, so go on by its next(). Errors are the client's, or the file's
// where it cannot be read at last.
Task<Expected<void>> send_run(Context& context, cache::Reader& reader, const cache::Run& run,
                              ResponseWriter::Rest rest);

}  // namespace hawker::proxy
