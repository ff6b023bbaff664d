// Where chains of redirects led, remembered for a while: whoever may go there again asks the place
// itself, and not once more who leads there. A place holds no credentials but those that its URL is
// signed with, so it is remembered for one principal alone.
//
// Thread: any. In memory only, bounded.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "daemon/http/message.h"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace hawker::origin {

struct Landing {
    std::string url;  // signature and all
    // Another scheme, host or port than where the question began: no credentials go there.
    bool is_elsewhere = true;
    std::vector<http::ResponseHead> hops;
    std::optional<Digest> promised;
    bool is_empty = false;   // what is there: no range of it can be asked for
    std::string etag;        // what is there has it, or is something else; empty: whatever it has
    std::size_t led_by = 0;  // the place of that server in SourceOptions::alternatives
};
using LandingPtr = std::shared_ptr<const Landing>;

class Landings {
public:
    // As long as every signer's links live, and few enough that a yes is not much older than that.
    static constexpr std::chrono::minutes kLife{10};

    explicit Landings(std::size_t most = 4096, SteadyTime::duration life = kLife)
        : most_(most), life_(life) {}
    Landings(const Landings&) = delete;
    Landings& operator=(const Landings&) = delete;

    // `name`: the keyed hash of a principal and what it asked for. Null when there is none.
    LandingPtr find(const Digest& name, SteadyTime now);
    // Null forgets. The oldest leave first.
    void keep(const Digest& name, LandingPtr landing, SteadyTime now);

private:
    struct Kept {
        Digest name;
        LandingPtr landing;
        SteadyTime until;
    };
    void forget(const Digest& name);

    const std::size_t most_;
    const SteadyTime::duration life_;
    std::mutex mutex_;
    std::list<Kept> kept_;  // the oldest first
    std::unordered_map<Digest, std::list<Kept>::iterator> places_;
};

}  // namespace hawker::origin
