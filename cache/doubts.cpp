#include "cache/doubts.h"

#include <algorithm>

namespace hawker::cache {

namespace {

void trust(Stock& stock, LiveObject& object, const std::shared_ptr<DataFile>& file,
           const PieceRecord& piece) {
    auto live = object.lock();
    if (live->holdings.doubtful.erase(piece.number) == 0 || !live->recordable) return;
    PieceRecord checked = piece;
    checked.boot = stock.index->boot();
    stock.index->put_piece(object.task, live->representation->generation, checked, file);
}

}  // namespace

Task<void> check_piece(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
                       std::shared_ptr<DataFile> file, PieceRecord doubt, Executor& home) {
    ByteRange range;
    {
        auto live = object->lock();
        range = live->holdings.piece_range(doubt.number);
    }
    auto sum_up = [&] { return file->checksum(range.first, range.length()); };
    auto sum = co_await offload(stock->pool, home, sum_up);
    if (sum && *sum == doubt.checksum) {
        trust(*stock, *object, file, doubt);
        co_return;
    }
    // Somebody else may have found it out before, and its bytes may be new ones by now.
    const bool is_in_doubt = object->lock()->holdings.doubtful.contains(doubt.number);
    if (is_in_doubt) lose_piece(*stock, *object, doubt.number);
}

void lose_piece(Stock& stock, LiveObject& object, std::uint32_t number) {
    {
        auto live = object.lock();
        const ByteRange range = live->holdings.piece_range(number);
        live->holdings.doubtful.erase(number);
        if (live->holdings.present.count(range) == 0) return;
        live->holdings.present.remove(range);
        live->rehash_from = std::min(live->rehash_from, range.first);
        live->change().complete = false;
        live->digest_verified = false;
        if (live->recordable) {
            stock.index->forget_piece(object.task, live->representation->generation, number);
            stock.index->put_object(live->record());
        }
        // Before the tail is looked at: without this piece there is no digest, and with it there
        // will be.
        live->want(range);
        live->decide_tail();
        live.wake_all();
    }
    ++stock.corrupt_pieces;
    stock.log.warn("task {}: piece {} is damaged and will be fetched again", object.task.hex(),
                   number);
}

}  // namespace hawker::cache
