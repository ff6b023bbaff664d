#include "base/log.h"

#include "base/line_queue.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/details/file_helper.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

namespace hawker {

namespace {

// 4 MiB of lines.
constexpr std::size_t kMostBlocks = 64;
// Of a queued line: it stands by itself. Other kinds are the LogLevel of a message.
constexpr std::uint8_t kComplete = 255;

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

bool is_printable(char c) { return c >= 0x20 && c < 0x7F; }
bool needs_backslash(char c, LogFormat format) {
    return format == LogFormat::json && (c == '"' || c == '\\');
}

std::string escape(std::string_view text, LogFormat format) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (!is_printable(c))
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else if (needs_backslash(c, format))
            (out += '\\') += c;
        else
            out += c;
    }
    return out;
}

std::string_view pattern_of(LogFormat format) {
    if (format == LogFormat::json)
        return R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l","message":"%v"})";
    return "%Y-%m-%dT%H:%M:%S.%e%z %-5l %v";
}

// Where lines go, as they are.
class Outlet {
public:
    // Standard error when `name` is empty. Throws spdlog_ex when the file cannot be opened.
    explicit Outlet(std::string name) : name_(std::move(name)) { file_ = open(); }

    // Throws spdlog_ex when the file cannot be written.
    void write(const spdlog::memory_buf_t& text) {
        const std::scoped_lock lock(mutex_);
        if (file_) {
            file_->write(text);
            file_->flush();
        } else {
            (void)std::fwrite(text.data(), 1, text.size(), stderr);
        }
    }

    // Throws spdlog_ex when the file cannot be opened; then the old one goes on being written.
    // spdlog's own file sink closes before it opens and takes no lock while it does: a line that is
    // written meanwhile would meet a file that is not there.
    void reopen() {
        auto fresh = open();
        const std::scoped_lock lock(mutex_);
        file_ = std::move(fresh);
    }

private:
    std::unique_ptr<spdlog::details::file_helper> open() const {
        if (name_.empty()) return nullptr;
        auto file = std::make_unique<spdlog::details::file_helper>();
        file->open(name_);
        return file;
    }

    const std::string name_;
    std::mutex mutex_;
    std::unique_ptr<spdlog::details::file_helper> file_;
};

// The thread that writes: it takes all lines that are there, gives them their form, and writes them
// at once. A busy proxy's lines cost few system calls, and no line of a quiet one waits.
class Writer {
public:
    explicit Writer(const LogOptions& options)
        : format_(options.format),
          outlet_(options.file),
          formatter_(std::string(pattern_of(options.format))),
          thread_([this] { run(); }) {}
    ~Writer() {
        queue_.stop();
        thread_.join();
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void push(std::uint8_t kind, std::string_view text) {
        queue_.push(QueuedLine(std::chrono::system_clock::now(), kind, text));
    }
    void reopen() { outlet_.reopen(); }

private:
    // After it has written all it comes back a little later: meanwhile lines queue up for the next
    // time, and nobody who queues one has to wake this thread.
    static constexpr std::chrono::milliseconds kPause{2};

    void run() {
        spdlog::memory_buf_t text;
        for (LineBlock block; queue_.take(block);) {
            text.clear();
            while (const auto line = block.next()) append(text, *line);
            write(text);
            if (queue_.empty()) std::this_thread::sleep_for(kPause);
        }
    }

    void append(spdlog::memory_buf_t& out, const QueuedLine& line) {
        if (line.kind == kComplete) {
            out.append(line.text);
            out.push_back('\n');
            return;
        }
        const auto is_plain = [this](char c) {
            return is_printable(c) && !needs_backslash(c, format_);
        };
        std::string escaped;
        std::string_view text = line.text;
        if (!std::ranges::all_of(text, is_plain)) text = escaped = escape(text, format_);
        formatter_.format(
            spdlog::details::log_msg(line.time, spdlog::source_loc(), "hawker",
                                     to_spdlog(static_cast<LogLevel>(line.kind)), text),
            out);
    }

    // There is nobody to tell but standard error: once, until it goes well again.
    void write(const spdlog::memory_buf_t& text) {
        try {
            outlet_.write(text);
            failing_ = false;
        } catch (const spdlog::spdlog_ex& problem) {
            if (!std::exchange(failing_, true))
                (void)std::fprintf(stderr, "log.file: %s\n", problem.what());
        }
    }

    const LogFormat format_;
    LineQueue queue_{kMostBlocks};
    Outlet outlet_;
    spdlog::pattern_formatter formatter_;
    bool failing_ = false;
    std::thread thread_;
};

}  // namespace

struct Log::State {
    LogFormat format = LogFormat::text;
    std::atomic<LogLevel> level = LogLevel::off;
    std::unique_ptr<Writer> writer;  // null: silent
};

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Expected<std::unique_ptr<Log>> Log::open(const LogOptions& options) try {
    auto state = std::make_unique<State>();
    state->format = options.format;
    state->level = options.level;
    state->writer = std::make_unique<Writer>(options);
    return std::unique_ptr<Log>(new Log(std::move(state)));  // NOLINT: the constructor is private
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

std::unique_ptr<Log> Log::silent() {
    return std::unique_ptr<Log>(
        new Log(std::make_unique<State>()));  // NOLINT: the constructor is private
}

Expected<void> Log::reopen() try {
    if (state_->writer) state_->writer->reopen();
    return {};
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

void Log::set_level(LogLevel level) { state_->level.store(level, std::memory_order_relaxed); }

bool Log::enabled(LogLevel level) const {
    return level >= state_->level.load(std::memory_order_relaxed);
}
LogFormat Log::format() const { return state_->format; }

void Log::write(LogLevel level, std::string_view text) const {
    if (state_->writer && enabled(level))
        state_->writer->push(static_cast<std::uint8_t>(level), text);
}

void Log::line(std::string_view text) const {
    if (state_->writer) state_->writer->push(kComplete, text);
}

}  // namespace hawker
