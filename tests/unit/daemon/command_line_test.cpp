#include "daemon/command_line.h"

#include "base/nearest_word.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::expected<CommandLine, Leave> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "hawkerd");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, ServesUnlessToldOtherwise) {
    EXPECT_EQ(parse({})->errand, Errand::serve);
    EXPECT_EQ(parse({"--check"})->errand, Errand::check);
    EXPECT_EQ(parse({"--print-config"})->errand, Errand::print_config);
    EXPECT_EQ(parse({"--explain", "http://a/", "--tag", "t"})->errand, Errand::explain);
    EXPECT_EQ(parse({"--explain", "http://a/", "--tag", "t"})->tag, "t");
    EXPECT_TRUE(parse({"--welcome"})->welcome);
}

TEST(CommandLine, EveryRowIsAFlag) {
    const auto line = parse({"--cache.max_size=2GiB", "--threads", "3"});
    ASSERT_TRUE(line);
    ASSERT_THAT(line->assignments, SizeIs(2));
    const auto options = Options::resolve(line->assignments);
    ASSERT_TRUE(options) << options.error().what;
    EXPECT_EQ(options->size("cache.max_size"), 2ULL << 30U);
    EXPECT_EQ(options->where("threads"), "flag --threads");
}

TEST(CommandLine, AListMayBeGivenSeveralTimesAndWithCommas) {
    const auto line = parse({"--listen=127.0.0.1:1", "--listen", "127.0.0.1:2,127.0.0.1:3"});
    ASSERT_TRUE(line);
    EXPECT_THAT(Options::resolve(line->assignments)->list("listen"),
                ElementsAre("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"));
}

TEST(CommandLine, OfOneOptionGivenTwiceTheLastHolds) {
    EXPECT_EQ(
        Options::resolve(parse({"--threads=1", "--threads=2"})->assignments)->count("threads"), 2U);
}

TEST(CommandLine, AFlagMaySetAnEmptyValue) {
    const auto line = parse({"--admin.listen=", "--threads=2"});
    ASSERT_TRUE(line);
    const auto options = Options::resolve(line->assignments);
    ASSERT_TRUE(options) << options.error().what;
    EXPECT_THAT(options->list("admin.listen"), testing::IsEmpty());
    EXPECT_EQ(options->where("admin.listen"), "flag --admin.listen");
    EXPECT_EQ(options->count("threads"), 2U);
}

TEST(CommandLine, AnUnknownFlagNamesTheNearestKnownOne) {
    const auto line = parse({"--cache.maxsize=1"});
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().exit_code, 2);
    EXPECT_THAT(line.error().text,
                HasSubstr("unknown option '--cache.maxsize'; did you mean '--cache.max_size'?"));
    EXPECT_THAT(parse({"start"}).error().text, HasSubstr("unexpected argument 'start'"));
}

TEST(CommandLine, HelpHasEveryRowAndVersionItsLibraries) {
    const auto help = parse({"--help"});
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().exit_code, 0);
    for (const Option& option : option_table())
        EXPECT_THAT(help.error().text, HasSubstr("--" + std::string(option.key)));
    EXPECT_THAT(parse({"--version"}).error().text, HasSubstr("libevent"));
}

TEST(NearestWord, CountsTypingErrors) {
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("same", "same"), 0U);
}

}  // namespace
}  // namespace hawker::daemon
