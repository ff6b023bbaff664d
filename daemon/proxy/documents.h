// Small answers of an upstream that a mirror keeps whole: listings, references, and what is known
// not to be there. In memory, bounded, and in the cache, so that they outlive the process.
//
// Thread: DocumentMemory any; the functions on the loop of the exchange.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/questions.h"
#include "base/task.h"
#include "daemon/http/message.h"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace hawker::proxy {

struct Context;

struct Document {
    http::ResponseHead head;
    std::string body;
    WallTime received;
    bool may_keep = true;       // false: it is for who asked alone
    bool is_elsewhere = false;  // it is where an upstream led to that says this
};
using DocumentPtr = std::shared_ptr<const Document>;

// What came of asking an upstream: its answer, whatever its status, or why there is none.
struct Reply {
    explicit Reply(Expected<DocumentPtr> what_it_said) : document(std::move(what_it_said)) {}
    Expected<DocumentPtr> document;
};

class DocumentMemory {
public:
    static constexpr std::size_t kMostBytes = 64UL << 20U;

    explicit DocumentMemory(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}
    DocumentMemory(const DocumentMemory&) = delete;
    DocumentMemory& operator=(const DocumentMemory&) = delete;

    DocumentPtr find(const TaskId& task);  // null when there is none
    // Those that were not looked at for longest leave.
    void put(const TaskId& task, DocumentPtr document);
    // The questions that are being asked now, of all loops: one for all who may hear the answer.
    Questions<Reply>& questions() { return questions_; }

private:
    struct Kept {
        TaskId task;
        DocumentPtr document;
        std::size_t weight = 0;
    };
    const std::size_t most_bytes_;
    std::mutex mutex_;
    std::list<Kept> kept_;  // the latest first
    std::unordered_map<TaskId, std::list<Kept>::iterator> places_;
    std::size_t bytes_ = 0;
    Questions<Reply> questions_{65'536};
};

// From memory, or from the cache; null when it is in neither.
Task<DocumentPtr> find_document(Context& context, TaskId task);
// Into both. What has the same body and audience as before is not written again.
Task<void> keep_document(Context& context, TaskId task, DocumentPtr document);
// Into the cache alone.
Task<void> store_document(Context& context, TaskId task, DocumentPtr document);

}  // namespace hawker::proxy
