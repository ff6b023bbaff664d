#include "cli/tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <set>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hawker::cli {

namespace {

using nlohmann::json;

std::string size_of(const json& task) {
    return task.at("size").is_null() ? "?" : human_size(task.at("size").get<double>());
}

std::string state_of(const json& task) {
    if (task.at("fetching").get<bool>()) return "fetching";
    return task.at("complete").get<bool>() ? "complete" : "partial";
}

std::string time_of(const json& seconds) {
    const auto value = seconds.get<std::time_t>();
    return value <= 0 ? "never" : fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(value));
}

double sample(const std::map<std::string, double>& samples, const std::string& name) {
    const auto found = samples.find(name);
    return found == samples.end() ? 0 : found->second;
}

// The sum over all labels but `source`.
double of_source(const std::map<std::string, double>& samples, std::string_view metric,
                 std::string_view source) {
    const std::string start = fmt::format("{}{{", metric);
    const std::string label = fmt::format("source=\"{}\"", source);
    double sum = 0;
    for (const auto& [name, value] : samples)
        if (name.starts_with(start) && name.contains(label)) sum += value;
    return sum;
}

}  // namespace

std::string human_size(double bytes) {
    constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    // 999.5 of a unit would print as 1000.
    for (; bytes >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
    const int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f} {}", bytes, decimals, kUnits.at(unit));
}

std::string task_table(const json& tasks) {
    std::string out = fmt::format("{:<64}  {:>9}  {:>9}  {:>6}  {:<8}  {:<20}  {}\n", "TASK",
                                  "SIZE", "STORED", "HITS", "STATE", "RULE", "URL");
    double stored = 0;
    std::set<std::uint64_t> counted;  // of the files that several tasks have together
    for (const json& task : tasks) {
        const json& file = task.at("shared_file");
        if (file.is_null() || counted.insert(file.get<std::uint64_t>()).second)
            stored += task.at("stored").get<double>();
        out += fmt::format("{:<64}  {:>9}  {:>9}  {:>6}  {:<8}  {:<20}  {}\n",
                           task.at("task").get<std::string>(), size_of(task),
                           human_size(task.at("stored").get<double>()),
                           task.at("hits").get<std::uint64_t>(), state_of(task),
                           task.at("rule").get<std::string>(), task.at("url").get<std::string>());
    }
    return out + fmt::format("{} tasks, {}\n", tasks.size(), human_size(stored));
}

std::string task_details(const json& task) {
    const auto line = [](std::string_view label, std::string_view text) {
        return fmt::format("{:<10} {}\n", label, text);
    };
    std::string out = line("task", task.at("task").get<std::string>());
    out += line("url", task.at("url").get<std::string>());
    out += line("rule", task.at("rule").get<std::string>());
    out += line("state", state_of(task));
    out += line("size", size_of(task));
    out += line("stored", human_size(task.at("stored").get<double>()));
    out += line("digest",
                task.at("digest").is_null() ? "unknown" : task.at("digest").get<std::string>());
    out += line("stored at", time_of(task.at("stored_at")));
    out += line("used at", time_of(task.at("used_at")));
    out += line("hits", fmt::format("{}", task.at("hits").get<std::uint64_t>()));
    return out;
}

std::map<std::string, double> parse_metrics(std::string_view text) {
    std::map<std::string, double> samples;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t blank = line.rfind(' ');
        if (line.starts_with('#') || blank == std::string_view::npos) continue;
        double value = 0;
        const auto [rest, problem] =
            std::from_chars(line.data() + blank + 1, line.data() + line.size(), value);
        if (problem == std::errc() && rest == line.data() + line.size())
            samples.emplace(line.substr(0, blank), value);
    }
    return samples;
}

std::string stats_table(const std::map<std::string, double>& samples) {
    std::string out = fmt::format("{:<10}  {:>12}  {:>12}\n", "SOURCE", "REQUESTS", "SENT");
    double requests = 0;
    double sent = 0;
    for (const std::string_view source :
         {"hit", "partial", "joined", "miss", "pass", "tunnel", "intercept", "error"}) {
        const double count = of_source(samples, "hawker_requests_total", source);
        const double bytes = of_source(samples, "hawker_client_sent_bytes_total", source);
        requests += count;
        sent += bytes;
        out += fmt::format("{:<10}  {:>12.0f}  {:>12}\n", source, count, human_size(bytes));
    }
    out += fmt::format("{:<10}  {:>12.0f}  {:>12}\n\n", "all", requests, human_size(sent));
    out +=
        fmt::format("from origins  {}\n", human_size(sample(samples, "hawker_origin_bytes_total")));
    out += fmt::format("cache         {} in {:.0f} objects, {:.0f} evicted\n",
                       human_size(sample(samples, "hawker_cache_bytes")),
                       sample(samples, "hawker_cache_objects"),
                       sample(samples, "hawker_cache_evictions_total"));
    out += fmt::format("fetches       {:.0f} done, {:.0f} failed, {:.0f} stopped, {:.0f} running\n",
                       sample(samples, "hawker_fetches_total{end=\"done\"}"),
                       sample(samples, "hawker_fetches_total{end=\"failed\"}"),
                       sample(samples, "hawker_fetches_total{end=\"stopped\"}"),
                       sample(samples, "hawker_fetches_running"));
    out += fmt::format("connections   {:.0f} open, {:.0f} in all\n",
                       sample(samples, "hawker_connections"),
                       sample(samples, "hawker_connections_total"));
    return out;
}

}  // namespace hawker::cli
