// Listings of ModelScope that were read not long ago: every range of every file needs one, and one
// may have thousands of entries.
//
// Thread: any.
#pragma once

#include "daemon/modelscope/listing.h"
#include "daemon/proxy/documents.h"

#include <list>
#include <memory>
#include <mutex>

namespace hawker::proxy {

class ModelScopeListings {
public:
    static constexpr std::size_t kMost = 32;

    // Null: the document is no listing. As long as it is in memory, it is read once.
    std::shared_ptr<const modelscope::Listing> of(const DocumentPtr& document);

private:
    struct Kept {
        std::weak_ptr<const Document> document;
        std::shared_ptr<const modelscope::Listing> listing;
    };
    std::shared_ptr<const modelscope::Listing> find(const DocumentPtr& document);

    std::mutex mutex_;
    std::list<Kept> kept_;  // the latest first
};

}  // namespace hawker::proxy
