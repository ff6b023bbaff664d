// What `policy: http` does with the shelves and the cache, whoever asks: an exchange, or what goes
// on behind a response that was served stale.
//
// Thread: the loop's. Everything in Services outlives it.
#pragma once

#include "daemon/proxy/exchange.h"
#include "daemon/proxy/live_answer.h"
#include "daemon/proxy/shelves.h"

#include <memory>
#include <string>

namespace hawker::proxy {

// On whose behalf, copied: it may outlive the exchange.
struct HttpQuestion {
    TaskId primary;
    http::RequestHead request;      // the client's
    http::Fields fields;            // as it goes up, without conditions of ours
    std::vector<std::string> urls;  // where it goes: the first of them, else the next
    std::shared_ptr<origin::Upstreams> upstreams;  // null: there is one
    http::StoringTerms terms;
    std::string label, rule;
    std::uint64_t epoch = 0;  // of the shelf, before the origin was asked
};

HttpQuestion question_from(const Context& context);

class HttpStore {
public:
    HttpStore(Services& services, net::Loop& loop, std::shared_ptr<const Settings> settings)
        : services_(services), loop_(loop), settings_(std::move(settings)) {}

    // The shelf, with what the index has.
    Task<Shelves::View> look(TaskId primary);
    // A reader of a body that is stored, or being stored; not_found for what was never whole.
    Task<Expected<std::unique_ptr<cache::Reader>>> open(TaskId variant);
    // It is not in the cache any more.
    void drop(const TaskId& primary, const TaskId& variant);
    // It is no more: from the cache too.
    Task<void> remove(TaskId primary, TaskId variant);
    // All that is stored under it; not even a kill -9 brings it back afterwards.
    Task<void> invalidate(TaskId primary);

    // Sends a request and waits for its head: at the next upstream, where one has failed.
    struct Answer {
        std::unique_ptr<origin::Response> response;
        Expected<http::ResponseHead> head{fail(Errc::unavailable, "no upstream can be asked")};
        Exchanged times;
    };
    // `cancel` ends the wait.
    Task<Answer> ask(const HttpQuestion& question, http::Fields fields, Cancellation& cancel);

    // Begins to store what `answer` brings. Null where nothing may be kept; then the response is
    // where it was. `reader` and `variant` are null when the cache had no place: take the rest from
    // `live`.
    struct Stored {
        VariantPtr variant;
        std::shared_ptr<LiveAnswer> live;
        std::unique_ptr<cache::Reader> reader;
        std::vector<TaskId> replaced;  // here for as long as it may come to nothing
        bool is_whole = false;         // `reader` has come to its end
    };
    Task<std::unique_ptr<Stored>> store(const HttpQuestion& question, Answer& answer);
    // Others find it, and read what there is of it so far. `variant` is null afterwards where
    // somebody has changed it at the origin meanwhile: then it is for this client only.
    Task<void> shelve(const HttpQuestion& question, Stored& stored);
    // Whole, it takes the place of what it replaces; broken, it leaves it. Neither is known yet
    // where a client has gone and the cache goes on.
    Task<void> settle(const HttpQuestion& question, const Stored& stored);

    // A 304, or a 200 to a HEAD, spoke of `variant`: what it is from now on, for all, or for this
    // client alone. Null: it is no more.
    struct Renewed {
        VariantPtr variant;
        bool is_for_all = false;
    };
    Task<Renewed> refresh(const HttpQuestion& question, const StoredVariant& variant,
                          const http::Fields& newer, Exchanged times);

    WallTime wall() const { return services_.clock.wall(); }

private:
    Task<void> load(TaskId primary);
    // True where there was something.
    Task<bool> remove_all(std::vector<TaskId> tasks);

    Services& services_;
    net::Loop& loop_;
    std::shared_ptr<const Settings> settings_;
};

// An answer that says that what is stored is not there any more; one that is busy, or refuses this
// request, says nothing about it.
inline bool is_gone_for_good(int status) { return status < 400 || status == 404 || status == 410; }

}  // namespace hawker::proxy
