// One exchange with a client that takes us for ModelScope.
//
//   file      a listing of its revision says its SHA-256 and size: under them it is cached, and its
//             bytes are checked; every redirect is followed here
//   document  a listing, or what is said of a repository: from memory or the cache, or asked for
//             once for all who may hear it
//   LFS       git's large files: links in our name, each for one object
//   other     passed on, with links in our name
//
// Owner:  the coroutine of MirrorKind::serve. Thread: the loop's.
#pragma once

#include "daemon/modelscope/route.h"
#include "daemon/proxy/document_road.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/mirror_rights.h"
#include "daemon/proxy/modelscope_listings.h"

#include <atomic>
#include <memory>
#include <string>

namespace hawker::proxy {

class ModelScopeExchange {
public:
    ModelScopeExchange(Context& context, const Mirror& mirror, ModelScopeListings& listings);
    ModelScopeExchange(const ModelScopeExchange&) = delete;
    ModelScopeExchange& operator=(const ModelScopeExchange&) = delete;
    ~ModelScopeExchange() { context_.mirror = nullptr; }

    Task<void> run();

private:
    enum class Search : std::uint8_t {
        found,
        absent,    // the listing has no such file
        unnamed,   // no listing, or one that does not say what the file is: the origin's to answer
        answered,  // the client has its answer
        further,   // this page has not got it, and is not the last
    };

    Task<void> serve_file();
    Task<void> serve_document();
    Task<void> serve_other();

    Task<Search> find_entry();
    Task<Search> look_in(std::string target);
    void prepare_file();
    // The listing and the origin did not agree: somebody pushed in between. The next who asks gets
    // another listing.
    void doubt_listing();

    DocumentQuestion question(std::string target) const;
    DocumentTerms terms();
    // What a yes or a no for files is for; `shown`: of a file that more may see than the others.
    TaskId files_matter(std::string_view shown) const;
    void go_up(http::Fields& fields) const;

    Context& context_;
    const Mirror& mirror_;
    ModelScopeListings& listings_;
    modelscope::Route route_;
    TaskId listed_;  // whoever has a yes for this reads the repository's listings
    TaskId files_;   // and here its files
    MirrorTurn turn_;
    MirrorRights rights_;
    DocumentRoad documents_;
    modelscope::Entry entry_;  // of the file
    TaskId told_by_;           // the listing that said so
    // The origin's answer cannot be what the listing says. Any loop sets it.
    std::shared_ptr<std::atomic<bool>> differs_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace hawker::proxy
