#include "cli/intercepted.h"

#include "base/unique_fd.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hawker::cli {

namespace {

constexpr int kNotLiteral = 3;  // of hawkerd --print-intercepted
constexpr const char* kMachinesConfig = "/etc/hawker/hawker.yaml";

struct Finished {
    int code = 0;
    std::string output;  // both streams
};

std::string hawkerd() {
    std::error_code problem;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", problem);
    const auto beside = self.parent_path() / "hawkerd";
    if (!problem && std::filesystem::exists(beside, problem)) return beside.native();
    return "hawkerd";
}

std::string read_to_the_end(int fd) {
    std::string text;
    std::array<char, 4096> chunk{};
    while (true) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno != EINTR)) return text;
    }
}

Expected<Finished> run(std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(system_error(errno, "make a pipe"));
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDERR_FILENO);
    pid_t child = 0;
    const int problem =
        ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (problem != 0) return fail(system_error(problem, fmt::format("run {}", words.front())));
    writing.reset();
    Finished finished;
    finished.output = read_to_the_end(reading.get());
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return finished;
}

// "hawkerd: a sentence\n" -> "a sentence"
std::string sentence(std::string text) {
    constexpr std::string_view kStart = "hawkerd: ";
    if (text.starts_with(kStart)) text.erase(0, kStart.size());
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

Expected<std::vector<std::string>> intercepted_domains(const std::filesystem::path& config) {
    std::vector<std::string> words = {hawkerd(), "--print-intercepted"};
    const bool is_elsewhere = !config.empty() || std::getenv("HAWKER_CONFIG") != nullptr;
    if (!config.empty())
        words.push_back("--config=" + config.native());
    else if (!is_elsewhere && std::filesystem::exists(kMachinesConfig))
        words.push_back(fmt::format("--config={}", kMachinesConfig));
    auto finished = run(std::move(words));
    if (!finished)
        return fail(Errc::not_found,
                    fmt::format("`hawker ca init --permit DOMAIN...` names the domains to "
                                "intercept, `--permit-any` all: hawkerd, which could be asked, is "
                                "not there ({})",
                                finished.error().what));
    if (finished->code == kNotLiteral)
        return fail(Errc::unsupported, sentence(std::move(finished->output)));
    if (finished->code != 0) return fail(Errc::invalid, sentence(std::move(finished->output)));
    std::vector<std::string> domains;
    std::istringstream lines(finished->output);
    for (std::string line; std::getline(lines, line);) domains.push_back(std::move(line));
    return domains;
}

}  // namespace hawker::cli
