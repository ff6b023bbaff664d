#include "daemon/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Assignment say(std::string where, std::string key, std::string value) {
    return Assignment(std::move(key), {std::move(value)}, std::move(where));
}

Options resolved(std::vector<Assignment> assignments) {
    auto options = Options::resolve(assignments);
    if (options) return std::move(*options);
    ADD_FAILURE() << options.error().what;
    return Options();
}

std::string complaint(const std::string& key, const std::string& value) {
    const std::vector<Assignment> assignments = {say("hawker.yaml:3", key, value)};
    const auto options = Options::resolve(assignments);
    return options ? "" : options.error().what;
}

TEST(OptionTable, EveryDefaultIsOfItsOwnType) {
    const Options options = resolved({});
    for (const Option& option : option_table())
        EXPECT_EQ(options.where(option.key), "default") << option.key;
}

TEST(OptionTable, KeysAreUniqueAndSectionsStandTogetherAfterWhatHasNone) {
    std::vector<std::string> sections = {""};
    for (const Option& option : option_table()) {
        EXPECT_EQ(find_option(option.key), &option);
        const std::string section(
            option.key.contains('.') ? option.key.substr(0, option.key.find('.')) : "");
        if (!sections.empty() && sections.back() == section) continue;
        EXPECT_EQ(std::ranges::count(sections, section), 0) << section;
        sections.push_back(section);
    }
}

TEST(OptionTable, EveryHelpIsWholeSentences) {
    for (const Option& option : option_table())
        EXPECT_TRUE(option.help.ends_with('.')) << option.key;
}

TEST(OptionTable, AValuePrintsAsItIsRead) {
    const Options options = resolved({});
    for (const Option& option : option_table()) {
        const std::string printed = format_value(option, options.value(option.key));
        EXPECT_EQ(parse_value(option, {printed}), options.value(option.key))
            << option.key << " = " << printed;
    }
}

TEST(Options, LaterAssignmentsWin) {
    const Options options =
        resolved({say("hawker.yaml:3", "cache.max_size", "1GiB"),
                  say("environment HAWKER_CACHE_MAX_SIZE", "cache.max_size", "2GiB"),
                  say("flag --cache.max_size", "cache.max_size", "3GiB")});
    EXPECT_EQ(options.size("cache.max_size"), 3ULL << 30U);
    EXPECT_EQ(options.where("cache.max_size"), "flag --cache.max_size");
}

TEST(Options, ValuesHaveTheirTypes) {
    const Options options = resolved(
        {say("f", "timeouts.head", "2s"), say("f", "threads", "3"), say("f", "log.access", "off"),
         say("f", "destinations.allow", "127.0.0.0/8, ::1"), say("f", "cache.evict", "fifo")});
    EXPECT_EQ(options.duration("timeouts.head"), 2s);
    EXPECT_EQ(options.count("threads"), 3U);
    EXPECT_FALSE(options.flag("log.access"));
    EXPECT_THAT(options.list("destinations.allow"), ElementsAre("127.0.0.0/8", "::1"));
    EXPECT_EQ(options.text("cache.evict"), "fifo");
}

TEST(Options, AnUnknownKeyNamesItsPlaceAndTheNearestKnownOne) {
    EXPECT_EQ(complaint("cache.maxsize", "1"),
              "hawker.yaml:3: unknown option 'cache.maxsize'; did you mean 'cache.max_size'?");
    EXPECT_EQ(complaint("zzzzzzzzzzzzzzz", "1"), "hawker.yaml:3: unknown option 'zzzzzzzzzzzzzzz'");
}

TEST(Options, AWrongValueNamesItsPlaceAndWhatWasExpected) {
    EXPECT_THAT(complaint("cache.max_size", "big"),
                HasSubstr("hawker.yaml:3: cache.max_size: 'big' is not like 64KiB"));
    EXPECT_THAT(complaint("timeouts.head", "1 fortnight"), HasSubstr("30s"));
    EXPECT_THAT(complaint("threads", "1.5"), HasSubstr("whole number from 0 to 1024"));
    EXPECT_THAT(complaint("fetch.connections", "0"), HasSubstr("from 1 to 64"));
    EXPECT_THAT(complaint("cache.evict", "newest"), HasSubstr("one of lru, fifo, large-first"));
    EXPECT_THAT(complaint("log.access", "maybe"), HasSubstr("neither on nor off"));
    EXPECT_THAT(complaint("destinations.connect_ports", "443,http"),
                HasSubstr("'http' is not a port"));
    EXPECT_THAT(complaint("fetch.on_abandon", "finish-if 101"), HasSubstr("finish-if 50"));
    EXPECT_THAT(complaint("pseudonym", "two words"), HasSubstr("without spaces"));
    EXPECT_THAT(complaint("listen", "nowhere"), HasSubstr("hawker.yaml:3: listen: "));
    EXPECT_THAT(complaint("destinations.deny", "10.0.0.0/40"),
                HasSubstr("hawker.yaml:3: destinations.deny: "));
}

TEST(Options, AWrongValueIsAnErrorEvenWhenAnotherWouldReplaceIt) {
    const std::vector<Assignment> assignments = {say("hawker.yaml:3", "threads", "many"),
                                                 say("flag --threads", "threads", "2")};
    EXPECT_FALSE(Options::resolve(assignments));
}

TEST(Environment, IsReadByTheNamesOfTheTable) {
    const char* const environment[] = {"PATH=/bin", "HAWKER_CACHE_MAX_SIZE=5GiB",
                                       "HAWKER_LISTEN=127.0.0.1:1,127.0.0.1:2", nullptr};
    std::vector<std::string> strangers;
    const Options options = resolved(read_environment(environment, strangers));
    EXPECT_EQ(options.size("cache.max_size"), 5ULL << 30U);
    EXPECT_EQ(options.where("cache.max_size"), "environment HAWKER_CACHE_MAX_SIZE");
    EXPECT_THAT(options.list("listen"), ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
    EXPECT_THAT(strangers, IsEmpty());
}

TEST(Environment, AStrangerOfOurPrefixIsARemarkAndNoError) {
    const char* const environment[] = {"HAWKER_PORT=tcp://10.0.0.1:80", "HAWKER_CACHE_MAXSIZE=1",
                                       "HAWKER_ADMIN=x", nullptr};
    std::vector<std::string> strangers;
    EXPECT_THAT(read_environment(environment, strangers), IsEmpty());
    EXPECT_THAT(strangers, ElementsAre(HasSubstr("HAWKER_PORT"),
                                       HasSubstr("did you mean 'HAWKER_CACHE_MAX_SIZE'?")));
}

TEST(Options, OnlyRestartOnlyChangesAreNamed) {
    const Options before = resolved({});
    const Options after = resolved({say("f", "threads", "3"), say("f", "cache.max_size", "1GiB"),
                                    say("f", "log.format", "json")});
    EXPECT_THAT(restart_only_changes(before, after), ElementsAre("threads", "log.format"));
}

}  // namespace
}  // namespace hawker::daemon
