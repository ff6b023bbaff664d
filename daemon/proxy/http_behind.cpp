#include "daemon/proxy/http_behind.h"

#include "daemon/proxy/sending.h"

#include <utility>

namespace hawker::proxy {

namespace {

using Lead = std::unique_ptr<Questions<Landed>::Lead>;

// Read, and by that fetched, to its end: what nobody reads might be given up. Is it whole?
Task<bool> read_to_the_end(cache::Reader& reader, Cancellation& cancel) {
    cancel = [&reader] { reader.cancel(); };
    bool is_whole = false;
    for (;;) {
        auto run = co_await reader.next(kRun);
        is_whole = run && run->at_end();
        if (!run || is_whole) break;
    }
    cancel = nullptr;
    co_return is_whole;
}

// The lead is held for as long as it takes: nobody begins a second one.
Task<void> revalidate(Errands& errands, HttpStore store, HttpQuestion question, VariantPtr variant,
                      [[maybe_unused]] Lead lead) {
    Errands::Turn turn(errands);
    http::Fields fields = question.fields;
    http::add_conditions(fields, variant->stored.head.fields);
    auto asked = co_await store.ask(question, std::move(fields), turn.cancel);
    if (!asked.head || http::is_failure_of_origin(asked.head->status)) {
        if (asked.response) asked.response->cancel();
        co_return;
    }
    if (asked.head->status == 304) {
        asked.response->cancel();
        (void)co_await store.refresh(question, *variant, asked.head->fields, asked.times);
        co_return;
    }
    auto stored = co_await store.store(question, asked);
    if (!stored) {
        asked.response->cancel();
        if (is_gone_for_good(asked.head->status))
            co_await store.remove(question.primary, variant->task);
        co_return;
    }
    // What is stale is served until the next one is all here: nobody waits for that one.
    if (stored->reader) stored->is_whole = co_await read_to_the_end(*stored->reader, turn.cancel);
    stored->reader = nullptr;
    if (stored->is_whole) co_await store.shelve(question, *stored);
    co_await store.settle(question, *stored);
    stored->live->let_go();
}

}  // namespace

void begin_revalidation(Errands& errands, Services& services, net::Loop& loop, HttpStore store,
                        HttpQuestion question, VariantPtr variant) {
    Digest key;
    key.bytes = sha256_of("hawker revalidation v1\n" + variant->task.hex());
    auto place = services.shelves.requests().take(key, loop);
    if (!place.lead) {
        if (place.seat) place.seat->leave();
        return;
    }
    question.request.method = "GET";
    for (http::Fields* fields : {&question.fields, &question.request.fields})
        for (const std::string_view own :
             {"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since",
              "If-Unmodified-Since", "Cache-Control", "Pragma"})
            fields->remove(own);
    errands.spawn(revalidate(errands, std::move(store), std::move(question), std::move(variant),
                             std::move(place.lead)));
}

}  // namespace hawker::proxy
