// Where files in git lie at a mirror's upstream, as its listings say, for whom they were listed:
// their questions go there at once, without the redirect that is one more request.
//
// Thread: any. In memory only, bounded.
#pragma once

#include "daemon/origin/landings.h"

#include <chrono>
#include <cstddef>
#include <mutex>

namespace hawker::proxy {

class ListedFiles {
public:
    // A dozen of the largest pages of a listing.
    static constexpr std::size_t kMost = 16'384;
    // No link that ends: what lies under a commit stays, and who may go there is asked each time.
    static constexpr std::chrono::hours kLife{24};
    // How long nobody goes there after one of these places was not what it had been taken for.
    static constexpr std::chrono::minutes kRest{10};

    // `name`: the keyed hash of a principal and the file's task. Null when there is none.
    origin::LandingPtr find(const Digest& name, SteadyTime now);
    void keep(const Digest& name, origin::LandingPtr place, SteadyTime now);
    void failed(const Digest& name, SteadyTime now);

private:
    origin::Landings places_{kMost, kLife};
    std::mutex mutex_;
    SteadyTime rests_until_{};
};

}  // namespace hawker::proxy
