#include "daemon/proxy/shelves.h"

#include <algorithm>
#include <tuple>

namespace hawker::proxy {

namespace {

constexpr std::size_t kShelfWeight = 256;  // of a shelf without anything on it, about

// Those of the same moment always stand in the same order.
bool is_later(const VariantPtr& one, const VariantPtr& other) {
    return std::tie(one->arrived, one->task.bytes) > std::tie(other->arrived, other->task.bytes);
}

// The same question's earlier answer. Parts stand beside each other, as long as they are of one
// content; a whole replaces them all.
bool replaces(const StoredVariant& next, const StoredVariant& before) {
    if (next.names != before.names || next.selection != before.selection) return false;
    if (!next.part) return true;
    if (!before.part) return false;
    const auto now = next.stored.head.fields.get("ETag");
    const bool is_same_content =
        now && now == before.stored.head.fields.get("ETag") && next.whole_size == before.whole_size;
    const bool covers =
        next.part->first <= before.part->first && before.part->end <= next.part->end;
    return covers || !is_same_content;
}

}  // namespace

Shelves::Shelf& Shelves::shelf_of(const TaskId& primary) {
    const auto place = places_.find(primary);
    if (place != places_.end()) {
        shelves_.splice(shelves_.begin(), shelves_, place->second);
        return shelves_.front();
    }
    Shelf& shelf = shelves_.emplace_front();
    shelf.primary = primary;
    shelf.epoch = epochs_;
    places_.emplace(primary, shelves_.begin());
    weigh(shelf);
    return shelf;
}

// Of `shelf`, which is the first one: others leave for it.
void Shelves::weigh(Shelf& shelf) {
    bytes_ -= shelf.weight;
    shelf.weight = kShelfWeight;
    for (const VariantPtr& variant : shelf.variants) shelf.weight += variant->weight();
    bytes_ += shelf.weight;
    while (bytes_ > most_bytes_ && shelves_.size() > 1) {
        bytes_ -= shelves_.back().weight;
        places_.erase(shelves_.back().primary);
        shelves_.pop_back();
    }
}

Shelves::View Shelves::look(const TaskId& primary, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    const Shelf& shelf = shelf_of(primary);
    View view;
    view.variants = shelf.variants;
    view.is_loaded = shelf.is_loaded;
    view.epoch = shelf.epoch;
    view.collapses = now >= shelf.alone_until;
    return view;
}

void Shelves::loaded(const TaskId& primary, std::vector<VariantPtr> variants) {
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    if (std::exchange(shelf.is_loaded, true)) return;
    for (VariantPtr& variant : variants) {
        const bool is_known = std::ranges::any_of(
            shelf.variants, [&](const VariantPtr& known) { return known->task == variant->task; });
        if (!is_known) shelf.variants.push_back(std::move(variant));
    }
    std::ranges::sort(shelf.variants, is_later);
    weigh(shelf);
}

std::optional<std::vector<TaskId>> Shelves::put(const TaskId& primary, VariantPtr variant,
                                                std::uint64_t epoch) {
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    if (shelf.epoch > epoch) return std::nullopt;
    std::vector<TaskId> gone;
    for (const VariantPtr& before : shelf.variants)
        if (replaces(*variant, *before)) gone.push_back(before->task);
    shelf.variants.insert(shelf.variants.begin(), std::move(variant));
    while (shelf.variants.size() > kMostVariants) {
        gone.push_back(shelf.variants.back()->task);
        shelf.variants.pop_back();
    }
    weigh(shelf);
    return gone;
}

void Shelves::replace(const TaskId& primary, const VariantPtr& variant) {
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    for (VariantPtr& known : shelf.variants)
        if (known->task == variant->task) known = variant;
    std::ranges::sort(shelf.variants, is_later);
    weigh(shelf);
}

void Shelves::drop(const TaskId& primary, const TaskId& variant) {
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    std::erase_if(shelf.variants, [&](const VariantPtr& known) { return known->task == variant; });
    weigh(shelf);
}

std::vector<TaskId> Shelves::withdraw(const TaskId& primary, const TaskId& variant) {
    std::vector<TaskId> gone = {variant};
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    const auto place =
        std::ranges::find(shelf.variants, variant,
                          [](const VariantPtr& known) -> const TaskId& { return known->task; });
    if (place == shelf.variants.end()) return gone;
    const VariantPtr& withdrawn = *place;
    for (auto behind = std::next(place); behind != shelf.variants.end(); ++behind)
        if (replaces(*withdrawn, **behind)) gone.push_back((*behind)->task);
    std::erase_if(shelf.variants, [&gone](const VariantPtr& known) {
        return std::ranges::find(gone, known->task) != gone.end();
    });
    weigh(shelf);
    return gone;
}

std::vector<TaskId> Shelves::invalidate(const TaskId& primary) {
    const std::scoped_lock lock(mutex_);
    Shelf& shelf = shelf_of(primary);
    std::vector<TaskId> gone;
    for (const VariantPtr& variant : shelf.variants) gone.push_back(variant->task);
    shelf.variants.clear();
    shelf.epoch = ++epochs_;
    weigh(shelf);
    return gone;
}

void Shelves::do_not_collapse(const TaskId& primary, SteadyTime until) {
    const std::scoped_lock lock(mutex_);
    shelf_of(primary).alone_until = until;
}

std::size_t Shelves::bytes() const {
    const std::scoped_lock lock(mutex_);
    return bytes_;
}

}  // namespace hawker::proxy
