// The Reader of a live object.
//
// A look at the object says what to do next: hand out bytes, check a piece that an unclean stop
// left in doubt, wait, or begin a fetch. The loop's thread only ever looks; whatever may wait for
// the disk goes to the pool.
#pragma once

#include "base/frames.h"
#include "cache/fetch.h"
#include "cache/live_object.h"
#include "cache/reader.h"
#include "cache/stock.h"

#include <cstddef>
#include <memory>
#include <optional>

namespace hawker::cache {

class TaskReader final : public Reader {
public:
    // `live` is the state of `object`, which the caller has locked.
    TaskReader(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object, LiveState& live,
               OpenRequest request, Executor& home, Origin origin);
    ~TaskReader() override;
    // One begins for each request, and takes the memory of one that ended.
    static void* operator new(std::size_t size) { return detail::take_frame(size); }
    static void operator delete(void* reader, std::size_t size) {
        detail::leave_frame(reader, size);
    }
    TaskReader(const TaskReader&) = delete;
    TaskReader& operator=(const TaskReader&) = delete;

    const Representation& representation() const override { return *representation_; }
    Origin origin() const override { return origin_; }
    void select(ByteRange range) override;
    Task<Expected<Run>> next(std::uint64_t most) override;
    void take_back(std::uint64_t position) override;
    std::uint64_t position() const override { return position_; }
    bool waited() const override { return waited_; }
    void cancel() override;

private:
    enum class Step : std::uint8_t { hand_out, finish, check, wait, begin, give_up };
    struct Look {
        Step step = Step::finish;
        ByteRange run;                 // hand_out
        PieceRecord doubt;             // check
        std::uint64_t epoch = 0;       // wait
        std::shared_ptr<Fetch> fetch;  // begin: to be started; wait: to be told, or null
        std::optional<Error> error;    // give_up
    };
    Look look(std::uint64_t most);
    Look look_for_missing(LiveState& live);
    void start_or_kick(const Look& seen) const;
    Run run_of(ByteRange range) const;
    Run cold_run_of(ByteRange range) const;
    // Makes `range` resident, perhaps less of it; an empty answer when it could not be read, and
    // was given up.
    Task<ByteRange> bring_in(ByteRange range);
    std::uint64_t piece_size_of_object() const;

    std::shared_ptr<Stock> stock_;
    std::shared_ptr<LiveObject> object_;
    OpenRequest request_;
    Executor& home_;
    const Origin origin_;
    std::shared_ptr<const Representation> representation_;
    std::shared_ptr<DataFile> file_;
    std::shared_ptr<Body> body_;

    std::uint64_t position_ = 0;
    std::uint64_t end_;
    bool selected_ = false;
    bool waited_ = false;
    bool cancelled_ = false;
    bool took_back_ = false;           // what comes next is brought in first
    std::uint64_t awaited_fetch_ = 0;  // the number of the fetch that next() waited for last
    Need need_;                        // known to the live object
    Waiter waiter_;
};

}  // namespace hawker::cache
