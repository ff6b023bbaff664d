#include "daemon/admin/answer.h"

#include "base/host_pattern.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::admin {

namespace {

constexpr std::size_t kDefaultPage = 100;
constexpr std::size_t kLargestPage = 1000;
constexpr std::string_view kTasks = "/tasks";
constexpr std::string_view kNotFound = "There is nothing here. Try /healthz, /metrics or /tasks.\n";

Answer refusal(int status, std::string sentence) {
    Answer answer;
    answer.status = status;
    answer.body = std::move(sentence) + '\n';
    return answer;
}

Answer not_allowed(std::string methods) {
    Answer answer = refusal(405, fmt::format("This resource knows the methods {}.", methods));
    answer.allow = std::move(methods);
    return answer;
}

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

nlohmann::json describe(const cache::Entry& entry) {
    nlohmann::json json = {{"task", entry.task.hex()},     {"url", entry.label},
                           {"rule", entry.rule},           {"size", nullptr},
                           {"stored", entry.stored},       {"digest", nullptr},
                           {"stored_at", entry.stored_at}, {"used_at", entry.used_at},
                           {"hits", entry.hits},           {"complete", entry.complete},
                           {"fetching", entry.fetching},   {"shared_file", nullptr}};
    if (entry.size) json["size"] = *entry.size;
    if (entry.shared_file) json["shared_file"] = *entry.shared_file;
    if (entry.digest) json["digest"] = "sha256:" + entry.digest->hex();
    return json;
}

// Labels are redacted URLs, but a URL may hold bytes that are no UTF-8: those become U+FFFD.
std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

Answer json_answer(const nlohmann::json& json) {
    Answer answer;
    answer.content_type = "application/json";
    answer.body = dump(json);
    return answer;
}

struct Page {
    std::optional<TaskId> after;
    std::size_t limit = kDefaultPage;
};

// `after=ID&limit=N`
Expected<Page> parse_page(std::string_view query) {
    Page page;
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(parameter.size() + 1, query.size()));
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        const std::string_view name = parameter.substr(0, equals);
        const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
        if (name == "after") {
            page.after = TaskId::from_hex(value);
            if (!page.after)
                return fail(Errc::invalid, "`after` must be a task ID: 64 hexadecimal digits.");
        } else if (name == "limit") {
            const auto [rest, problem] =
                std::from_chars(value.data(), value.data() + value.size(), page.limit);
            if (problem != std::errc() || rest != value.data() + value.size() || page.limit < 1 ||
                page.limit > kLargestPage)
                return fail(Errc::invalid,
                            fmt::format("`limit` must be a number from 1 to {}.", kLargestPage));
        } else {
            return fail(Errc::invalid, "The parameters of /tasks are `after` and `limit`.");
        }
    }
    return page;
}

Task<Answer> list_tasks(std::string_view query, Backend& backend) {
    const auto page = parse_page(query);
    if (!page) co_return refusal(400, page.error().what);
    const auto entries = co_await backend.tasks(page->after, page->limit);
    nlohmann::json json = {{"tasks", nlohmann::json::array()}, {"next", nullptr}};
    for (const cache::Entry& entry : entries) json["tasks"].push_back(describe(entry));
    if (entries.size() == page->limit) json["next"] = entries.back().task.hex();
    co_return json_answer(json);
}

Task<Answer> show_task(TaskId task, Backend& backend) {
    const auto entries = co_await backend.tasks(predecessor(task), 1);
    if (entries.empty() || entries.front().task != task)
        co_return refusal(404, "No such task is in the cache.");
    co_return json_answer(describe(entries.front()));
}

// A web page can make a browser on this machine send requests here, but not without an Origin field
// on a DELETE.
Task<Answer> remove_task(TaskId task, const http::RequestHead& head, Peer peer, Backend& backend) {
    if (peer == Peer::remote)
        co_return refusal(
            403, "Tasks are removed from this machine only: connect through a loopback address.");
    if (head.fields.has("Origin"))
        co_return refusal(403,
                          "Tasks are not removed for web pages (the request has an Origin field).");
    const bool removed = co_await backend.remove(task);
    if (!removed) co_return refusal(404, "No such task is in the cache.");
    co_return refusal(200, "removed");
}

Task<Answer> answer_task(std::string_view name, const http::RequestHead& head, Peer peer,
                         Backend& backend) {
    const auto task = TaskId::from_hex(name);
    if (!task) co_return refusal(400, "A task ID is 64 hexadecimal digits.");
    if (is_read(head.method)) {
        auto shown = co_await show_task(*task, backend);
        co_return shown;
    }
    if (head.method != "DELETE") co_return not_allowed("GET, HEAD, DELETE");
    auto removed = co_await remove_task(*task, head, peer, backend);
    co_return removed;
}

Answer health(const Backend& backend) {
    const std::string ailment = backend.ailment();
    return ailment.empty() ? refusal(200, "ok") : refusal(503, ailment);
}

Answer metrics(Backend& backend) {
    Answer answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = backend.metrics();
    return answer;
}

}  // namespace

std::string to_json(const cache::Entry& entry) { return dump(describe(entry)); }

std::optional<TaskId> predecessor(TaskId task) {
    for (std::size_t i = task.bytes.size(); i-- > 0;) {
        const auto byte = std::to_integer<unsigned>(task.bytes[i]);
        task.bytes[i] = static_cast<std::byte>((byte - 1U) & 0xFFU);
        if (byte != 0) return task;  // nothing to borrow from the byte before
    }
    return std::nullopt;
}

// The port is left out of it; an IPv6 address stands in brackets (RFC 9110 section 7.2).
bool is_our_host(std::string_view host, std::span<const std::string> hosts) {
    std::string_view name = host.substr(0, host.find(':'));
    if (host.starts_with('[')) name = host.substr(1, host.find(']') - 1);
    const std::string plain = plain_host(name);
    if (plain == "localhost") return true;
    if (plain.find('/') == std::string::npos && net::Cidr::parse(plain)) return true;  // a literal
    return std::ranges::any_of(
        hosts, [&plain](const std::string& known) { return plain_host(known) == plain; });
}

Task<Answer> answer(const http::RequestHead& head, const Asker& asker, Backend& backend) {
    if (head.form != http::TargetForm::origin)
        co_return refusal(
            400,
            "This is hawker's admin address, not the proxy: ask for /healthz, "
            "/metrics or /tasks. Clients' proxy is the address of `listen` (65001, if "
            "nothing else is set).");
    // Who comes through a proxy on this machine, ours too, is not on it.
    if (head.fields.has("Via"))
        co_return refusal(403, "The admin API is not for requests that come through a proxy.");
    if (const auto host = head.fields.get("Host"); host && !is_our_host(*host, asker.hosts))
        co_return refusal(403,
                          "Ask for the admin API by an IP address or as localhost, or name this "
                          "host in `admin.hosts`: a web page could be behind this name.");
    const std::string_view target = head.target;
    const std::string_view path = target.substr(0, target.find('?'));
    const std::string_view query = target.substr(std::min(path.size() + 1, target.size()));
    if (path.starts_with(kTasks) && path.size() > kTasks.size() + 1 && path[kTasks.size()] == '/') {
        auto one = co_await answer_task(path.substr(kTasks.size() + 1), head, asker.peer, backend);
        co_return one;
    }
    if (path != "/healthz" && path != "/metrics" && path != kTasks) {
        Answer lost = refusal(404, "");
        lost.body = kNotFound;
        co_return lost;
    }
    if (!is_read(head.method)) co_return not_allowed("GET, HEAD");
    if (path == "/healthz") co_return health(backend);
    if (path == "/metrics") co_return metrics(backend);
    auto page = co_await list_tasks(query, backend);
    co_return page;
}

std::string serialize(const Answer& answer, Body body) {
    http::ResponseHead head;
    head.status = answer.status;
    head.reason = http::reason_phrase(answer.status);
    head.fields.add("Content-Type", answer.content_type);
    head.fields.add("Content-Length", fmt::format("{}", answer.body.size()));
    head.fields.add("Cache-Control", "no-store");
    head.fields.add("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) head.fields.add("Allow", answer.allow);
    head.fields.add("Connection", "close");
    std::string text = http::serialize(head);
    if (body == Body::sent) text += answer.body;
    return text;
}

}  // namespace hawker::admin
