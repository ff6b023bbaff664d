// On whose behalf the origin is asked: this request's URL and fields. Made when it is first needed,
// which a hit never does.
//
// Owner:  the cached road of one exchange. Thread: the loop's.
#pragma once

#include "daemon/proxy/exchange.h"

#include <memory>
#include <optional>

namespace hawker::proxy {

class OwnSource {
public:
    explicit OwnSource(Context& context) : context_(context) {}
    OwnSource(const OwnSource&) = delete;
    OwnSource& operator=(const OwnSource&) = delete;
    // No answer is kept for this exchange any more.
    ~OwnSource();

    const std::shared_ptr<origin::OriginSource>& get();
    const origin::OriginSource* operator->() { return get().get(); }
    // What the content hashes to, as somebody said whose word is taken. False: the source is made
    // already, and will never know.
    bool promise(const Digest& digest);
    // The answer that its own transfer declined, if it ever made one.
    std::unique_ptr<origin::Declined> take_declined() const;
    // The client went away: what runs is cancelled, what is asked later fails at once.
    void stop();

private:
    Context& context_;
    std::shared_ptr<origin::OriginSource> source_;
    std::optional<Digest> promised_;
    bool stopped_ = false;
};

}  // namespace hawker::proxy
