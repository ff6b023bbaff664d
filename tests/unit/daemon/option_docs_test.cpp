#include "daemon/option_docs.h"

#include "daemon/config_file.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// "#max_size: 100GiB", but no "# text".
bool is_commented_option(std::string_view text) {
    const std::size_t colon = text.find(": ");
    if (!text.starts_with('#') || colon == std::string_view::npos) return false;
    const std::string_view name = text.substr(1, colon - 1);
    return !name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

// As somebody would who takes the '#' away from every option.
std::string with_options_uncommented(const std::string& text) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const std::size_t indent = line.find_first_not_of(' ');
        if (indent != std::string::npos &&
            is_commented_option(std::string_view(line).substr(indent)))
            line.erase(indent, 1);
        out += line + '\n';
    }
    return out;
}

TEST(DefaultConfig, SaysNothingUntilALineIsUncommented) {
    const auto file = parse_config(default_config(), "hawker.yaml");
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_THAT(file->assignments, SizeIs(0));
}

TEST(DefaultConfig, UncommentedItSetsEveryOptionToItsDefault) {
    const auto file = parse_config(with_options_uncommented(default_config()), "hawker.yaml");
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_THAT(file->assignments, SizeIs(option_table().size()));
    const auto written = Options::resolve(file->assignments);
    ASSERT_TRUE(written) << written.error().what;
    const auto defaults = Options::resolve({});
    for (const Option& option : option_table())
        EXPECT_EQ(written->value(option.key), defaults->value(option.key)) << option.key;
}

TEST(DefaultConfig, FitsIntoTheLine) {
    std::istringstream in(default_config() + options_markdown());
    for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 130U) << line;
}

TEST(OptionsMarkdown, HasEveryOption) {
    const std::string page = options_markdown();
    for (const Option& option : option_table()) {
        EXPECT_THAT(page, HasSubstr("### `" + std::string(option.key) + "`"));
        EXPECT_THAT(page, HasSubstr(environment_name(option.key)));
    }
}

TEST(EffectiveConfig, NamesValueAndPlace) {
    const std::vector<Assignment> assignments = {Assignment("threads", {"3"}, "hawker.yaml:7")};
    const std::string text = effective_config(*Options::resolve(assignments));
    EXPECT_THAT(text, testing::ContainsRegex("threads = 3 +# hawker.yaml:7\n"));
    EXPECT_THAT(text, testing::ContainsRegex("cache.max_size = 100GiB +# default\n"));
}

}  // namespace
}  // namespace hawker::daemon
