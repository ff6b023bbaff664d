// What the admin API says, as people like to read it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace hawker::cli {

// Three figures are enough for people: "1.5 GiB", "712 B".
std::string human_size(double bytes);

// One line for each task of the array that GET /tasks gives. Throws nlohmann::json::exception when
// it is not one.
std::string task_table(const nlohmann::json& tasks);
std::string task_details(const nlohmann::json& task);

// Prometheus samples: name with labels -> value. What is not a sample is left out.
std::map<std::string, double> parse_metrics(std::string_view text);
std::string stats_table(const std::map<std::string, double>& samples);

}  // namespace hawker::cli
