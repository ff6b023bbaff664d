#include "base/log.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>

namespace hawker {

namespace {

constexpr std::size_t kQueuedLines = 8192;

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

// Where lines go. They are gathered while more of them wait, and written when the last of those is
// here: a busy proxy's lines cost few system calls, and no line of a quiet one waits.
class Outlet {
public:
    // Standard error when `name` is empty. Throws spdlog_ex when the file cannot be opened.
    explicit Outlet(std::string name) : name_(std::move(name)) { file_ = open(); }
    ~Outlet() {
        try {
            write_out();
        } catch (const spdlog::spdlog_ex&) {  // NOLINT: nobody is left to tell
        }
    }
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    // Comes back a little later when it has written: meanwhile lines queue up for the next time,
    // and nobody who queues one has to wake the writing thread.
    void take(std::string_view text, std::size_t waiting) {
        {
            const std::scoped_lock lock(mutex_);
            gathered_.append(text.data(), text.data() + text.size());
            if (waiting != 0 && gathered_.size() < kGathered) return;
            write_out();
        }
        if (waiting == 0) std::this_thread::sleep_for(kPause);
    }

    // Throws spdlog_ex when the file cannot be opened; then the old one goes on being written.
    // spdlog's own file sink closes before it opens and takes no lock while it does: a line that is
    // written meanwhile would meet a file that is not there.
    void reopen() {
        auto fresh = open();
        const std::scoped_lock lock(mutex_);
        write_out();
        file_ = std::move(fresh);
    }

private:
    static constexpr std::size_t kGathered = 64UL * 1024;
    static constexpr std::chrono::milliseconds kPause{2};

    std::unique_ptr<spdlog::details::file_helper> open() const {
        if (name_.empty()) return nullptr;
        auto file = std::make_unique<spdlog::details::file_helper>();
        file->open(name_);
        return file;
    }
    void write_out() {
        if (gathered_.size() == 0) return;
        const spdlog::memory_buf_t text =
            std::move(gathered_);  // gone, also when it cannot be written
        gathered_.clear();
        if (file_) {
            file_->write(text);
            file_->flush();
        } else {
            (void)std::fwrite(text.data(), 1, text.size(), stderr);
        }
    }

    const std::string name_;
    std::mutex mutex_;
    spdlog::memory_buf_t gathered_;
    std::unique_ptr<spdlog::details::file_helper> file_;
};

// One form of line into an outlet. Only the writing thread logs through it.
class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    LineSink(Outlet& outlet, spdlog::details::thread_pool& writer)
        : outlet_(outlet), writer_(writer) {}

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t text;
        formatter_->format(message, text);
        outlet_.take(std::string_view(text.data(), text.size()), writer_.queue_size());
    }
    void flush_() override {}

private:
    Outlet& outlet_;
    spdlog::details::thread_pool& writer_;
};

}  // namespace

// Loggers and sinks are made once and stay: whoever logs needs no lock to find them.
struct Log::State {
    LogFormat format = LogFormat::text;
    std::unique_ptr<Outlet> outlet;
    // Members are destroyed from the last up: the writing thread writes what is queued and is
    // joined, before the loggers and sinks that it uses go.
    std::shared_ptr<spdlog::logger> messages;
    std::shared_ptr<spdlog::logger> lines;
    std::shared_ptr<spdlog::details::thread_pool> writer;

    std::shared_ptr<spdlog::logger> make_logger(const char* name, const std::string& pattern) {
        auto sink = std::make_shared<LineSink>(*outlet, *writer);
        sink->set_pattern(pattern);
        return std::make_shared<spdlog::async_logger>(
            name, std::move(sink), writer, spdlog::async_overflow_policy::overrun_oldest);
    }
};

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Expected<std::unique_ptr<Log>> Log::open(const LogOptions& options) try {
    auto state = std::make_unique<State>();
    state->format = options.format;
    state->writer = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
    state->outlet = std::make_unique<Outlet>(options.file);
    state->messages = state->make_logger("hawker", std::string(pattern_of(options.format)));
    state->lines = state->make_logger("access", "%v");
    state->messages->set_level(to_spdlog(options.level));
    return std::unique_ptr<Log>(new Log(std::move(state)));  // NOLINT: the constructor is private
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

std::unique_ptr<Log> Log::silent() {
    auto state = std::make_unique<State>();
    const auto nowhere = std::make_shared<spdlog::sinks::null_sink_mt>();
    state->messages = std::make_shared<spdlog::logger>("hawker", nowhere);
    state->lines = state->messages;
    state->messages->set_level(spdlog::level::off);
    return std::unique_ptr<Log>(new Log(std::move(state)));  // NOLINT: the constructor is private
}

Expected<void> Log::reopen() try {
    if (state_->outlet) state_->outlet->reopen();
    return {};
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

void Log::set_level(LogLevel level) { state_->messages->set_level(to_spdlog(level)); }

bool Log::enabled(LogLevel level) const { return state_->messages->should_log(to_spdlog(level)); }
LogFormat Log::format() const { return state_->format; }

void Log::write(LogLevel level, std::string_view text) const {
    const auto is_plain = [this](char c) {
        return is_printable(c) && !needs_backslash(c, state_->format);
    };
    if (std::ranges::all_of(text, is_plain))
        state_->messages->log(to_spdlog(level), text);
    else
        state_->messages->log(to_spdlog(level), escape(text, state_->format));
}

void Log::line(std::string_view text) const { state_->lines->log(spdlog::level::info, text); }

}  // namespace hawker
