// From a parsed request to a response, without sockets.
#pragma once

#include "base/task.h"
#include "daemon/admin/server.h"
#include "daemon/http/message.h"

#include <string>

namespace hawker::admin {

struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::string allow;  // for 405: the methods there are
};

// `trusted_peer`: the connection came from this machine. `head` and `backend` outlive the task.
enum class Peer : std::uint8_t { local, remote };
Task<Answer> answer(const http::RequestHead& head, Peer peer, Backend& backend);

// As JSON, for GET /tasks.
std::string to_json(const cache::Entry& entry);

// The task ID just before this one; nullopt before the first. The cache lists what comes *after* an
// ID.
std::optional<TaskId> predecessor(TaskId task);

// The whole response; `with_body` false for HEAD.
enum class Body : std::uint8_t { sent, omitted };
std::string serialize(const Answer& answer, Body body);

}  // namespace hawker::admin
