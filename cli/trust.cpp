#include "cli/trust.h"

#include "cli/shell.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::cli {

namespace {

// One way to trust. In the lines, {sudo}, {ca} and {bundle} are filled in. An interactive zsh reads
// comments as commands, so they hold nothing that a shell would act on.
struct Way {
    std::string_view client;
    std::string_view why;
    std::string_view lines;
    bool needs_bundle = true;
    bool is_dockerfile = false;
};

constexpr std::array kWays = {
    Way{.client = "git",
        .why = "git and git-lfs: http.sslCAInfo replaces what the system trusts.",
        .lines = "git config --global http.sslCAInfo {bundle}\n"},
    Way{.client = "curl",
        .why = "curl: CURL_CA_BUNDLE replaces what it was built with.",
        .lines = "export CURL_CA_BUNDLE={bundle}\n"},
    Way{.client = "python",
        .why = "Python: requests brings authorities of its own and reads REQUESTS_CA_BUNDLE, "
               "while ssl, httpx and aiohttp read SSL_CERT_FILE. Both replace.",
        .lines = "export REQUESTS_CA_BUNDLE={bundle}\nexport SSL_CERT_FILE={bundle}\n"},
    Way{.client = "pip",
        .why = "pip: brings authorities of its own, which PIP_CERT replaces.",
        .lines = "export PIP_CERT={bundle}\n"},
    Way{.client = "huggingface_hub",
        .why = "huggingface_hub: built on requests up to 0.x, on httpx from 1.0 on.",
        .lines = "export REQUESTS_CA_BUNDLE={bundle}\nexport SSL_CERT_FILE={bundle}\n"},
    Way{.client = "node",
        .why = "Node.js: brings authorities of its own, NODE_EXTRA_CA_CERTS adds to them.",
        .lines = "export NODE_EXTRA_CA_CERTS={bundle}\n"},
    Way{.client = "go",
        .why = "Go: reads the system store, on Linux SSL_CERT_FILE replaces it.",
        .lines = "export SSL_CERT_FILE={bundle}\n"},
    Way{.client = "java",
        .why = "Java 9 and later: brings a store of its own, this adds to it.",
        .lines = "{sudo}keytool -importcert -noprompt -trustcacerts -cacerts -storepass changeit "
                 "-alias hawker -file {ca}\n",
        .needs_bundle = false},
    Way{.client = "docker",
        .why = "docker: the daemon pulls with the system store, read at its start. A container "
               "has a store of its own: give it this one.",
        .lines = "{sudo}systemctl restart docker\n"
                 "docker run --rm -v {bundle}:/etc/ssl/certs/ca-certificates.crt:ro IMAGE\n"},
    Way{.client = "containerd",
        .why = "containerd: pulls with the system store, read at its start.",
        .lines = "{sudo}systemctl restart containerd\n",
        .needs_bundle = false},
    Way{.client = "podman",
        .why = "podman: pulls with the system store. A container has a store of its own: give it "
               "this one.",
        .lines = "podman run --rm -v {bundle}:/etc/ssl/certs/ca-certificates.crt:ro IMAGE\n"},
    Way{.client = "dockerfile",
        .why =
            "A Dockerfile for Debian, Ubuntu or Alpine, beside a file hawker.crt that hawker ca "
            "show --pem has printed. Good before and after the package ca-certificates is there.",
        .lines = "COPY hawker.crt /usr/local/share/ca-certificates/hawker.crt\n"
                 "RUN mkdir -p /etc/ssl/certs && cat /usr/local/share/ca-certificates/hawker.crt "
                 ">> /etc/ssl/certs/ca-certificates.crt\n"
                 "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "
                 "REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt "
                 "NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/hawker.crt\n",
        .needs_bundle = false,
        .is_dockerfile = true},
};

constexpr std::string_view kSystem = "system";
constexpr std::string_view kContainers = "containers";
constexpr std::array<std::string_view, 4> kContainerClients = {"docker", "containerd", "podman",
                                                               "dockerfile"};

class Paper {
public:
    explicit Paper(const TrustQuestion& question)
        : question_(question),
          sudo_(question.is_root ? "" : "sudo "),
          ca_(shell_word(std::filesystem::absolute(question.authority.certificate).native())),
          bundle_(shell_word(std::filesystem::absolute(question.bundle).native())) {}

    std::string take() { return std::move(text_); }

    void title() {
        text_ += fmt::format("# The authority with SHA-256 {}\n",
                             question_.authority.description.fingerprint);
    }

    void system() {
        const TrustStore& store = question_.store;
        if (store.lines.empty()) {
            text_ += fmt::format(
                "\n# This system is not known here: add the certificate to its "
                "authorities as its manual says.\n# {}\n",
                ca_);
            return;
        }
        text_ += fmt::format(
            "\n# The system store of {}: for all that brings no authorities of "
            "its own.\n",
            store.family);
        for (const std::string& line : store.lines) text_ += sudo_ + filled(line) + '\n';
    }

    void bundle() {
        const auto folder = std::filesystem::absolute(question_.bundle).parent_path();
        text_ += fmt::format(
            "\n# The bundle: what the system trusts and our authority in one file, because most "
            "settings\n# replace what a client trusted before. Again when the system has changed.\n"
            "mkdir -p {}\n",
            shell_word(folder.native()));
        text_ += fmt::format("cat {0} {1} > {2} && chmod 644 {2}\n",
                             shell_word(question_.store.bundle), ca_, bundle_);
    }

    // A Dockerfile's lines among a shell's are commented out, and so is what stops containers that
    // nobody spoke of.
    void way(const Way& way, bool is_alone) {
        text_ += fmt::format("\n# {}\n", way.why);
        std::string lines = filled(way.lines);
        const bool is_unasked =
            question_.clients.empty() &&
            std::ranges::find(kContainerClients, way.client) != kContainerClients.end();
        if ((way.is_dockerfile && !is_alone) || is_unasked)
            for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1)
                lines.insert(at, "#   ");
        text_ += lines;
    }

private:
    std::string filled(std::string_view line) const {
        return fmt::format(fmt::runtime(line), fmt::arg("sudo", sudo_), fmt::arg("ca", ca_),
                           fmt::arg("bundle", bundle_));
    }

    const TrustQuestion& question_;
    const std::string sudo_, ca_, bundle_;
    std::string text_;
};

// `containers` is short for four; nothing at all for everything.
Expected<std::vector<std::string_view>> wanted_clients(const std::vector<std::string>& asked) {
    const std::vector<std::string> known = known_clients();
    std::vector<std::string_view> wanted;
    for (const std::string& client : asked) {
        if (std::ranges::find(known, client) == known.end())
            return fail(Errc::invalid, fmt::format("--for {}: not known; there are {}", client,
                                                   fmt::join(known, ", ")));
        if (client == kContainers)
            wanted.insert(wanted.end(), kContainerClients.begin(), kContainerClients.end());
        else
            wanted.push_back(client);
    }
    if (!asked.empty()) return wanted;
    wanted.push_back(kSystem);
    for (const Way& way : kWays) wanted.push_back(way.client);
    return wanted;
}

}  // namespace

std::vector<std::string> known_clients() {
    std::vector<std::string> names = {std::string(kSystem)};
    for (const Way& way : kWays) names.emplace_back(way.client);
    names.emplace_back(kContainers);
    return names;
}

Expected<std::string> trust_lines(const TrustQuestion& question) {
    const auto wanted = wanted_clients(question.clients);
    if (!wanted) return fail(wanted.error());
    const auto is_wanted = [&wanted](std::string_view client) {
        return std::ranges::find(*wanted, client) != wanted->end();
    };
    Paper paper(question);
    paper.title();
    if (is_wanted(kSystem)) paper.system();
    if (std::ranges::any_of(kWays, [&is_wanted](const Way& way) {
            return way.needs_bundle && is_wanted(way.client);
        }))
        paper.bundle();
    for (const Way& way : kWays)
        if (is_wanted(way.client)) paper.way(way, wanted->size() == 1);
    return paper.take();
}

std::filesystem::path default_bundle(bool is_root) {
    if (is_root) return "/usr/local/share/hawker/ca-bundle.pem";
    const char* const state = std::getenv("XDG_STATE_HOME");
    if (state && *state == '/') return std::filesystem::path(state) / "hawker/ca-bundle.pem";
    const char* const home = std::getenv("HOME");
    return std::filesystem::path(home ? home : "/tmp") / ".local/state/hawker/ca-bundle.pem";
}

}  // namespace hawker::cli
