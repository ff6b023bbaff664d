// The road of a GET or HEAD under `policy: http` (RFC 9111): one plain request to the origin with
// the client's own fields, or none.
//
//   1. look    at the shelf of the primary key: what was stored, for requests like this one
//   2. judge   fresh, stale but allowed, or to be validated
//   3. serve   what is stored, or
//   4. join    whoever is asking the origin for the same thing at this moment, or
//   5. ask     the origin: with conditions where there is something to be confirmed, for the
//   missing
//              stretch where there are parts; its answer is stored while it is sent
//
// http_road.cpp: the road. http_asking.cpp: 5. http_serving.cpp: 3 and how bodies are sent.
#pragma once

#include "daemon/http/reuse.h"
#include "daemon/proxy/http_parts.h"
#include "daemon/proxy/http_store.h"
#include "daemon/proxy/own_source.h"
#include "daemon/proxy/permission.h"
#include "daemon/proxy/stored_response.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::proxy {

class HttpRoad {
public:
    explicit HttpRoad(Context& context);
    HttpRoad(const HttpRoad&) = delete;
    HttpRoad& operator=(const HttpRoad&) = delete;
    ~HttpRoad();
    Task<void> run();
    // The origin has answered a POST with what a GET would bring: it is kept while it is sent.
    // False, and nothing was sent, where it may not be kept.
    Task<bool> answer_post(HttpStore::Answer& answer);

private:
    using Lead = std::unique_ptr<Questions<Landed>::Lead>;
    using Rest = ResponseWriter::Rest;

    // How what is served came to be used; for Cache-Status and the log.
    struct Manner {
        std::string_view source = "hit";
        std::string_view fwd;  // empty: a hit
        std::optional<int> fwd_status;
        bool stored = false, collapsed = false;
        std::string_view detail;
    };

    // http_road.cpp
    VariantPtr pick(const Shelves::View& view) const;
    std::optional<http::Use> use_of(const StoredVariant& variant) const;
    bool may_wait_for_others(const Shelves::View& view) const;
    // True when somebody else's request has come back: look again. Else the lead is ours, or there
    // is none.
    Task<bool> wait_for_others(const Shelves::View& view);
    Task<bool> serve_at_once(const Shelves::View& view);
    void revalidate_behind(VariantPtr variant);
    void tell(bool is_shared);

    // http_asking.cpp
    Task<void> ask(VariantPtr stored);
    Task<void> ask_for_head(const Shelves::View& view);
    Task<bool> ask_for_the_gap(const Parts& parts);
    Task<bool> answer_confirmed(HttpStore::Answer& answer, VariantPtr stored);
    Task<void> answer_new(HttpStore::Answer& answer, const VariantPtr& stored);
    Task<bool> use_after_error(const VariantPtr& stored, HttpStore::Answer& answer);
    Task<void> learn_from_head(const HttpStore::Answer& answer, VariantPtr stored);
    void learn_rights(int status);

    // http_serving.cpp
    // False when nothing was sent and what is stored is of no use: it has left the shelf.
    Task<bool> serve(VariantPtr variant, Manner manner);
    http::ResponseHead head_of_parts(const StoredVariant& latest, ByteRange wanted,
                                     std::uint64_t size) const;
    Task<bool> serve_parts(const Parts& parts, ByteRange wanted, Manner manner);
    Task<bool> send_around(const Parts& parts, ByteRange wanted, ByteRange gap,
                           HttpStore::Stored& kept);
    StoredAnswer answer_of(const StoredVariant& variant,
                           const cache::Representation& representation) const;
    Task<void> send_new(const http::ResponseHead& head, HttpStore::Stored& stored, Manner manner);
    void begin(http::ResponseHead head, std::optional<std::uint64_t> length, const Manner& manner);
    Task<Expected<void>> send_from_origin(const StoredVariant& variant, const StoredAnswer& answer,
                                          std::uint64_t from);
    Task<Expected<void>> send_ranges(const TaskId& task, cache::Reader& first,
                                     const StoredAnswer& answer);
    // `after_last`: does what follows the stretch come without a wait?
    Task<Expected<void>> send_stretch(cache::Reader& reader, ByteRange range, Rest after_last);
    Task<Expected<void>> send_pieces(const Parts& parts, ByteRange wanted);
    Task<Expected<void>> send_live(HttpStore::Stored& stored);
    Task<Expected<void>> send_rest(LiveAnswer& live, std::uint64_t from);
    Task<void> finish(Expected<void> sent);

    Context& context_;
    const filters::Rule& rule_;
    OwnSource source_;  // asked for nothing: whose right it would be
    Permission permission_;
    HttpStore store_;
    HttpQuestion question_;
    const http::CacheControl asked_;
    Lead lead_;
    bool waited_ = false;
};

// An answer to POST that says it is for later GETs too (RFC 9110 section 9.3.3). False where it
// does not, or may not be kept: then `answer` is as it was, and nothing was sent.
Task<bool> serve_post_by_http(Context& context, HttpStore::Answer& answer);

}  // namespace hawker::proxy
