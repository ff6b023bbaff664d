#include "daemon/origin/origin_transfer.h"

#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

constexpr std::size_t kHops = 5;

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// What may go on to another origin: nothing that could be a credential, under whatever name.
http::Fields for_strangers(const http::Fields& fields) {
    constexpr std::array<std::string_view, 6> kHarmless = {
        "Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Via", "Max-Forwards"};
    http::Fields kept;
    for (const http::Field& field : fields) {
        const bool is_harmless = std::ranges::any_of(kHarmless, [&field](std::string_view name) {
            return http::equals_ignoring_case(name, field.name);
        });
        if (is_harmless) kept.add(field.name, field.value);
    }
    return kept;
}

// A declined answer that a client may see as it is: a whole one, from a live connection.
bool is_relayable(const Error& error, const http::ResponseHead& head) {
    if (head.status == 206 || head.status == 304) return false;
    return error.code == Errc::refused || error.code == Errc::not_found ||
           error.code == Errc::unsupported || error.code == Errc::unavailable;
}

// No such host today is no word of the origin's about the object, and a place that did not come
// free is nothing that the cache has run out of.
Error of_transport(Error error) {
    const bool no_place = error.code == Errc::exhausted && error.retry_after;
    if (error.code == Errc::not_found || no_place) error.code = Errc::unavailable;
    return error;
}

RangeSpec range_to_ask(const SourceOptions& options, const RangeSpec& wanted) {
    return options.part ? RangeSpec(options.part->first, options.part->end - 1) : wanted;
}

}  // namespace

OriginTransfer::OriginTransfer(std::shared_ptr<OriginSource::Shared> shared, RangeSpec range,
                               Executor& home, Purpose purpose, Otherwise otherwise)
    : shared_(std::move(shared)),
      home_(home),
      purpose_(purpose),
      otherwise_(otherwise),
      range_(range_to_ask(shared_->options, range)),
      target_(fail(Errc::unavailable, "no server is left to ask")) {
    if (purpose_ == Purpose::access || !land()) (void)turn_to_next();
    if (!is_at_home()) return;
    shared_->transfers.insert(this);
    cancelled_ = shared_->stopped;
}

OriginTransfer::~OriginTransfer() {
    end();
    if (is_at_home()) shared_->transfers.erase(this);
}

// Whoever asks while another transfer of this source runs asks for a further part.
void OriginTransfer::begin() {
    if (std::exchange(under_way_, true)) return;
    if (shared_->under_way.fetch_add(1) > 0) kind_ = Lanes::Kind::further_part;
}

void OriginTransfer::end() {
    if (std::exchange(under_way_, false)) shared_->under_way.fetch_sub(1);
}

Request OriginTransfer::next_request() const {
    Request request;
    request.method = "GET";
    request.url = target_->url();
    request.fields = fields_;
    request.kind = kind_;
    if (shared_->options.upstreams)
        request.patience = shared_->options.upstreams->patience(asked_, waits_since_, otherwise_);
    if (purpose_ == Purpose::bytes) request.stored_from = range_.first;
    if (!range_.is_whole()) request.fields.add("Range", http::range_field(range_));
    return request;
}

http::Fields OriginTransfer::first_fields() const {
    http::Fields fields = shared_->options.fields;
    for (const std::string_view name : {"Range", "If-Range", "If-Match", "If-None-Match",
                                        "If-Modified-Since", "If-Unmodified-Since"})
        fields.remove(name);
    fields.set("Accept-Encoding", "identity");  // R17: a range cuts the encoded form
    return fields;
}

bool OriginTransfer::turn_to_next() {
    const SourceOptions& options = shared_->options;
    const bool is_only_one = !options.upstreams;
    if (!is_only_one && turn_ == 0)
        order_ = options.upstreams->order(std::chrono::steady_clock::now(), otherwise_);
    if (turn_ == (is_only_one ? 1 : order_.size())) return false;
    asked_ = is_only_one ? 0 : order_[turn_];
    target_ = split_url(is_only_one ? options.url : options.alternatives[asked_]);
    ++turn_;
    fields_ = first_fields();
    hops_.clear();
    promised_.reset();
    is_elsewhere_ = false;
    return true;
}

bool OriginTransfer::land() {
    LandingPtr landing;
    {
        const std::scoped_lock lock(shared_->landing_mutex);
        const bool may_recall = !shared_->landing && !shared_->has_recalled;
        if (may_recall && shared_->options.recall_landing) {
            shared_->has_recalled = true;
            shared_->landing = shared_->options.recall_landing();
        }
        landing = shared_->landing;
    }
    if (!landing) return false;
    target_ = split_url(landing->url);
    fields_ = first_fields();
    if (landing->is_elsewhere) fields_ = for_strangers(fields_);
    fields_.remove("Host");
    hops_ = landing->hops;
    promised_ = landing->promised;
    is_elsewhere_ = landing->is_elsewhere;
    if (landing->is_empty && !part()) range_ = RangeSpec::whole();
    asked_ = landing->led_by;
    turn_ = 0;
    has_landed_ = true;
    landing_ = std::move(landing);
    return true;
}

// A signature in it, or the same credentials, opens that place without asking who led there again.
void OriginTransfer::remember_landing() {
    if (!shared_->options.join || has_landed_) return;
    if (hops_.empty()) {
        const std::scoped_lock lock(shared_->landing_mutex);
        shared_->has_lost_landing = false;  // who is asked has it
        return;
    }
    auto landing = std::make_shared<Landing>();
    landing->url = target_->url();
    landing->is_elsewhere = is_elsewhere_;
    landing->hops = hops_;
    landing->promised = promised_;
    landing->led_by = asked_;
    landing_ = landing;
    {
        const std::scoped_lock lock(shared_->landing_mutex);
        shared_->landing = landing;
        shared_->has_lost_landing = false;
    }
    if (auto lead = std::move(lead_)) lead->tell(landing);
    if (shared_->options.keep_landing) shared_->options.keep_landing(std::move(landing));
}

// What the server that was asked came to: whoever is next asks another one first if it failed.
void OriginTransfer::told(const Error& error) {
    const SourceOptions& options = shared_->options;
    const bool failed = error.code == Errc::unavailable || error.code == Errc::timed_out ||
                        error.code == Errc::closed || error.code == Errc::invalid;
    if (!options.upstreams || !failed) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    options.upstreams->failed(asked_, now, now - waits_since_);
    // Another one may lead elsewhere.
    if (options.alternatives.size() > 1) forget_landing();
}

Task<Expected<cache::Arrival>> OriginTransfer::head() {
    if (shared_->options.asks_nobody) co_return fail(Errc::unavailable, "no origin is asked");
    if (!target_) co_return fail(target_.error());
    auto arrival = co_await ask_all();
    lead_ = nullptr;
    co_return arrival;
}

Task<Expected<cache::Arrival>> OriginTransfer::ask_all() {
    // Once: whatever it is led to then may have ended too.
    bool may_wait = purpose_ == Purpose::bytes;
    if (may_wait && !has_landed_ && is_way_lost()) {
        may_wait = false;
        (void)co_await land_again();
    }
    begin();
    for (;;) {
        server_failed_ = was_told_to_wait_ = false;
        auto arrival = co_await ask_one();
        // Another way to the same place is no way around a limit.
        if (had_no_place_ || (was_told_to_wait_ && !is_elsewhere_)) co_return arrival;
        if (!arrival && !cancelled_ && std::exchange(has_landed_, false)) {
            // The signature has ended, perhaps: the way there is asked for again.
            if (server_failed_) told(arrival.error());
            forget_landing();
            end();
            bool is_led = false;
            if (std::exchange(may_wait, false)) is_led = co_await land_again();
            if (!is_led) is_led = turn_to_next();
            if (!is_led || !target_) co_return arrival;
            begin();
            continue;
        }
        if (cancelled_ || has_landed_ || !shared_->options.upstreams) co_return arrival;
        if (!server_failed_) {
            shared_->options.upstreams->worked(asked_);
            co_return arrival;
        }
        told(arrival.error());
        if (!turn_to_next() || !target_) co_return arrival;
        if (is_at_home()) shared_->declined.reset();
        begin();
    }
}

bool OriginTransfer::is_way_lost() const {
    const std::scoped_lock lock(shared_->landing_mutex);
    return shared_->has_lost_landing;
}

Task<bool> OriginTransfer::land_again() {
    const Digest only_one;
    for (;;) {
        auto place = shared_->ways.take(only_one, home_);
        if (cancelled_) co_return false;
        if (land()) co_return true;
        lead_ = std::move(place.lead);
        if (!place.seat) co_return false;
        seat_ = std::move(place.seat);
        (void)co_await seat_->wait();
        seat_ = nullptr;
    }
}

// The one that this transfer went by: somebody may have found another meanwhile.
void OriginTransfer::forget_landing() {
    if (is_at_home()) shared_->declined.reset();
    {
        const std::scoped_lock lock(shared_->landing_mutex);
        if (!landing_ || shared_->landing != landing_) return;
        shared_->landing = nullptr;
        shared_->has_recalled = true;
        shared_->has_lost_landing = true;
    }
    if (shared_->options.keep_landing) shared_->options.keep_landing(nullptr);
}

Task<Expected<cache::Arrival>> OriginTransfer::ask_one() {
    for (;;) {
        if (cancelled_) co_return fail(Errc::cancelled, "the transfer was cancelled");
        waits_since_ = std::chrono::steady_clock::now();
        response_ = shared_->client_of(home_).send(next_request());
        auto head = co_await response_->head();
        if (!head) {
            end();
            had_no_place_ = response_->proxy_error() == "connection_limit_reached";
            server_failed_ = !had_no_place_ && head.error().code != Errc::cancelled &&
                             head.error().code != Errc::denied &&
                             head.error().code != Errc::exhausted;
            co_return fail(of_transport(std::move(head.error())));
        }
        if (follow(*head) == Next::judge) {
            server_failed_ = head->status >= 500;
            was_told_to_wait_ = head->status == 429;
            co_return judge(std::move(*head));
        }
        response_->cancel();
    }
}

bool OriginTransfer::is_one_of_them(const Target& target) const {
    return std::ranges::any_of(shared_->options.alternatives, [&target](const std::string& url) {
        const auto alternative = split_url(url);
        return alternative && alternative->origin() == target.origin();
    });
}

// Whether this answer asks for another request, and where to.
OriginTransfer::Next OriginTransfer::follow(const http::ResponseHead& head) {
    const bool from_start = !range_.first || range_.first == 0U;
    if (says_empty(head) && from_start && !range_.is_whole() && !part()) {
        range_ = RangeSpec::whole();
        return Next::ask_again;
    }
    if (!shared_->options.follow_redirects || !is_redirect(head.status)) return Next::judge;
    const auto location = head.fields.get("Location");
    auto next = location ? resolve_reference(*target_, *location)
                         : Expected<Target>(fail(Errc::invalid, "no Location"));
    // What cannot be followed is the client's to see.
    const bool is_downgrade = next && target_->scheme == "https" && next->scheme == "http";
    if (!next || is_downgrade || hops_.size() == kHops) return Next::judge;
    hops_.push_back(head);
    if (const auto told = digest_told(head.fields)) promised_ = told;
    if (next->origin() != target_->origin() && !is_one_of_them(*next)) {
        fields_ = for_strangers(fields_);
        is_elsewhere_ = true;
    }
    fields_.remove("Host");
    target_ = std::move(next);
    return Next::ask_again;
}

Expected<void> OriginTransfer::join(http::ResponseHead& head) const {
    if (head.status != 200 && head.status != 206) return {};
    const std::string_view etag = has_landed_ ? std::string_view(landing_->etag) : "";
    const bool is_same =
        etag.empty() || http::weak_match(head.fields.get("ETag").value_or(""), etag);
    if (is_same && (!shared_->options.join || shared_->options.join(hops_, head))) return {};
    return fail(Errc::unsupported, "this answer is not the thing that was asked for");
}

Expected<cache::Arrival> OriginTransfer::judge(http::ResponseHead head) {
    Asked asked;
    asked.range = range_;
    asked.url = target_->url();
    asked.only_access = purpose_ == Purpose::access;
    const auto joined = join(head);
    auto arrival = !joined ? Expected<cache::Arrival>(fail(joined.error()))
                           : check_answer(head, response_->framing(), asked, shared_->options,
                                          std::chrono::system_clock::now());
    if (arrival) {
        remaining_ = arrival->length;
        if (!arrival->digest && !part()) arrival->digest = promised_;
        if (shared_->options.promised) arrival->digest = shared_->options.promised;
        remember_landing();
        return arrival;
    }
    const bool is_elsewhere = is_elsewhere_ && shared_->options.join;
    if (is_elsewhere && purpose_ == Purpose::access && arrival.error().code == Errc::refused)
        arrival = fail(Errc::unavailable, "where the upstream leads, nobody is let in");
    if (is_at_home() && shared_->keeps_declined && is_relayable(arrival.error(), head)) {
        auto declined = std::make_unique<Declined>();
        declined->is_elsewhere = is_elsewhere;
        declined->head = std::move(head);
        declined->response = std::move(response_);
        shared_->declined = std::move(declined);
    } else {
        response_->cancel();
    }
    return arrival;
}

Task<Expected<std::span<const std::byte>>> OriginTransfer::read() {
    if (cancelled_) co_return fail(Errc::cancelled, "the transfer was cancelled");
    if (!response_) co_return fail(Errc::closed, "the transfer was declined");
    waits_since_ = std::chrono::steady_clock::now();
    auto bytes = co_await response_->read();
    if (!bytes || bytes->empty()) end();
    if (!bytes) told(bytes.error());
    if (!bytes || !remaining_) co_return bytes;
    if (bytes->empty() && *remaining_ > 0)
        co_return fail(Errc::closed, fmt::format("{} bytes are missing at the end", *remaining_));
    if (bytes->size() > *remaining_)
        co_return fail(Errc::invalid, "the origin sends more than it announced");
    *remaining_ -= bytes->size();
    co_return bytes;
}

void OriginTransfer::cancel() {
    cancelled_ = true;
    end();
    if (seat_) seat_->leave();
    if (response_) response_->cancel();
}

}  // namespace hawker::origin
