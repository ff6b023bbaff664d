#include "daemon/proxy/documents.h"

#include "daemon/origin/origin_source.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror_rights.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

namespace hawker::proxy {

namespace {

constexpr std::uint64_t kStretch = 1ULL << 20U;
constexpr std::size_t kDocumentWeight = 512;  // of an entry and its head, about

// A source that has one document, or nothing.
class DocumentSource final : public cache::Source {
public:
    explicit DocumentSource(DocumentPtr document) : document_(std::move(document)) {}

    class Once final : public cache::Transfer {
    public:
        explicit Once(DocumentPtr document) : document_(std::move(document)) {}

        Task<Expected<cache::Arrival>> head() override {
            if (!document_) co_return fail(Errc::not_found, "no such document");
            cache::Arrival arrival;
            arrival.length = arrival.size = document_->body.size();
            arrival.head = origin::encode_head(document_->head, document_->received);
            co_return arrival;
        }
        Task<Expected<std::span<const std::byte>>> read() override {
            const std::size_t from = std::exchange(given_, document_->body.size());
            co_return std::as_bytes(std::span(document_->body)).subspan(from);
        }
        void cancel() override {}

    private:
        DocumentPtr document_;
        std::size_t given_ = 0;
    };

    std::unique_ptr<cache::Transfer> open(const RangeSpec& /*range*/,
                                          Executor& /*home*/) const override {
        return std::make_unique<Once>(document_);
    }

private:
    DocumentPtr document_;
};

cache::OpenRequest open_request(const Context& context, const TaskId& task, DocumentPtr document) {
    cache::OpenRequest request;
    request.task = task;
    request.source = std::make_shared<DocumentSource>(std::move(document));
    request.fetch = context.settings->fetch;
    request.fetch.connections = 1;
    request.fetch.attempts = 1;
    request.label = context.record.url;
    request.rule = context.record.rule;
    return request;
}

Expected<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t length) {
    std::string bytes(length, '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(system_error(errno, "read a document"));
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

Task<Expected<std::string>> read_all(Context& context, cache::Reader& reader) {
    std::string body;
    for (;;) {
        auto run = co_await reader.next(kStretch);
        if (!run) co_return fail(std::move(run.error()));
        if (run->at_end()) co_return body;
        if (run->fd < 0) {
            body.append(reinterpret_cast<const char*>(run->bytes.data()),  // NOLINT: bytes as text
                        run->bytes.size());
            continue;
        }
        auto read = [&run] { return read_at(run->fd, run->offset, run->length); };
        auto bytes = co_await offload(context.services.pool, context.loop, read);
        if (!bytes) co_return bytes;
        body += *bytes;
    }
}

}  // namespace

DocumentPtr DocumentMemory::find(const TaskId& task) {
    const std::scoped_lock lock(mutex_);
    const auto place = places_.find(task);
    if (place == places_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, place->second);
    return place->second->document;
}

void DocumentMemory::put(const TaskId& task, DocumentPtr document) {
    const std::size_t weight = document->body.size() + kDocumentWeight;
    const std::scoped_lock lock(mutex_);
    if (const auto place = places_.find(task); place != places_.end()) {
        bytes_ -= place->second->weight;
        kept_.erase(place->second);
        places_.erase(place);
    }
    kept_.emplace_front(task, std::move(document), weight);
    places_.emplace(task, kept_.begin());
    bytes_ += weight;
    while (bytes_ > most_bytes_ && kept_.size() > 1) {
        bytes_ -= kept_.back().weight;
        places_.erase(kept_.back().task);
        kept_.pop_back();
    }
}

Task<DocumentPtr> find_document(Context& context, TaskId task) {
    if (DocumentPtr known = context.services.documents.find(task)) co_return known;
    auto found = co_await context.services.cache.find(task, context.loop);
    if (!found || !found->complete) co_return nullptr;
    auto stored = origin::decode_head(found->head);
    auto reader =
        co_await context.services.cache.open(open_request(context, task, nullptr), context.loop);
    if (!stored || !reader) co_return nullptr;
    auto body = co_await read_all(context, **reader);
    if (!body) co_return nullptr;
    auto document = std::make_shared<Document>();
    document->head = std::move(stored->head);
    document->received = stored->received;
    document->body = std::move(*body);
    context.services.documents.put(task, document);
    co_return document;
}

Task<void> keep_document(Context& context, TaskId task, DocumentPtr document) {
    const DocumentPtr before = context.services.documents.find(task);
    context.services.documents.put(task, document);
    // For whom it was open then is a part of it: on the disk too.
    const bool is_the_same = before && before->body == document->body &&
                             before->head.status == document->head.status &&
                             before->head.fields.get(MirrorRights::kAudience) ==
                                 document->head.fields.get(MirrorRights::kAudience);
    if (is_the_same) co_return;
    co_await store_document(context, task, std::move(document));
}

Task<void> store_document(Context& context, TaskId task, DocumentPtr document) {
    (void)co_await context.services.cache.remove(task, context.loop);
    // The fetch goes on by itself, and a failure is the cache's: memory has it.
    (void)co_await context.services.cache.open(open_request(context, task, std::move(document)),
                                               context.loop);
}

}  // namespace hawker::proxy
