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
#include "daemon/proxy/document_road.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/mirror_rights.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::proxy {

class HubExchange {
public:
    HubExchange(Context& context, const Mirror& mirror);
    HubExchange(const HubExchange&) = delete;
    HubExchange& operator=(const HubExchange&) = delete;
    ~HubExchange() { context_.mirror = nullptr; }

    Task<void> run();

private:
    Task<void> serve_file();
    Task<void> serve_document();
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
    void remember_where_it_is(const std::shared_ptr<std::atomic<bool>>& is_first);
    // The Hub has just said that the file is not there.
    void note_absence(const http::ResponseHead& head);
    TaskId absence() const;

    DocumentQuestion question(std::string target) const;
    DocumentTerms terms() const;
    // nullopt: the client has its answer.
    Task<std::optional<Told>> tell(DocumentQuestion question);
    Task<void> send(const Told& told);

    void go_down(http::ResponseHead& head) const;

    Context& context_;
    const Mirror& mirror_;
    hub::Route route_;
    TaskId listings_;  // whoever has a yes for these reads the repository's listings
    TaskId files_;     // and here its files
    MirrorTurn turn_;
    MirrorRights rights_;
    DocumentRoad documents_;
    std::string commit_;  // of the file
    DocumentPtr absent_;  // noted just now
};

}  // namespace hawker::proxy
