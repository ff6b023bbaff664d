#include "daemon/origin/origin_source.h"

#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "daemon/origin/answer_check.h"
#include "filters/url.h"

#include <set>

namespace hawker::origin {

namespace {

constexpr int kMostRedirects = 5;

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The next URL, or nothing when it may not be followed: relative references are resolved against
// the authority only.
std::string next_url(const std::string& url, std::string_view location) {
    const auto from = filters::parse_url(url);
    if (!from) return {};
    std::string target(location.substr(0, location.find('#')));
    if (target.starts_with("//"))
        target = std::string(filters::name_of(from->scheme)) + ":" + target;
    if (target.starts_with('/')) {
        const auto path = static_cast<std::size_t>(from->path.data() - url.data());
        const bool inside = path <= url.size();
        target = (inside ? url.substr(0, path) : url) + target;
    }
    const auto to = filters::parse_url(target);
    if (!to) return {};
    const bool downgrade =
        from->scheme == filters::Scheme::https && to->scheme == filters::Scheme::http;
    return downgrade ? std::string() : target;
}

bool same_origin(const std::string& a, const std::string& b) {
    const auto one = filters::parse_url(a);
    const auto other = filters::parse_url(b);
    return one && other && one->scheme == other->scheme && one->port == other->port &&
           http::equals_ignoring_case(one->host, other->host);
}

void drop_credentials(http::Fields& fields) {
    http::Fields kept;
    for (const http::Field& field : fields)
        if (http::equals_ignoring_case(field.name, "User-Agent") ||
            http::equals_ignoring_case(field.name, "Accept") ||
            http::equals_ignoring_case(field.name, "Via"))
            kept.add(field.name, field.value);
    fields = std::move(kept);
}

}  // namespace

struct OriginSource::Shared {
    Shared(SourceOptions its_options, ClientOf its_client_of, Executor& its_home)
        : options(std::move(its_options)), client_of(std::move(its_client_of)), home(its_home) {}
    const SourceOptions options;
    const ClientOf client_of;
    Executor& home;
    // Touched on `home` only.
    bool keeps_declined = true;
    std::unique_ptr<Declined> declined;
    bool stopped = false;
    std::set<cache::Transfer*> transfers;  // that run there
};

namespace {

class OriginTransfer final : public cache::Transfer {
public:
    OriginTransfer(std::shared_ptr<OriginSource::Shared> shared, RangeSpec range, Executor& home)
        : shared_(std::move(shared)), range_(range), home_(home) {
        if (!is_at_home()) return;
        shared_->transfers.insert(this);
        cancelled_ = shared_->stopped;
    }

    ~OriginTransfer() override {
        if (is_at_home()) shared_->transfers.erase(this);
    }
    OriginTransfer(const OriginTransfer&) = delete;
    OriginTransfer& operator=(const OriginTransfer&) = delete;

    Task<Expected<cache::Arrival>> head() override {
        auto arrival = co_await ask(range_);
        const bool empty_object =
            !arrival && arrival.error().code == Errc::changed && size_is_zero_;
        if (!empty_object) co_return arrival;
        // No range of nothing can be satisfied; the plain question has an answer.
        auto plain = co_await ask(RangeSpec::whole());
        co_return plain;
    }

    Task<Expected<std::span<const std::byte>>> read() override {
        if (cancelled_ || !response_) co_return fail(Errc::cancelled, "the transfer was given up");
        if (length_ && received_ == *length_) co_return std::span<const std::byte>();
        auto bytes = co_await response_->read();
        if (!bytes) co_return bytes;
        if (bytes->empty() && length_)
            co_return fail(Errc::closed, "the origin sent fewer bytes than it announced");
        std::span<const std::byte> useful = *bytes;
        if (length_)
            useful = useful.first(std::min<std::uint64_t>(useful.size(), *length_ - received_));
        received_ += useful.size();
        co_return useful;
    }

    void cancel() override {
        cancelled_ = true;
        if (response_) response_->cancel();
    }

private:
    bool is_at_home() const { return &home_ == &shared_->home; }

    Task<Expected<cache::Arrival>> ask(RangeSpec range) {
        const SourceOptions& options = shared_->options;
        std::string url = options.url;
        http::Fields fields = options.fields;
        fields.set("Accept-Encoding", "identity");
        if (!range.is_whole()) fields.set("Range", http::range_field(range));
        for (int hop = 0;; ++hop) {
            if (cancelled_) co_return fail(Errc::cancelled, "the transfer was given up");
            Request request;
            request.method = "GET";
            request.url = url;
            request.fields = fields;
            response_ = shared_->client_of(home_).send(std::move(request));
            auto head = co_await response_->head();
            if (!head) co_return fail(std::move(head.error()));
            const bool follow =
                options.follow_redirects && is_redirect(head->status) && hop < kMostRedirects;
            const std::string next =
                follow ? next_url(url, head->fields.get("Location").value_or("")) : std::string();
            if (next.empty()) co_return judge(std::move(*head), range);
            if (!same_origin(url, next)) {
                drop_credentials(fields);
                fields.set("Accept-Encoding", "identity");
                if (!range.is_whole()) fields.set("Range", http::range_field(range));
            }
            url = next;
        }
    }

    Expected<cache::Arrival> judge(http::ResponseHead head, const RangeSpec& range) {
        auto arrival = check_answer(head, response_->framing(), range, shared_->options,
                                    std::chrono::system_clock::now());
        if (arrival) {
            length_ = arrival->length;
            return arrival;
        }
        const auto of_nothing =
            http::parse_content_range(head.fields.get("Content-Range").value_or(""));
        size_is_zero_ = head.status == 416 && of_nothing && of_nothing->size == 0U;
        const Errc code = arrival.error().code;
        const bool for_the_client = code == Errc::refused || code == Errc::not_found ||
                                    code == Errc::unsupported || code == Errc::unavailable;
        if (for_the_client && head.status != 206 && is_at_home() && shared_->keeps_declined) {
            shared_->declined = std::make_unique<Declined>();
            shared_->declined->head = std::move(head);
            shared_->declined->response = std::move(response_);
        }
        return arrival;
    }

    std::shared_ptr<OriginSource::Shared> shared_;
    RangeSpec range_;
    Executor& home_;
    std::unique_ptr<Response> response_;
    std::optional<std::uint64_t> length_;
    std::uint64_t received_ = 0;
    bool cancelled_ = false;
    bool size_is_zero_ = false;
};

}  // namespace

OriginSource::OriginSource(SourceOptions options, ClientOf client_of, Executor& home)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(client_of), home)) {}

OriginSource::~OriginSource() = default;

std::unique_ptr<cache::Transfer> OriginSource::open(const RangeSpec& range, Executor& home) const {
    return std::make_unique<OriginTransfer>(shared_, range, home);
}

std::unique_ptr<Declined> OriginSource::take_declined() const {
    return std::move(shared_->declined);
}

void OriginSource::let_go() const {
    shared_->keeps_declined = false;
    shared_->declined.reset();
}

void OriginSource::stop() const {
    shared_->stopped = true;
    const std::set<cache::Transfer*> now = shared_->transfers;
    for (cache::Transfer* transfer : now) transfer->cancel();
}

Task<Expected<cache::Arrival>> OriginSource::probe() const {
    shared_->declined.reset();
    const auto transfer = open(RangeSpec(0, 0), shared_->home);
    auto arrival = co_await transfer->head();
    transfer->cancel();
    co_return arrival;
}

}  // namespace hawker::origin
