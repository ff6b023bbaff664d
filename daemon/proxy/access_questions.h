// The questions of `access: verify` that are being asked of origins now: one for each principal and
// task. A no is never remembered: it is for those who waited. Where too many are open, the client's
// own request may go to the origin instead.
#pragma once

#include "base/questions.h"
#include "cache/source.h"
#include "daemon/http/message.h"

#include <optional>
#include <string>

namespace hawker::proxy {

// The origin's own no, as every client that waited for it may see it.
struct Refusal {
    http::ResponseHead head;
    std::string body;
};

struct Verdict {
    explicit Verdict(Expected<cache::Arrival> what_it_has) : now(std::move(what_it_has)) {}
    Expected<cache::Arrival> now;  // yes, and what the origin has; or why there is no yes
    std::optional<Refusal> refusal;
};

using AccessQuestions = Questions<Verdict>;

}  // namespace hawker::proxy
