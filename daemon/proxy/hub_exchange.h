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
#include <vector>

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
    Task<void> serve_by_commit();
    Task<void> serve_document();
    Task<void> serve_other();

    // Of those who ask for what all may go straight to once one may, the others wait until the
    // first has heard whether. False: the client left.
    Task<bool> lets_the_first_go();

    // hub_xet.cpp. False: this has nothing to do with Xet.
    Task<bool> serve_xet();
    Task<Reply> tell_xet_token(const std::string& target);
    // False: the road of files has the answer.
    Task<bool> serve_xet_head();
    // The first upstream's word on the file, if one has any.
    Task<Reply> ask_xet_head();
    Task<bool> send_xet_head(http::ResponseHead head, Told::How how);
    Task<void> send_head(http::ResponseHead head, Told::How how);
    Task<Expected<http::ResponseHead>> ask_one_xet_head(std::size_t place);
    // Another name of the same file, at an upstream.
    std::optional<std::string> file_led_to(const std::string& url,
                                           const http::ResponseHead& head) const;
    // The Hub has just said it: whoever asks next hears it from us.
    void note_xet_head(const http::ResponseHead& said);
    TaskId xet_head_name() const;
    Task<void> serve_xet_server(std::string_view target);
    Task<Expected<DocumentPtr>> ask_xet_server(std::string url);
    // As the server said it, but for the names of Xet's servers.
    Task<void> send_in_our_name(Expected<DocumentPtr> document);
    hub::XetNames xet_names() const { return {turn_.own_base, mirror_.xet_servers}; }

    bool asks_xet_head() const { return mirror_.serves_xet && context_.request.method == "HEAD"; }
    // The commit that the revision is; nullopt: the client has its answer.
    Task<std::optional<std::string>> find_commit();
    void prepare_file();
    std::string canonical_url(const hub::Route& file, std::string_view commit) const;
    Task<bool> serve_absence();
    // The Hub's no for a file, of which more may be true.
    void hear_no(const http::ResponseHead& head);
    // The Hub has just said that the file is not there.
    void note_absence(const http::ResponseHead& head);
    TaskId absence() const;

    // hub_places.cpp
    void remember_where_it_is(const std::shared_ptr<std::atomic<bool>>& is_first);
    // A listing says where files in git are: this client's questions for them go there.
    Task<void> note_listed_files(DocumentPtr listing, std::string commit);
    bool is_listed_in_git() const;
    // The Hub has led to it, and said what it hashes to: so whoever asks the place itself, through
    // the proxy, gets what is here.
    Task<void> keep_where_it_lies();

    // What a yes or a no for files is for; `shown`: of a file that even a gated repository shows.
    TaskId files_matter(std::string_view shown) const;
    std::vector<TaskId> all_matters() const;
    // A repository's information: what it says of everybody's rights.
    void hear(const Document& said);

    DocumentQuestion question(std::string target) const;
    DocumentQuestion question_of_information(std::string target);
    DocumentTerms terms();
    // nullopt: the client has its answer.
    Task<std::optional<Told>> tell(DocumentQuestion question);
    Task<void> send(const Told& told);

    void go_down(http::ResponseHead& head) const;
    // Whose links are ours: an upstream that is itself a mirror may name the Hub in them.
    std::vector<std::string> link_bases() const;

    Context& context_;
    const Mirror& mirror_;
    hub::Route route_;
    TaskId listings_;  // whoever has a yes for these reads the repository's listings
    TaskId files_;     // and here its files
    MirrorTurn turn_;
    MirrorRights rights_;
    DocumentRoad documents_;
    std::string commit_;    // of the file
    DocumentPtr absent_;    // noted just now
    DocumentPtr xet_head_;  // the same
};

}  // namespace hawker::proxy
