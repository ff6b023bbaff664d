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

    // Null: it was not read yet, or not lately.
    std::shared_ptr<const modelscope::Listing> find(const DocumentPtr& document);
    // Reads it, which takes 14 ms for the largest there is. Null: the document is no listing.
    std::shared_ptr<const modelscope::Listing> read(const DocumentPtr& document);

private:
    struct Kept {
        std::weak_ptr<const Document> document;
        std::shared_ptr<const modelscope::Listing> listing;
    };

    std::mutex mutex_;
    std::list<Kept> kept_;  // the latest first
};

}  // namespace hawker::proxy
