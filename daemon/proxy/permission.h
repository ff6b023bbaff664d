// `access: verify`: may this principal read this task? Remembered, or asked of the origin: once for
// all who ask at the same time with the same credentials.
//
// Owner:  the cached road of one exchange. Thread: the loop's.
#pragma once

#include "daemon/proxy/access_questions.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/own_source.h"
#include "daemon/proxy/principal.h"

#include <memory>
#include <optional>
#include <string>

namespace hawker::proxy {

class Permission {
public:
    Permission(Context& context, OwnSource& source);

    // No question is needed: the rule asks none, or the yes is remembered.
    bool is_remembered() const;
    void remember();
    // The origin said no to this principal: 401 or 403.
    void withdraw();

    // What the origin says of `held`; null when its yes to another file of the repository, asked
    // meanwhile with the same credentials, is ours too. When it has something else by now, the task
    // was removed: open it again. Errc::cancelled when this client left, Errc::exhausted when too
    // many questions are open. `otherwise`: it may be given unasked.
    Task<Expected<std::shared_ptr<const Verdict>>> ask(const cache::Representation& held,
                                                       origin::Otherwise otherwise);

    // The answer to our question was somebody else's.
    bool has_joined() const { return joined_; }

private:
    // The rule asks nobody, or not this user.
    bool needs_none() const;
    // The yes is for more than this task.
    bool is_shared() const { return context_.mirror && context_.mirror->access; }
    // What the yes is for.
    const TaskId& matter() const;
    std::string principal() const { return principal_of(context_).name; }
    // The files of one repository are one question: waits while somebody asks for another of them.
    // True: with a yes.
    Task<Expected<bool>> is_granted_by_another(origin::Otherwise otherwise);
    Task<Expected<AccessQuestions::Shared>> wait_at(std::shared_ptr<AccessQuestions::Seat> seat);
    Task<Expected<std::shared_ptr<const Verdict>>> ask_origin(const cache::Representation& held,
                                                              origin::Otherwise otherwise,
                                                              AccessQuestions::Lead& lead);

    Context& context_;
    const filters::Decision& decision_;
    OwnSource& source_;
    std::unique_ptr<AccessQuestions::Lead> lead_of_all_;  // those who wait for our word
    bool joined_ = false;
};

// The origin has refused this client, however its answer came. What we say ourselves, because
// nobody could be asked, is no word of the origin's.
bool was_refused(const Context& context);
// A refusal this short is read and given to all who waited; a longer one everybody fetches.
bool may_be_short(const http::Fields& fields);
// nullopt when it is longer, or did not come to its end.
Task<std::optional<Refusal>> read_refusal(http::ResponseHead head, origin::Response& response);
// The origin's refusal, to a client that waited for it.
Task<void> answer_refusal(Context& context, const Refusal& refusal, bool collapsed);

}  // namespace hawker::proxy
