// Pieces that an unclean stop has left in doubt: each is read and summed up once, by whoever comes
// to it first, and then believed or fetched again.
//
// Thread: the caller's; the reading is the pool's.
#pragma once

#include "base/executor.h"
#include "base/task.h"
#include "cache/live_object.h"
#include "cache/stock.h"

#include <cstdint>
#include <memory>

namespace hawker::cache {

// Afterwards the piece is not in doubt any more: it is here, or it is not.
Task<void> check_piece(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
                       std::shared_ptr<DataFile> file, PieceRecord doubt, Executor& home);

// The bytes of a piece are not what they were: it is forgotten, and has to be fetched again.
void lose_piece(Stock& stock, LiveObject& object, std::uint32_t number);

}  // namespace hawker::cache
