#include "daemon/proxy/modelscope_listings.h"

#include <utility>

namespace hawker::proxy {

std::shared_ptr<const modelscope::Listing> ModelScopeListings::find(const DocumentPtr& document) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(kept_, [](const Kept& each) { return each.document.expired(); });
    for (auto place = kept_.begin(); place != kept_.end(); ++place) {
        if (place->document.lock() != document) continue;
        kept_.splice(kept_.begin(), kept_, place);
        return place->listing;
    }
    return nullptr;
}

std::shared_ptr<const modelscope::Listing> ModelScopeListings::read(const DocumentPtr& document) {
    auto parsed = modelscope::Listing::parse(document->body);  // without the lock
    if (!parsed) return nullptr;
    auto listing = std::make_shared<const modelscope::Listing>(std::move(*parsed));
    const std::scoped_lock lock(mutex_);
    kept_.push_front({document, listing});
    if (kept_.size() > kMost) kept_.pop_back();
    return listing;
}

}  // namespace hawker::proxy
