// The foundation that a daemon stands on.
#include "cache/foundation.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <lmdb.h>

namespace hawker::cache {

namespace {

class LmdbCalls final : public IndexCalls {
public:
    int commit(MDB_txn* txn) override { return mdb_txn_commit(txn); }
    int sync(MDB_env* env) override { return mdb_env_sync(env, 1); }
};

// A thread of its own, that sleeps until something is due.
class ScribeThread final : public Scribe {
public:
    ~ScribeThread() override { end(); }

    Time now() const override { return std::chrono::steady_clock::now(); }

    void begin(Turn turn) override {
        turn_ = std::move(turn);
        thread_ = std::thread([this] { run(); });
    }

    void wake(Hurry) override {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
        changed_.notify_one();
    }

    void end() override {
        {
            const std::scoped_lock lock(mutex_);
            ended_ = true;
            changed_.notify_one();
        }
        if (thread_.joinable()) thread_.join();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!ended_) {
            woken_ = false;
            lock.unlock();
            const Time due = turn_();
            lock.lock();
            const auto is_called = [this] { return woken_ || ended_; };
            // Time::max() overflows inside wait_until().
            if (due == Time::max())
                changed_.wait(lock, is_called);
            else
                changed_.wait_until(lock, due, is_called);
        }
    }

    Turn turn_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false, ended_ = false;
    std::thread thread_;
};

}  // namespace

Foundation Foundation::of_the_system() {
    Foundation system;
    system.disk = std::make_shared<SystemDisk>();
    system.index = std::make_shared<LmdbCalls>();
    system.scribe = std::make_shared<ScribeThread>();
    return system;
}

}  // namespace hawker::cache
