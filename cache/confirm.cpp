// Fetch, after the bytes are written: checksums of whole pieces for the index, the digest of the
// whole for the readers.
#include "cache/doubts.h"
#include "cache/fetch.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

constexpr std::uint64_t kHashWindow = 262'144;  // stays in the second-level cache
constexpr std::uint64_t kHashTurn = 8_MiB;      // at once on the pool; others want it too
constexpr std::size_t kRecordedAtOnce = 256;    // then others of the loop get their turn

}  // namespace

void Fetch::confirm_in_background(const std::vector<std::uint32_t>& pieces) {
    to_record_.insert(to_record_.end(), pieces.begin(), pieces.end());
    if (!to_record_.empty() && !recording_) {
        recording_ = true;
        work_.spawn(record_pieces());
    }
    if (verifying_) return;
    {
        auto live = object_->lock();
        if (!is_hashed(*live) || live->failure) return;
        const bool all_hashed = hashed_ == live->holdings.size;
        if (!all_hashed && live->holdings.present.run_end(hashed_) == hashed_) return;
    }
    verifying_ = true;
    work_.spawn(verify_digest());
}

// One piece after the other is handed to the index. What did not come in one stretch is read back
// from the page cache and summed on the pool.
Task<void> Fetch::record_pieces() {
    std::size_t at_once = 0;
    while (!to_record_.empty()) {
        const std::uint32_t number = to_record_.back();
        to_record_.pop_back();
        ByteRange range;
        std::shared_ptr<DataFile> file;
        {
            auto live = object_->lock();
            if (!live->recordable) continue;
            range = live->holdings.piece_range(number);
            if (!live->holdings.present.contains(range)) {  // damaged meanwhile
                live->unrecorded.erase(number);
                continue;
            }
            if (live->foreign.contains(number) && !live->digest_verified) {
                live->unrecorded.insert(number);
                continue;
            }
            file = live->file;
        }
        const auto summed = summed_.extract(number);
        if (summed && summed.mapped().piece == range) {
            record_piece(number, range, summed.mapped().sum);
            if (++at_once % kRecordedAtOnce == 0) co_await resume_on(home_);
            continue;
        }
        auto sum_up = [&] { return file->checksum(range.first, range.length()); };
        auto sum = co_await offload(stock_->pool, home_, sum_up);
        if (!sum) {
            object_->lock()->unrecorded.insert(number);
            stock_->log.warn("task {}: piece {} cannot be read back: {}", object_->task.hex(),
                             number, sum.error().what);
            continue;
        }
        record_piece(number, range, *sum);
    }
    recording_ = false;
    poke();
}

void Fetch::record_piece(std::uint32_t number, ByteRange range, std::uint64_t sum) {
    auto live = object_->lock();
    if (!live->recordable) return;
    live->unrecorded.erase(number);
    if (!live->recorded) stock_->index->put_object(live->record());
    live->recorded = true;
    PieceRecord piece;
    piece.number = number;
    piece.length = static_cast<std::uint32_t>(range.length());
    piece.checksum = sum;
    piece.boot = stock_->index->boot();
    stock_->index->put_piece(object_->task, live->representation->generation, piece, live->file);
}

// To be compared with a digest that is known, or to learn it.
bool Fetch::is_hashed(const LiveState& live) const {
    return live.holdings.tail_is_held || (options_.learn_digest && !live.representation->digest);
}

// SHA-256 follows the contiguous prefix. The tail is released when it agrees.
Task<void> Fetch::verify_digest() {
    for (;;) {
        std::uint64_t end = 0;
        bool is_whole = false;
        std::optional<PieceRecord> doubt;
        std::shared_ptr<DataFile> file;
        {
            auto live = object_->lock();
            if (is_over() || live->failure || !is_hashed(*live)) break;
            if (std::exchange(live->rehash_from, kNoEnd) < hashed_) {
                hash_ = {};
                hashed_ = 0;
            }
            end = live->holdings.sure_end(hashed_);
            is_whole = live->holdings.all_present();
            if (const PieceRecord* in_doubt = live->holdings.doubt_at(hashed_)) doubt = *in_doubt;
            file = live->file;
        }
        if (doubt) {
            co_await check_piece(stock_, object_, file, *doubt, home_);
            continue;
        }
        if (end > hashed_) {
            auto hashed = co_await hash_up_to(std::min(end, hashed_ + kHashTurn));
            if (!hashed) break;
            continue;
        }
        const bool is_open = is_whole && !conclude();
        if (!is_open) break;
    }
    verifying_ = false;
    poke();
}

Task<bool> Fetch::hash_up_to(std::uint64_t end) {
    std::shared_ptr<DataFile> file;
    std::shared_ptr<Body> body;
    {
        auto live = object_->lock();
        file = live->file;
        body = live->body;
    }
    if (body) {
        hash_.update(std::span(*body).subspan(hashed_, end - hashed_));
        hashed_ = end;
        co_return true;
    }
    auto hash = [&]() -> Expected<void> {
        std::vector<std::byte> window(std::min(kHashWindow, end - hashed_));
        while (hashed_ < end) {
            const auto part =
                std::span(window).first(std::min<std::uint64_t>(window.size(), end - hashed_));
            if (auto got = file->read(hashed_, part); !got) return got;
            hash_.update(part);
            hashed_ += part.size();
        }
        return {};
    };
    auto hashed = co_await offload(stock_->pool, home_, hash);
    if (!hashed) end_with(std::move(hashed.error()).within("read back for the digest"));
    co_return hashed.has_value();
}

// False: a piece was found damaged since, and what was hashed is not what is here.
bool Fetch::conclude() {
    bool agrees = false;
    std::vector<std::uint32_t> held_back;
    {
        auto live = object_->lock();
        if (!live->holdings.all_present() || live->rehash_from != kNoEnd) return false;
        const auto hash = hash_.value();
        if (!live->representation->digest) live->change().digest = Digest{hash};
        agrees = live->representation->digest->bytes == hash;
        if (agrees) {
            live->digest_verified = true;
            live->foreign.clear();
            held_back.assign(live->unrecorded.begin(), live->unrecorded.end());
            live->decide_tail();
            live.wake_all();
        }
    }
    if (agrees) confirm_in_background(held_back);
    if (!agrees) retire(Error(Errc::corrupt, "the content does not match its SHA-256"));
    return true;
}

}  // namespace hawker::cache
