// From a parsed request to a response, without sockets.
#pragma once

#include "base/task.h"
#include "daemon/admin/server.h"
#include "daemon/http/message.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::admin {

struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::string allow;  // for 405: the methods there are
};

// `local`: the connection came from this machine.
enum class Peer : std::uint8_t { local, remote };
struct Asker {
    Peer peer = Peer::local;
    std::vector<std::string> hosts;  // Terms::hosts
};
// What is given outlives the task.
Task<Answer> answer(const http::RequestHead& head, const Asker& asker, Backend& backend);

// Whether a Host field is one that nobody else's name can stand in: an IP address, localhost, or
// one of `hosts`.
bool is_our_host(std::string_view host, std::span<const std::string> hosts);

// As JSON, for GET /tasks.
std::string to_json(const cache::Entry& entry);

// The task ID just before this one; nullopt before the first. The cache lists what comes *after* an
// ID.
std::optional<TaskId> predecessor(TaskId task);

// The whole response; `with_body` false for HEAD.
enum class Body : std::uint8_t { sent, omitted };
std::string serialize(const Answer& answer, Body body);

}  // namespace hawker::admin
