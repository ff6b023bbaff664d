// One exchange with a client that takes us for the Hugging Face Hub.
//
//   file      its revision becomes a commit; what is known not to be there is said at once; the
//   rest is
//             the cached road, with every redirect followed
//   document  an API listing: from memory or the cache, or asked for once for all who may hear it
//   Xet       where it is served: its token and plans in our name, its servers as any other origin
//   other     passed on, with links in our name and nothing that leads to Xet
//
// Owner:  the coroutine of MirrorKind::serve. Thread: the loop's.
#pragma once

#include "daemon/hub/route.h"
#include "daemon/hub/xet.h"
#include "daemon/proxy/documents.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::proxy {

// Head and body, if the body is no longer than a listing may be.
Task<Expected<std::shared_ptr<Document>>> read_document(origin::Response& response);

class HubExchange {
public:
    HubExchange(Context& context, const Mirror& mirror);
    HubExchange(const HubExchange&) = delete;
    HubExchange& operator=(const HubExchange&) = delete;
    ~HubExchange() { context_.mirror = nullptr; }

    Task<void> run();

private:
    enum class How : std::uint8_t { known, asked, stale };
    // What is to be asked for, and for how long an answer is good.
    struct Wanted {
        std::string target;  // at an upstream
        std::string body;    // of a POST
        std::string media_type;
        std::string_view accepted = "application/json";
        std::optional<std::chrono::milliseconds> ttl;  // nullopt: for ever
        TaskId id;
    };
    struct Told {
        DocumentPtr document;
        How how = How::known;
    };

    Task<void> serve_file();
    Task<void> serve_document();
    Task<void> serve_lfs_batch();
    Task<void> serve_lfs_object();
    Task<void> serve_other();

    // hub_xet.cpp. False: this has nothing to do with Xet.
    Task<bool> serve_xet();
    Task<bool> serve_xet_head();
    Task<void> serve_xet_server(std::string_view target);
    Task<Expected<DocumentPtr>> ask_xet_server(std::string url);
    // As the server said it, but for the names of Xet's servers.
    Task<void> send_in_our_name(Expected<DocumentPtr> document);
    hub::XetNames xet_names() const { return {turn_.own_base, mirror_.xet_servers}; }

    // The commit that the revision is; nullopt: the client has its answer.
    Task<std::optional<std::string>> find_commit();
    void prepare_file();
    // The Hub has just said that the file is not there.
    void note_absence(const http::ResponseHead& head);
    TaskId absence() const;

    Wanted wanted(std::string target) const;
    // nullopt: the client has its answer.
    Task<std::optional<Told>> tell(Wanted wanted);
    Task<Reply> ask_once(const Wanted& wanted);
    Task<Reply> ask_upstreams(const Wanted& wanted);
    origin::Request request_for(const Wanted& wanted, const std::string& url) const;
    Task<Expected<DocumentPtr>> ask_one(const Wanted& wanted, std::string url, std::string base);
    Task<void> learn(const Wanted& wanted, const DocumentPtr& document);
    Task<std::optional<Told>> fall_back(const Wanted& wanted, const Reply& reply);
    Task<void> send(const Told& told);
    Task<Expected<std::string>> read_body();
    DocumentPtr with_our_links(const DocumentPtr& document) const;  // of an LFS batch answer

    std::string principal() const { return principal_of(context_.request, {}); }
    bool is_allowed(const TaskId& matter) const;
    void allow(const TaskId& matter);
    // The upstream cannot be asked; `stored` are the fields of what is here.
    bool may_unasked(const http::Fields& stored) const;
    std::string_view audience() const;  // for whom what is fetched now is open, in a stored field
    void go_down(http::ResponseHead& head) const;

    Context& context_;
    const Mirror& mirror_;
    hub::Route route_;
    TaskId listings_;  // whoever has a yes for these reads the repository's listings
    TaskId files_;     // and here its files
    MirrorTurn turn_;
    std::string commit_;  // of the file
    DocumentPtr absent_;  // noted just now
};

}  // namespace hawker::proxy
