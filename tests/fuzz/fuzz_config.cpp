// The configuration file.
//
// Properties: a file is good or refused with its name and a line, never a crash; reading it twice
// gives the same; every option that it sets is in the table.
#include "daemon/config_file.h"
#include "require.h"

#include <algorithm>

namespace {

using namespace hawker;
using namespace hawker::daemon;
using hawker::fuzz::require;

constexpr std::size_t kLargest = 16UL * 1024;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kLargest) return 0;
    const std::string text(fuzz::text_of(data, size));
    const auto file = parse_config(text, "fuzz.yaml");
    if (!file) {
        require(file.error().code == Errc::invalid, "a file that is refused is invalid");
        require(file.error().what.starts_with("fuzz.yaml:"), "a refusal names the file");
        return 0;
    }
    const auto again = parse_config(text, "fuzz.yaml");
    require(again && again->assignments.size() == file->assignments.size(),
            "a file that is good is good again");
    for (const Assignment& each : file->assignments)
        require(find_option(each.key) != nullptr, "what is set is an option");
    const auto options = Options::resolve(file->assignments);
    if (!options)
        require(options.error().what.find("fuzz.yaml:") != std::string::npos,
                "a value that is refused names its place");
    return 0;
}
