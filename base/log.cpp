#include "base/log.h"

#include <mutex>
#include <utility>
#include <vector>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

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

std::string escape(std::string_view text, LogFormat format) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7F)
            out += fmt::format("\\u{:04x}", byte);
        else if (format == LogFormat::json && (c == '"' || c == '\\'))
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

// spdlog's own file sink closes before it opens and takes no lock while it does: a line that is
// written meanwhile would meet a file that is not there.
class LogFile final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit LogFile(std::string name) : name_(std::move(name)) { file_ = open(); }

    // Throws spdlog_ex when the file cannot be opened; then the old one goes on being written.
    void reopen() {
        auto fresh = open();
        const std::scoped_lock lock(mutex_);
        file_ = std::move(fresh);
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t text;
        formatter_->format(message, text);
        file_->write(text);
    }
    void flush_() override { file_->flush(); }

private:
    std::unique_ptr<spdlog::details::file_helper> open() const {
        auto file = std::make_unique<spdlog::details::file_helper>();
        file->open(name_);
        return file;
    }

    const std::string name_;
    std::unique_ptr<spdlog::details::file_helper> file_;  // guarded by base_sink::mutex_
};

}  // namespace

// Loggers and sinks are made once and stay: whoever logs needs no lock to find them.
struct Log::State {
    LogFormat format = LogFormat::text;
    std::vector<std::shared_ptr<LogFile>> files;  // what reopen() opens; none for standard error
    // Members are destroyed from the last up: the writing thread writes what is queued and is
    // joined, before the loggers and sinks that it uses go.
    std::shared_ptr<spdlog::logger> messages;
    std::shared_ptr<spdlog::logger> lines;
    std::shared_ptr<spdlog::details::thread_pool> writer;

    std::shared_ptr<spdlog::logger> make_logger(const LogOptions& options, const char* name,
                                                const std::string& pattern) {
        std::shared_ptr<spdlog::sinks::sink> sink;
        if (options.file.empty())
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        else
            sink = files.emplace_back(std::make_shared<LogFile>(options.file));
        sink->set_pattern(pattern);
        auto logger = std::make_shared<spdlog::async_logger>(
            name, std::move(sink), writer, spdlog::async_overflow_policy::overrun_oldest);
        logger->flush_on(spdlog::level::info);
        return logger;
    }
};

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Expected<std::unique_ptr<Log>> Log::open(const LogOptions& options) try {
    auto state = std::make_unique<State>();
    state->format = options.format;
    state->writer = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
    state->messages =
        state->make_logger(options, "hawker", std::string(pattern_of(options.format)));
    state->lines = state->make_logger(options, "access", "%v");
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
    for (const auto& file : state_->files) file->reopen();
    return {};
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

void Log::set_level(LogLevel level) { state_->messages->set_level(to_spdlog(level)); }

bool Log::enabled(LogLevel level) const { return state_->messages->should_log(to_spdlog(level)); }
LogFormat Log::format() const { return state_->format; }

void Log::write(LogLevel level, std::string_view text) const {
    state_->messages->log(to_spdlog(level), escape(text, state_->format));
}

void Log::line(std::string_view text) const { state_->lines->log(spdlog::level::info, text); }

}  // namespace hawker
