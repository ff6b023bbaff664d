#include "daemon/proxy/access_journal.h"

#include "base/strand.h"
#include "base/unique_fd.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace hawker::proxy {

namespace {

// kind(1) key(32) task(32) until(8, Unix seconds, little-endian) sum(8)
constexpr std::size_t kBody = 1 + 32 + 32 + 8;
constexpr std::size_t kRecord = kBody + 8;
using Bytes = std::array<char, kRecord>;

std::string sum_of(const KeyedHash& names, std::string_view body) {
    const Digest digest = names.of({"a record of the access journal", body});
    std::string sum(8, '\0');
    std::memcpy(sum.data(), digest.bytes.data(), sum.size());
    return sum;
}

Bytes written(const KeyedHash& names, const AccessJournal::Record& record) {
    Bytes bytes{};
    bytes[0] = static_cast<char>(record.kind);
    std::memcpy(bytes.data() + 1, record.key.bytes.data(), 32);
    std::memcpy(bytes.data() + 33, record.task.bytes.data(), 32);
    auto seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(record.until.time_since_epoch()).count());
    for (std::size_t i = 0; i < 8; ++i, seconds >>= 8U)
        bytes[65 + i] = static_cast<char>(seconds & 0xFFU);
    const std::string sum = sum_of(names, std::string_view(bytes.data(), kBody));
    std::ranges::copy(sum, bytes.begin() + kBody);
    return bytes;
}

std::optional<AccessJournal::Record> understood(const KeyedHash& names, std::string_view bytes) {
    if (bytes.size() != kRecord || bytes[0] < 1 || bytes[0] > 6) return std::nullopt;
    if (sum_of(names, bytes.substr(0, kBody)) != bytes.substr(kBody)) return std::nullopt;
    AccessJournal::Record record;
    record.kind = static_cast<AccessJournal::Record::Kind>(bytes[0]);
    std::memcpy(record.key.bytes.data(), bytes.data() + 1, 32);
    std::memcpy(record.task.bytes.data(), bytes.data() + 33, 32);
    std::uint64_t seconds = 0;
    for (std::size_t i = 8; i-- > 0;)
        seconds = (seconds << 8U) | static_cast<unsigned char>(bytes[65 + i]);
    record.until = WallTime(std::chrono::seconds(seconds));
    return record;
}

Error failed(std::string_view what, const std::filesystem::path& path) {
    return Error(Errc::unavailable,
                 fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// To the end, or as much as could be read.
std::string read_all(int fd, std::size_t most) {
    std::string text;
    std::array<char, 65536> room{};
    while (text.size() < most) {
        const ssize_t count = ::read(fd, room.data(), room.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(room.data(), static_cast<std::size_t>(count));
    }
    return text;
}

Expected<KeyedHash> new_key(const std::filesystem::path& path) {
    KeyedHash::Key key = KeyedHash::random_key();
    const std::filesystem::path unfinished = path.string() + ".new";
    ::unlink(unfinished.c_str());
    const UniqueFd file(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const bool is_written =
        file && write_all(file.get(), std::string_view(key.data(), key.size())) &&
        ::fsync(file.get()) == 0 && ::rename(unfinished.c_str(), path.c_str()) == 0;
    if (!is_written) return fail(failed("write", path));
    return KeyedHash(key);
}

Expected<KeyedHash> key_in(const std::filesystem::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file && errno == ENOENT) return new_key(path);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return fail(failed("read", path));
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0)
        return fail(Errc::denied,
                    fmt::format("Remove {}, or make it readable for hawkerd's user alone (chmod "
                                "600): others may know this key.",
                                path.string()));
    KeyedHash::Key key{};
    const std::string text = read_all(file.get(), key.size() + 1);
    if (text.size() != key.size()) return new_key(path);
    std::ranges::copy(text, key.begin());
    return KeyedHash(key);
}

class FileJournal final : public AccessJournal {
public:
    FileJournal(UniqueFd file, std::filesystem::path path, const KeyedHash& names, Executor& pool,
                const Log& log)
        : state_(std::make_shared<State>(std::move(file), std::move(path), names, pool, log)),
          strand_(pool) {}

    const KeyedHash& names() const override { return state_->names; }

    std::vector<Record> recall() override {
        constexpr std::size_t kMost = 1UL << 30U;
        const std::string text = read_all(state_->file.get(), kMost);
        std::vector<Record> records;
        for (std::size_t at = 0; at + kRecord <= text.size(); at += kRecord)
            if (const auto record =
                    understood(state_->names, std::string_view(text).substr(at, kRecord)))
                records.push_back(*record);
        return records;
    }

    void note(const Record& record) override {
        {
            const std::scoped_lock lock(state_->mutex);
            ++state_->length;
            const bool is_first = state_->noted.empty();
            state_->noted.push_back(record);
            if (!is_first) return;
        }
        strand_.post([state = state_] { state->write_noted(); });
    }

    void begin_anew(std::vector<Record> records) override {
        {
            const std::scoped_lock lock(state_->mutex);
            state_->length = records.size();
            state_->noted.clear();
            state_->anew = std::move(records);
        }
        strand_.post([state = state_] { state->write_noted(); });
    }

    std::size_t length() const override {
        const std::scoped_lock lock(state_->mutex);
        return state_->length;
    }

private:
    struct State : std::enable_shared_from_this<State> {
        State(UniqueFd its_file, std::filesystem::path its_path, const KeyedHash& its_names,
              Executor& its_pool, const Log& its_log)
            : file(std::move(its_file)),
              path(std::move(its_path)),
              names(its_names),
              pool(its_pool),
              log(its_log) {}

        void write_noted() {
            std::vector<Record> records;
            std::optional<std::vector<Record>> first;
            {
                const std::scoped_lock lock(mutex);
                records.swap(noted);
                first.swap(anew);
            }
            if (first) rewrite(*first);
            if (broken || records.empty()) return;
            const bool takes_back = std::ranges::any_of(records, [](const Record& each) {
                return each.kind != Record::Kind::yes && each.kind != Record::Kind::open;
            });
            if (!append(records)) return give_up();
            // A yes that is lost is asked for again; a no must not be.
            if (takes_back && !sync_is_due.exchange(true))
                pool.post([self = shared_from_this()] { self->sync(); });
        }

        // Beside the strand: what is noted meanwhile is in the file before the disk is done, and so
        // outlives the process at least.
        void sync() {
            sync_is_due = false;
            if (!broken && ::fdatasync(file.get()) != 0) give_up();
        }

        void rewrite(const std::vector<Record>& records) {
            if (broken) return;
            const bool is_empty = ::ftruncate(file.get(), 0) == 0;
            if (!is_empty || !append(records) || ::fdatasync(file.get()) != 0) give_up();
        }

        bool append(const std::vector<Record>& records) {
            std::string text;
            text.reserve(records.size() * kRecord);
            for (const Record& record : records) {
                const Bytes bytes = written(names, record);
                text.append(bytes.data(), bytes.size());
            }
            return write_all(file.get(), text);
        }

        // What it says could be of the past from now on: it says nothing.
        void give_up() {
            if (broken.exchange(true)) return;
            log.warn("{}. Who may read what is cached is remembered until hawkerd ends.",
                     failed("write", path).what);
            if (::ftruncate(file.get(), 0) != 0) (void)::unlink(path.c_str());
        }

        const UniqueFd file;  // O_APPEND
        const std::filesystem::path path;
        const KeyedHash names;
        Executor& pool;
        const Log& log;
        std::atomic<bool> broken = false;
        std::atomic<bool> sync_is_due = false;
        std::mutex mutex;
        // Not written yet: what the file is to begin with from now on, and what comes behind.
        std::optional<std::vector<Record>> anew;
        std::vector<Record> noted;
        std::size_t length = 0;
    };

    std::shared_ptr<State> state_;
    Strand strand_;
};

}  // namespace

Expected<std::unique_ptr<AccessJournal>> AccessJournal::open(const std::filesystem::path& directory,
                                                             Executor& pool, const Log& log) {
    auto names = key_in(directory / "access.key");
    if (!names) return fail(std::move(names.error()));
    const std::filesystem::path path = directory / "access";
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return fail(failed("open", path));
    return std::make_unique<FileJournal>(std::move(file), path, *names, pool, log);
}

}  // namespace hawker::proxy
