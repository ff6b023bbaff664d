// Which stored response a request selects (RFC 9111 section 4.1).
#include "daemon/http/selection.h"

#include "tests/unit/http/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string selected(const std::vector<std::string>& names, const Fields& request) {
    return selection_of(request, names);
}

TEST(Selection, VaryNamesFieldsInAnyCaseAndOrder) {
    EXPECT_THAT(*selecting_fields({}), IsEmpty());
    EXPECT_THAT(*selecting_fields(fields({{"Vary", "Foo, bar"}, {"vary", "FOO,, Baz"}})),
                ElementsAre("bar", "baz", "foo"));
}

TEST(Selection, AStarSelectsNothing) {
    for (const auto* vary : {"*", "*, *", ", *", "Foo, *", "*, Foo", "a b"})
        EXPECT_FALSE(selecting_fields(fields({{"Vary", vary}}))) << vary;
    EXPECT_FALSE(selecting_fields(fields({{"Vary", ""}, {"Vary", "*"}})));
    std::string many;
    for (int i = 0; i < 17; ++i) many += "x-" + std::to_string(i) + ",";
    EXPECT_FALSE(selecting_fields(fields({{"Vary", many}})));
}

TEST(Selection, ACodingIsSelectedWhetherVarySaysSoOrNot) {
    EXPECT_THAT(*selecting_fields(fields({{"Content-Encoding", "gzip"}})),
                ElementsAre("accept-encoding"));
    EXPECT_THAT(*selecting_fields(fields({{"Content-Encoding", "identity"}})), IsEmpty());
    EXPECT_THAT(
        *selecting_fields(fields({{"Content-Encoding", "gzip"}, {"Vary", "Accept-Encoding"}})),
        ElementsAre("accept-encoding"));
}

TEST(Selection, LinesAreJoinedAndSpaceDoesNotCount) {
    const std::string one = selected({"foo"}, fields({{"Foo", "1, 2"}}));
    EXPECT_EQ(one, selected({"foo"}, fields({{"Foo", "1"}, {"foo", "2"}})));
    EXPECT_EQ(one, selected({"foo"}, fields({{"Foo", "1 ,2"}, {"Bar", "3"}})));
    EXPECT_NE(one, selected({"foo"}, fields({{"Foo", "2, 1"}})));
    EXPECT_NE(one, selected({"foo"}, fields({{"Foo", "\"1, 2\""}})));
}

TEST(Selection, CaseCountsWhereItHasAMeaning) {
    EXPECT_EQ(selected({"accept-language"}, fields({{"Accept-Language", "EN, de"}})),
              selected({"accept-language"}, fields({{"Accept-Language", "en,De"}})));
    EXPECT_NE(selected({"foo"}, fields({{"Foo", "a"}})), selected({"foo"}, fields({{"Foo", "A"}})));
}

TEST(Selection, AbsentAndEmptyAreTwoThings) {
    EXPECT_NE(selected({"foo"}, {}), selected({"foo"}, fields({{"Foo", ""}})));
    EXPECT_EQ(selected({"foo"}, {}), selected({"foo"}, fields({{"Bar", "1"}})));
    // No value of one field can be taken for two fields.
    EXPECT_NE(selected({"a", "b"}, fields({{"A", "1,"}, {"B", "2"}})),
              selected({"a", "b"}, fields({{"A", "1"}, {"B", ",2"}, {"B", "3"}})));
}

}  // namespace
}  // namespace hawker::http
