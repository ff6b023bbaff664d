#include "cli/commands.h"

#include "cli/tables.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::cli {

namespace {

using nlohmann::json;

constexpr int kPage = 500;

Errc code_of(int status) {
    if (status == 404) return Errc::not_found;
    if (status == 403) return Errc::refused;
    return status < 500 ? Errc::invalid : Errc::unavailable;
}

// The body of a 200; every other answer's one sentence as an error.
Expected<std::string> ask(AdminClient& daemon, const std::string& method,
                          const std::string& target) {
    auto answer = daemon.send(method, target);
    if (!answer) return fail(std::move(answer).error());
    if (answer->status == 200) return std::move(answer->body);
    while (answer->body.ends_with('\n')) answer->body.pop_back();
    return fail(code_of(answer->status), answer->body.empty()
                                             ? fmt::format("hawkerd answered {}", answer->status)
                                             : answer->body);
}

Expected<json> ask_json(AdminClient& daemon, const std::string& target) {
    auto text = ask(daemon, "GET", target);
    if (!text) return fail(std::move(text).error());
    json parsed = json::parse(*text, nullptr, false);
    if (parsed.is_discarded())
        return fail(Errc::invalid, "what answers there is not hawkerd's admin API");
    return parsed;
}

std::string as_json(const json& value) { return value.dump(2) + '\n'; }

}  // namespace

Expected<std::string> list_tasks(AdminClient& daemon, Output output) try {
    json tasks = json::array();
    for (std::string target = fmt::format("/tasks?limit={}", kPage); !target.empty();) {
        const auto page = ask_json(daemon, target);
        if (!page) return fail(page.error());
        for (const json& task : page->at("tasks")) tasks.push_back(task);
        const json& next = page->at("next");
        target = next.is_null()
                     ? ""
                     : fmt::format("/tasks?limit={}&after={}", kPage, next.get<std::string>());
    }
    return output == Output::json ? as_json(tasks) : task_table(tasks);
} catch (const json::exception& problem) {
    return fail(Errc::invalid,
                fmt::format("what answers there is not hawkerd's admin API ({})", problem.what()));
}

Expected<std::string> show_task(AdminClient& daemon, const std::string& task, Output output) try {
    const auto shown = ask_json(daemon, "/tasks/" + task);
    if (!shown) return fail(shown.error());
    return output == Output::json ? as_json(*shown) : task_details(*shown);
} catch (const json::exception& problem) {
    return fail(Errc::invalid,
                fmt::format("what answers there is not hawkerd's admin API ({})", problem.what()));
}

Expected<std::string> remove_task(AdminClient& daemon, const std::string& task, Output output) {
    const auto removed = ask(daemon, "DELETE", "/tasks/" + task);
    if (!removed) return fail(removed.error());
    if (output == Output::json) return as_json(json{{"removed", task}});
    return fmt::format("removed {}\n", task);
}

Expected<std::string> show_stats(AdminClient& daemon, Output output) {
    const auto text = ask(daemon, "GET", "/metrics");
    if (!text) return fail(text.error());
    const std::map<std::string, double> samples = parse_metrics(*text);
    return output == Output::json ? as_json(json(samples)) : stats_table(samples);
}

Expected<std::string> show_health(AdminClient& daemon, Output output) {
    const auto health = ask(daemon, "GET", "/healthz");
    if (!health) return fail(health.error());
    return output == Output::json ? as_json(json{{"healthy", true}}) : *health;
}

}  // namespace hawker::cli
