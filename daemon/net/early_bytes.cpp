#include "daemon/net/early_bytes.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include <sys/socket.h>

namespace hawker::net {

namespace {

struct Source {
    std::vector<std::byte> early;
    std::size_t given = 0;
    int fd = -1;
};

int read_source(BIO* bio, char* into, std::size_t most, std::size_t* got) {
    auto* const source = static_cast<Source*>(::BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (source->given < source->early.size()) {
        const std::size_t size = std::min(most, source->early.size() - source->given);
        std::copy_n(reinterpret_cast<const char*>(source->early.data()) + source->given, size,
                    into);
        source->given += size;
        if (source->given == source->early.size()) std::vector<std::byte>().swap(source->early);
        if (source->early.empty()) source->given = 0;
        *got = size;
        return 1;
    }
    const ssize_t size = ::recv(source->fd, into, most, 0);
    if (size > 0) {
        *got = static_cast<std::size_t>(size);
        return 1;
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (size == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return 0;
}

long control(BIO* bio, int command, long /*number*/, void* /*argument*/) {
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int destroy(BIO* bio) {
    const std::unique_ptr<Source> source(static_cast<Source*>(::BIO_get_data(bio)));
    return 1;
}

struct FreeMethod {
    void operator()(BIO_METHOD* method) const { ::BIO_meth_free(method); }
};

const BIO_METHOD* early_bytes_method() {
    static const std::unique_ptr<BIO_METHOD, FreeMethod> method = [] {
        std::unique_ptr<BIO_METHOD, FreeMethod> made(
            ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "early bytes"));
        ::BIO_meth_set_read_ex(made.get(), &read_source);
        ::BIO_meth_set_ctrl(made.get(), &control);
        ::BIO_meth_set_destroy(made.get(), &destroy);
        return made;
    }();
    return method.get();
}

}  // namespace

BIO* read_early_bytes_first(std::span<const std::byte> early, int fd) {
    auto source = std::make_unique<Source>();
    source->early.assign(early.begin(), early.end());
    source->fd = fd;
    BIO* const bio = ::BIO_new(early_bytes_method());
    ::BIO_set_data(bio, source.release());
    ::BIO_set_init(bio, 1);
    return bio;
}

}  // namespace hawker::net
