// One response on its way to the client: head, body, end. Chooses the framing, keeps the head back
// until the first bytes of the body are there so that both leave in one segment, and counts.
//
// Owner:   the exchange. Thread: the loop's.
// Failure: after the first failed write the connection is of no use; can_continue() is false.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/task.h"
#include "daemon/http/message.h"
#include "daemon/net/socket.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hawker::proxy {

// Bytes of a file, and how many of those that follow will be wanted next.
struct FilePart {
    int fd = -1;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::uint64_t ahead = 0;
};

class ResponseWriter {
public:
    // Heads are written into `head_room`, which is empty at first.
    ResponseWriter(net::Socket& client, const http::RequestHead& request,
                   net::Deadline write_timeout, const Clock& clock, std::string& head_room);

    // What will follow the head: so many bytes, or nullopt for a body whose length nobody knows.
    // Takes the framing fields of `head` away and writes its own; HEAD keeps the Content-Length it
    // is given.
    void begin(http::ResponseHead head, std::optional<std::uint64_t> body_length);
    // The same with a head that the caller has serialized into lines() just before, but for its
    // framing fields and the empty line: every line ends with CRLF. For statuses that have a body.
    void begin(int status, std::uint64_t body_length);
    std::string& lines() {
        pending_head_.clear();
        return pending_head_;
    }
    // The body's end will be the connection's: its completeness is unknowable, as it was at the
    // origin (F20).
    void end_by_closing();

    // Sends the head by itself, when the first bytes of the body will take a while. From then on
    // withdraw() says no.
    Task<Expected<void>> announce();
    Task<Expected<void>> body(std::span<const std::byte> bytes);
    // `rest`: does what follows come without a wait? Then the segments on the way to it stay full.
    enum class Rest : std::uint8_t { to_come, at_hand };
    Task<Expected<void>> file(int fd, std::uint64_t offset, std::uint64_t length, Rest rest);
    // The same of what may not be in memory: see Socket::send_cold_file(). Only where
    // sends_cold_files(). After Errc::corrupt the response goes on with what was not sent.
    Task<Expected<void>> cold_file(Executor& pool, const FilePart& part, Rest rest);
    bool sends_cold_files() const;
    // The clean end. Errc::closed when fewer bytes were written than were promised.
    Task<Expected<void>> finish();
    // The same where nothing is left to be sent and all went well; else false, and finish() is
    // still to come.
    bool finish_at_once();

    // From now on bodies go as `pace` lets them; null: as fast as the client takes them.
    void set_pace(net::Pace* pace) { pace_ = pace; }

    // `HTTP/1.1 100 Continue`, if the client waits for it and no head was sent.
    Task<Expected<void>> continue_reading();

    // This response is the last of its connection.
    void close_after() { keep_alive_ = false; }

    // Takes back a head that nobody has seen yet, so that another answer can be given. False when
    // it is too late.
    bool withdraw();

    bool begun() const { return status_ != 0; }
    bool finished() const { return finished_; }
    bool can_continue() const { return keep_alive_ && finished_ && !failed_; }
    bool has_body() const { return has_body_; }
    // Nothing but the connection's end tells the body's.
    bool is_ended_by_closing() const { return has_body_ && !promised_ && !chunked_; }
    int status() const { return status_; }
    std::uint64_t body_bytes() const { return body_bytes_; }
    std::optional<SteadyTime> first_byte_at() const { return first_byte_at_; }

private:
    Task<Expected<void>> body_by_pace(std::span<const std::byte> bytes);
    Task<Expected<void>> body_at_once(std::span<const std::byte> bytes);
    Task<Expected<void>> file_in_chunk(int fd, std::uint64_t offset, std::uint64_t length,
                                       Rest rest);
    Task<Expected<void>> file_as_it_is(int fd, std::uint64_t offset, std::uint64_t length,
                                       Rest rest);
    Task<Expected<void>> send_file(int fd, std::uint64_t offset, std::uint64_t length,
                                   std::uint64_t& sent);
    Task<Expected<void>> send_file_by_pace(int fd, std::uint64_t offset, std::uint64_t length,
                                           std::uint64_t& sent);
    Task<Expected<void>> send(std::span<const std::span<const std::byte>> parts,
                              net::Socket::Follows follows);
    void head_has_left();
    void cork_for(Rest rest);
    void uncork();
    Expected<void> account(std::uint64_t bytes, const Expected<void>& sent);

    net::Socket& client_;
    net::Deadline write_timeout_;
    const Clock& clock_;
    net::Pace* pace_ = nullptr;
    bool head_request_;
    bool http_1_1_;
    bool keep_alive_;
    bool wants_continue_;

    std::string& pending_head_;  // empty once it has left
    int status_ = 0;
    bool has_body_ = false;
    bool chunked_ = false;
    bool ends_by_closing_ = false;
    bool failed_ = false;
    bool finished_ = false;
    bool corked_ = false;
    std::optional<std::uint64_t> promised_;
    std::uint64_t body_bytes_ = 0;
    std::optional<SteadyTime> first_byte_at_;
};

}  // namespace hawker::proxy
