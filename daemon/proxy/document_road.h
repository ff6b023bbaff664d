// The road of a document at a mirror: from memory or the cache for whoever may read it, else asked
// for at the upstreams, once for all who ask with the same credentials; and something older where
// nobody can be asked.
//
// Owner:   one exchange. Thread: the loop's.
// Stop:    the exchange's cancellation ends what it waits for.
#pragma once

#include "daemon/origin/client.h"
#include "daemon/proxy/documents.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/mirror_rights.h"

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker::proxy {

// Head and body, if the body is no longer than a listing may be.
Task<Expected<std::shared_ptr<Document>>> read_document(origin::Response& response);
// The client's request body, if it is no longer than a question may be.
Task<Expected<std::string>> read_question(Context& context);

// Where a redirect leads, when `url` was answered with it; empty when it is none, or leads nowhere.
std::string led_to(const std::string& url, const http::ResponseHead& head);

// What a redirect is that leads to none of the upstreams.
enum class Abroad : std::uint8_t {
    passed_on,  // the answer
    followed,   // the way to it, without credentials
    refused,    // nothing: this upstream has no answer, and the client must not leave us
};

// What is to be asked for, and for how long an answer is good.
struct DocumentQuestion {
    std::string target;      // at an upstream
    std::string method;      // empty: GET
    std::string body;        // of a POST
    std::string media_type;  // of the body; empty: the client has not said it
    std::string accepted = "application/json";
    std::optional<std::chrono::milliseconds> ttl;  // nullopt: for ever
    TaskId id;
    // Is a 200 what was asked for? False: not to be kept. An error: this upstream has none; the
    // next one is asked. Empty: it is.
    std::function<Expected<bool>(Document&)> check = {};
    // Does this head, of a HEAD, say that what is held is so still? Then it is not sent again, and
    // counts as asked for now. Empty: a GET has to say it.
    std::function<bool(const http::ResponseHead& now, const Document& held)> is_still = {};
    // Told what was answered with 200, before anybody else hears it. May be empty.
    std::function<void(const Document&)> hear = {};
    DocumentPtr held = {};  // tell() finds it
    // tell() says it: with something otherwise, upstreams that rest are not asked.
    origin::Otherwise otherwise = origin::Otherwise::nothing;
    Abroad abroad = Abroad::passed_on;
    bool is_repeatable = true;  // false: an upstream that has heard it may have done it
    std::string wanted = {};    // in a sentence; empty: what the client asks for
};

struct Told {
    enum class How : std::uint8_t { known, asked, stale };
    DocumentPtr document;
    How how = How::known;
};

// What the road must know of a kind of mirror.
struct DocumentTerms {
    TaskId matter;                                  // whoever has a yes for it may hear
    std::span<const std::string_view> kept_fields;  // of a head, for whoever hears it later
    // A no for it may be one for more. May be empty.
    std::function<void()> when_refused = {};
    // An answer that something is not there and, where the question is good for ever, never was.
    bool (*says_absent)(const http::ResponseHead&) = nullptr;
    // For upstreams that say no with status 200 too: does this body say yes? Null: status 200 does.
    bool (*is_yes)(std::string_view body) = nullptr;
    std::string_view upstream = "the upstream";  // in a sentence
};

class DocumentRoad {
public:
    // Both outlive it.
    DocumentRoad(Context& context, const Mirror& mirror, MirrorTurn& turn)
        : context_(context), mirror_(mirror), turn_(turn), rights_(context, mirror) {}

    // nullopt: the client has its answer.
    Task<std::optional<Told>> tell(DocumentQuestion question, DocumentTerms terms);
    using Lead = std::unique_ptr<Questions<Reply>::Lead>;
    // What somebody with the same credentials is told who is asking the same just now. nullopt: it
    // is ours to ask, and to tell at `lead`, which is null where too many questions are open.
    Task<std::optional<Reply>> hear_with_others(TaskId question, Lead& lead);
    // At `lead`, unless it is only that our own client left.
    static void tell_others(Lead& lead, const Reply& reply);
    // The first upstream's answer that is one, and nothing is remembered of it.
    Task<Reply> ask_upstreams(const DocumentQuestion& question);
    // `head` and `body`, made of what was told, as the response. Hop-by-hop fields need not be
    // taken away before.
    Task<void> send(const Told& told, const DocumentTerms& terms, http::ResponseHead head,
                    std::string body);

private:
    bool is_fresh(const DocumentQuestion& question, const Document& document) const;
    Task<Reply> ask_once(const DocumentQuestion& question, const DocumentTerms& terms);
    // To the upstream at `place`, or where it led to.
    origin::Request request_for(const DocumentQuestion& question, const std::string& url,
                                std::size_t place, bool is_abroad = false) const;
    std::optional<std::string> upstream_in(std::string_view url) const;
    Task<Expected<DocumentPtr>> ask_one(const DocumentQuestion& question, std::size_t place);
    // What is held, as of now; null where a GET has to say it. An error: this upstream says
    // nothing.
    Task<Expected<DocumentPtr>> ask_whether_still(const DocumentQuestion& question,
                                                  std::size_t place);
    Task<void> learn(const DocumentQuestion& question, const DocumentTerms& terms,
                     const DocumentPtr& document);
    Task<std::optional<Told>> fall_back(const DocumentQuestion& question,
                                        const DocumentTerms& terms, const Reply& reply);

    Context& context_;
    const Mirror& mirror_;
    MirrorTurn& turn_;
    MirrorRights rights_;
};

}  // namespace hawker::proxy
