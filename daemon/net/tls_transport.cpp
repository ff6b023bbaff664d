#include "daemon/net/tls_transport.h"

#include "daemon/net/socket_state.h"
#include "daemon/net/tls_connection.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace hawker::net {

namespace {

// Two a record: its head and its body. A whole handshake takes a few dozen at the very most.
constexpr int kReadsPerTurn = 64;

struct Transport {
    std::vector<std::byte> early;  // has been read, by others or ahead
    std::size_t given = 0;
    std::span<std::byte> room;         // lent: to read ahead into
    std::span<const std::byte> ahead;  // what stands there and nobody has taken
    Socket::State* socket = nullptr;
    TlsConnection* outer = nullptr;
    int reads_left = 0;  // before it is others' turn
    bool turn_is_over = false;
};

Transport& transport_of(BIO* bio) { return *static_cast<Transport*>(::BIO_get_data(bio)); }

std::size_t take_early(Transport& transport, char* into, std::size_t most) {
    const std::size_t size = std::min(most, transport.early.size() - transport.given);
    std::copy_n(reinterpret_cast<const char*>(transport.early.data()) + transport.given, size,
                into);
    transport.given += size;
    if (transport.given == transport.early.size()) {
        std::vector<std::byte>().swap(transport.early);
        transport.given = 0;
    }
    return size;
}

// What a BIO's callback says for a step: 1 for bytes that moved.
int tell(BIO* bio, const Expected<Step>& step, std::size_t* moved) {
    if (step && (step->waits == Waits::read || step->waits == Waits::turn)) BIO_set_retry_read(bio);
    if (step && step->waits == Waits::write) BIO_set_retry_write(bio);
    const bool is_end = step && step->waits == Waits::nothing && step->bytes == 0;
    if (is_end) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (!step || step->bytes == 0) return 0;
    *moved = step->bytes;
    return 1;
}

std::size_t take_ahead(Transport& transport, std::span<std::byte> into) {
    const std::size_t size = std::min(into.size(), transport.ahead.size());
    std::ranges::copy(transport.ahead.first(size), into.begin());
    transport.ahead = transport.ahead.subspan(size);
    return size;
}

Expected<Step> receive(Transport& transport, std::span<std::byte> into) {
    const bool reads_ahead = into.size() < transport.room.size();
    Step step;
    const auto got = transport.socket->receive(reads_ahead ? transport.room : into, "TLS");
    if (!got) {
        step.waits = Waits::read;
        return step;
    }
    if (!*got) return fail(got->error());
    step.bytes = **got;
    if (reads_ahead) {
        transport.ahead = transport.room.first(**got);
        step.bytes = take_ahead(transport, into);
    }
    return step;
}

int read_bytes(BIO* bio, char* into, std::size_t most, std::size_t* got) {
    Transport& transport = transport_of(bio);
    BIO_clear_retry_flags(bio);
    if (transport.reads_left-- <= 0) {
        transport.turn_is_over = true;
        BIO_set_retry_read(bio);
        return 0;
    }
    if (!transport.early.empty()) {
        *got = take_early(transport, into, most);
        return 1;
    }
    const std::span<std::byte> room(reinterpret_cast<std::byte*>(into), most);
    if (!transport.ahead.empty()) {
        *got = take_ahead(transport, room);
        return 1;
    }
    if (!transport.outer) return tell(bio, receive(transport, room), got);
    const Expected<Step> step = transport.outer->read(room);
    transport.turn_is_over = step && step->waits == Waits::turn;
    return tell(bio, step, got);
}

int write_bytes(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
    BIO_clear_retry_flags(bio);
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(from), size);
    return tell(bio, transport_of(bio).outer->write(bytes), put);
}

long control(BIO* bio, int command, long /*number*/, void* /*argument*/) {
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int destroy(BIO* bio) {
    const std::unique_ptr<Transport> transport(static_cast<Transport*>(::BIO_get_data(bio)));
    return 1;
}

struct FreeMethod {
    void operator()(BIO_METHOD* method) const { ::BIO_meth_free(method); }
};

const BIO_METHOD* transport_method() {
    static const std::unique_ptr<BIO_METHOD, FreeMethod> method = [] {
        std::unique_ptr<BIO_METHOD, FreeMethod> made(
            ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "TLS transport"));
        ::BIO_meth_set_read_ex(made.get(), &read_bytes);
        ::BIO_meth_set_write_ex(made.get(), &write_bytes);
        ::BIO_meth_set_ctrl(made.get(), &control);
        ::BIO_meth_set_destroy(made.get(), &destroy);
        return made;
    }();
    return method.get();
}

BIO* make(std::span<const std::byte> early, Socket::State* socket, TlsConnection* outer) {
    auto transport = std::make_unique<Transport>();
    transport->early.assign(early.begin(), early.end());
    transport->socket = socket;
    transport->outer = outer;
    BIO* const bio = ::BIO_new(transport_method());
    ::BIO_set_data(bio, transport.release());
    ::BIO_set_init(bio, 1);
    return bio;
}

}  // namespace

BIO* read_early_bytes_first(std::span<const std::byte> early, Socket::State& socket) {
    return make(early, &socket, nullptr);
}

void begin_turn(BIO* bio) {
    Transport& transport = transport_of(bio);
    transport.reads_left = kReadsPerTurn;
    transport.turn_is_over = false;
}

bool has_early_bytes(BIO* bio) { return !transport_of(bio).early.empty(); }

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled as far as it is used
RoomToReadAhead::RoomToReadAhead(BIO* bio) : bio_(bio) { transport_of(bio).room = room_; }

RoomToReadAhead::~RoomToReadAhead() {
    Transport& transport = transport_of(bio_);
    if (!transport.ahead.empty())
        transport.early.assign(transport.ahead.begin(), transport.ahead.end());
    transport.room = {};
    transport.ahead = {};
}

bool turn_is_over(BIO* bio) { return transport_of(bio).turn_is_over; }

BIO* through(TlsConnection& outer, std::span<const std::byte> early) {
    return make(early, nullptr, &outer);
}

}  // namespace hawker::net
