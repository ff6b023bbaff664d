// Preloaded into a daemon under test (LD_PRELOAD): counts what each of its threads asks of the
// heap, of LMDB and of its sockets.
//
// The counts stand in the file that HAWKER_COUNTERS names (kRows rows of Row, zeroed by whoever
// makes it), for the test to read at any time; tests/e2e/harness/counters.py knows the layout. A
// thread has the row that it took with its first call; one that comes too late shares the last.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t kRows = 256;

struct Row {
    std::atomic<std::uint64_t> allocations;  // malloc and its like; a realloc is one
    std::atomic<std::uint64_t> frees;
    std::atomic<std::uint64_t> index_writes;  // rows put into or deleted from LMDB
    std::atomic<std::uint64_t> sends;         // sendmsg(2)
};

std::array<Row, kRows> before_the_file;
std::atomic<Row*> rows{before_the_file.data()};
std::atomic<std::size_t> taken{0};

// Static TLS: the usual kind may call malloc() when a thread first touches it.
[[gnu::tls_model("initial-exec")]] thread_local std::size_t place = kRows;

Row& mine() {
    if (place == kRows) {
        const std::size_t next = taken.fetch_add(1, std::memory_order_relaxed);
        place = next < kRows ? next : kRows - 1;
    }
    return rows.load(std::memory_order_relaxed)[place];
}

void count(std::atomic<std::uint64_t> Row::* what) {
    (mine().*what).fetch_add(1, std::memory_order_relaxed);
}

template <typename Function>
Function* next_one(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

[[gnu::constructor]] void open_the_file() {
    const char* name = std::getenv("HAWKER_COUNTERS");
    if (!name) return;
    const int fd = ::open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* mapped = ::mmap(nullptr, kRows * sizeof(Row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (mapped != MAP_FAILED) rows = static_cast<Row*>(mapped);
}

}  // namespace

extern "C" {

// The heap's, whichever it is: mimalloc goes by these names as well.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) noexcept {
    count(&Row::allocations);
    return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) noexcept {
    count(&Row::allocations);
    return __libc_calloc(number, size);
}

void* realloc(void* old, std::size_t size) noexcept {
    count(&Row::allocations);
    if (old) count(&Row::frees);
    return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
    count(&Row::allocations);
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void* memory) noexcept {
    if (memory) count(&Row::frees);
    __libc_free(memory);
}

int mdb_put(MDB_txn* txn, MDB_dbi table, MDB_val* key, MDB_val* value, unsigned flags) {
    static auto* const next = next_one<decltype(mdb_put)>("mdb_put");
    count(&Row::index_writes);
    return next(txn, table, key, value, flags);
}

int mdb_cursor_put(MDB_cursor* cursor, MDB_val* key, MDB_val* value, unsigned flags) {
    static auto* const next = next_one<decltype(mdb_cursor_put)>("mdb_cursor_put");
    count(&Row::index_writes);
    return next(cursor, key, value, flags);
}

int mdb_del(MDB_txn* txn, MDB_dbi table, MDB_val* key, MDB_val* value) {
    static auto* const next = next_one<decltype(mdb_del)>("mdb_del");
    count(&Row::index_writes);
    return next(txn, table, key, value);
}

int mdb_cursor_del(MDB_cursor* cursor, unsigned flags) {
    static auto* const next = next_one<decltype(mdb_cursor_del)>("mdb_cursor_del");
    count(&Row::index_writes);
    return next(cursor, flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    static auto* const next = next_one<decltype(sendmsg)>("sendmsg");
    count(&Row::sends);
    return next(fd, message, flags);
}

}  // extern "C"

// mimalloc's would not come by malloc().
void* operator new(std::size_t size) {
    void* const memory = malloc(size);
    if (!memory) throw std::bad_alloc();
    return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    void* const memory = memalign(static_cast<std::size_t>(alignment), size);
    if (!memory) throw std::bad_alloc();
    return memory;
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return operator new(size, alignment);
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, std::size_t) noexcept { free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { free(memory); }
