#include "cli/ca.h"

#include "certificates/authority.h"
#include "cli/shell.h"

#include <array>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hawker::cli {

namespace {

constexpr const char* kMachinesDirectory = "/var/lib/hawker/ca";
constexpr std::size_t kLongestName = 64;

std::string day(WallTime time) {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string named_after_this_machine() {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) return "hawker CA";
    return fmt::format("hawker CA on {}", host.data()).substr(0, kLongestName);
}

std::string vouches_for(const certificates::Description& description) {
    if (description.permitted_domains.empty()) return "any host";
    return fmt::format("{}, and what is below; for nothing else",
                       fmt::join(description.permitted_domains, ", "));
}

std::string details(const FoundAuthority& found) {
    const certificates::Description& its = found.description;
    return fmt::format(
        "subject      {}\n"
        "certificate  {}\n"
        "SHA-256      {}\n"
        "valid        {} to {}\n"
        "vouches for  {}\n",
        its.subject, found.certificate.native(), its.fingerprint, day(its.not_before),
        day(its.not_after), vouches_for(its));
}

}  // namespace

Expected<std::string> init_authority(NewAuthority order, WallTime now) {
    if (order.directory.empty()) order.directory = certificates::default_authority_directory();
    certificates::AuthorityOptions options;
    options.common_name = order.name.empty() ? named_after_this_machine() : order.name;
    options.permitted_domains = std::move(order.permitted_domains);
    options.validity = std::chrono::days(order.days);
    const auto authority = certificates::Authority::create(options, now);
    if (!authority) return fail(authority.error());
    if (auto saved = (*authority)->save(order.directory); !saved)
        return fail(std::move(saved).error());
    const Place place{.directory = order.directory, .certificate = {}};
    const auto found = find_authority(place);
    if (!found) return fail(found.error());
    const bool is_default = order.directory == certificates::default_authority_directory();
    std::string text = details(*found);
    text +=
        fmt::format("key          {} (give it to nobody)\n", (order.directory / "ca.key").native());
    if (!order.why_unconstrained.empty())
        text += fmt::format(
            "It may vouch for any host, because {}. To constrain it, move ca.key "
            "and ca.pem away and run: hawker ca init --permit DOMAIN...\n",
            order.why_unconstrained);
    const std::string directory =
        is_default ? "" : fmt::format(" --directory {}", shell_word(order.directory.native()));
    text += fmt::format(
        "\nNext:\n"
        "  hawker ca trust{}    # the lines that make clients trust it\n"
        "  eval \"$(hawker env{})\"    # proxy and CA variables for this shell\n"
        "and let hawkerd read the authority: systemctl reload hawkerd, or start it again.\n",
        directory, directory);
    return text;
}

Expected<FoundAuthority> find_authority(const Place& place) {
    FoundAuthority found;
    found.certificate = place.certificate;
    const bool is_anywhere = place.certificate.empty() && place.directory.empty();
    if (found.certificate.empty())
        found.certificate = certificates::certificate_in(
            is_anywhere ? certificates::default_authority_directory() : place.directory);
    auto description = certificates::describe(found.certificate);
    if (!description && description.error().code == Errc::not_found && is_anywhere) {
        found.certificate = certificates::certificate_in(kMachinesDirectory);
        description = certificates::describe(found.certificate);
    }
    if (!description && description.error().code == Errc::not_found)
        return fail(
            Errc::not_found,
            fmt::format("there is no certificate authority at {}: on the proxy's machine "
                        "`hawker ca init` makes one; on a client give a copy with "
                        "--certificate FILE, as `sudo hawker ca show --pem` prints it there",
                        found.certificate.native()));
    if (!description)
        return fail(
            description.error().code,
            fmt::format("{}; a copy will do: --certificate FILE, as `sudo hawker ca show --pem` "
                        "prints it",
                        description.error().what));
    found.description = std::move(*description);
    return found;
}

Expected<std::string> show_authority(const Place& place, Form form) {
    const auto found = find_authority(place);
    if (!found) return fail(found.error());
    const certificates::Description& its = found->description;
    if (form == Form::pem) return its.pem;
    if (form == Form::people) return details(*found);
    const nlohmann::json json = {
        {"subject", its.subject},
        {"certificate", found->certificate.native()},
        {"sha256", its.fingerprint},
        {"not_before", std::chrono::system_clock::to_time_t(its.not_before)},
        {"not_after", std::chrono::system_clock::to_time_t(its.not_after)},
        {"permitted_domains", its.permitted_domains}};
    return json.dump(2) + '\n';
}

}  // namespace hawker::cli
