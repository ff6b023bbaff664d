#include "base/log.h"

#include <array>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
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
        if (byte < 0x20 || byte == 0x7F)
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

}  // namespace

struct Log::State {
    LogOptions options;
    // Members are destroyed from the last up: the loggers let go before the pool that writes for
    // them ends.
    std::shared_ptr<spdlog::details::thread_pool> writer;
    std::shared_ptr<spdlog::sinks::sink> sink;
    std::shared_ptr<spdlog::sinks::sink> plain_sink;
    std::shared_ptr<spdlog::async_logger> messages;
    std::shared_ptr<spdlog::async_logger> lines;
};

namespace {

std::shared_ptr<spdlog::sinks::sink> make_sink(const std::string& file) {
    if (file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
}

}  // namespace

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Expected<std::unique_ptr<Log>> Log::open(const LogOptions& options) try {
    auto state = std::make_unique<State>();
    state->options = options;
    state->writer = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
    auto log =
        std::unique_ptr<Log>(new Log(std::move(state)));  // NOLINT: the constructor is private
    log->reopen();
    return log;
} catch (const spdlog::spdlog_ex& problem) {
    return fail(Errc::not_found, fmt::format("log.file: {}", problem.what()));
}

std::unique_ptr<Log> Log::silent() {
    LogOptions options;
    options.level = LogLevel::off;
    return std::move(*open(options));
}

void Log::reopen() {
    State& state = *state_;
    constexpr auto kOverflow = spdlog::async_overflow_policy::overrun_oldest;
    state.sink = make_sink(state.options.file);
    state.sink->set_pattern(std::string(pattern_of(state.options.format)));
    state.plain_sink = make_sink(state.options.file);
    state.plain_sink->set_pattern("%v");
    state.messages =
        std::make_shared<spdlog::async_logger>("hawker", state.sink, state.writer, kOverflow);
    state.lines =
        std::make_shared<spdlog::async_logger>("access", state.plain_sink, state.writer, kOverflow);
    for (const auto& logger : {state.messages, state.lines}) logger->flush_on(spdlog::level::info);
    set_level(state.options.level);
}

void Log::set_level(LogLevel level) {
    state_->options.level = level;
    state_->messages->set_level(to_spdlog(level));
}

bool Log::enabled(LogLevel level) const { return state_->messages->should_log(to_spdlog(level)); }
LogFormat Log::format() const { return state_->options.format; }

void Log::write(LogLevel level, std::string text) const {
    state_->messages->log(to_spdlog(level), escape(text, state_->options.format));
}

void Log::line(std::string text) const { state_->lines->log(spdlog::level::info, text); }

}  // namespace hawker
