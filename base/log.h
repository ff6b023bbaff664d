// What the daemon says. Nothing secret is ever handed to it: URLs pass through filters/ redaction
// first.
//
// Thread: any. Lines go through a bounded queue to one writing thread; when it is full the oldest
// lines are lost, never a loop's time. Lines are escaped: a control byte or a newline inside a
// value cannot forge a line.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace hawker {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::string file;  // empty: standard error
};

class Log {
public:
    // Errc::not_found or exhausted when the file cannot be opened.
    static Expected<std::unique_ptr<Log>> open(const LogOptions& options);
    // Says nothing; for tests.
    static std::unique_ptr<Log> silent();

    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log();

    template <typename... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::debug))
            write(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::info))
            write(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::warn))
            write(LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::error))
            write(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
    }
    // The same of a text that is put together already.
    void write(LogLevel level, std::string_view text) const;

    bool enabled(LogLevel level) const;
    LogFormat format() const;
    void set_level(LogLevel level);
    // Writes a line that is complete by itself (one JSON object), without prefix or escaping; for
    // the access log.
    void line(std::string_view text) const;
    // Opens the file again under its name, after it was rotated away. When that fails, lines still
    // go where they went. Any thread, while others log.
    Expected<void> reopen();

private:
    struct State;
    explicit Log(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawker
