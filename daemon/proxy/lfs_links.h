// Git LFS through a mirror: the batch question goes up with the client's credentials, and its
// answer's links come back to us, sealed: each is for one object, until it ends.
//
// Thread: the loop's. All three arguments outlive the task.
#pragma once

#include "base/task.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"

namespace hawker::proxy {

// POST .../objects/batch, wherever `lfs.url` says that the API is (Git LFS, docs/api/batch.md).
bool is_lfs_batch(const http::RequestHead& request);
Task<void> serve_lfs_batch(Context& context, const Mirror& mirror, MirrorTurn& turn);
// A link that an answer of ours has given out (hub::lfs_target).
Task<void> serve_lfs_object(Context& context, const Mirror& mirror, MirrorTurn& turn);

}  // namespace hawker::proxy
