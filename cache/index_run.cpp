#include "cache/index_run.h"

#include "cache/index_apply.h"
#include "cache/records.h"

#include <string_view>

namespace hawker::cache {

namespace {

std::uint64_t number_in(const Txn& txn, std::string_view name) {
    const auto row = txn.get(Table::meta, name);
    return row ? decode_number(*row).value_or(0) : 0;
}

// Once, where an older hawkerd was the last: its number is ours before anybody asks for it. What
// fails here is done when the run begins.
void take_over(Environment& environment) {
    {
        const auto txn = environment.read();
        if (!txn || !has_older_count(*txn)) return;
    }
    auto txn = environment.write();
    if (!txn) return;
    convert_older_count(*txn);
    static_cast<void>(txn->commit());
}

}  // namespace

IndexRun::IndexRun(Environment& environment) : environment_(environment) {
    take_over(environment);
    const auto txn = environment.read();
    if (!txn) return;
    number_ = number_in(*txn, "boot") + 1;
    was_clean_ = number_in(*txn, "clean") != 0;
    trusted_ = was_clean_ ? number_in(*txn, "trusted") : number_;
    stored_bytes_ = stored_bytes(*txn);
}

Expected<void> IndexRun::begin() {
    if (begun_.load(std::memory_order_acquire)) return {};
    const std::scoped_lock lock(mutex_);
    if (begun_.load(std::memory_order_relaxed)) return {};
    if (ended_) return fail(Errc::shutting_down, "the index is closing");
    if (auto written = write(false); !written)
        return fail(std::move(written.error()).within("begin a run of the index"));
    begun_.store(true, std::memory_order_release);
    return {};
}

Expected<void> IndexRun::end() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    return write(true);
}

Expected<void> IndexRun::write(bool clean) {
    auto txn = environment_.write();
    if (!txn) return fail(txn.error());
    txn->put(Table::meta, "boot", encode_number(number_));
    txn->put(Table::meta, "trusted", encode_number(trusted_));
    txn->put(Table::meta, "clean", encode_number(clean ? 1 : 0));
    convert_older_count(*txn);
    put_stored_bytes(*txn, stored_bytes(*txn));  // an older index did not say; once
    if (auto committed = txn->commit(); !committed) return committed;
    return environment_.sync();
}

}  // namespace hawker::cache
