// The tables of signed_urls.h, asked by name.
#include "filters/query.h"
#include "filters/signed_urls.h"

#include <cctype>

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

std::string upper_case(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

std::string_view first_of(std::string_view words) { return words.substr(0, words.find('|')); }

// "a=&b=" of one word of each line of the set's `whole`, but for the one at `left_out`.
std::string query_of(const ParameterSet& set, std::size_t left_out) {
    std::string query;
    for (std::size_t i = 0; i < set.whole.size(); ++i)
        if (i != left_out) query += upper_case(first_of(set.whole[i])) + "=&";
    return query;
}

TEST(KnownNames, HoldWhatTheSetsSay) {
    for (const ParameterSet& set : parameter_sets()) {
        for (const std::string_view name : set.own) {
            ASSERT_NE(find_known_name(name), nullptr) << name;
            EXPECT_EQ(find_known_name(name)->name, name);
            EXPECT_NE(find_known_name(name)->own & bit_of(set), 0U) << name;
        }
        for (const std::string_view name : set.generic) {
            ASSERT_NE(find_known_name(name), nullptr) << name;
            EXPECT_NE(find_known_name(name)->generic & bit_of(set), 0U) << name;
        }
    }
}

TEST(KnownNames, ASetIsWholeWithAllOfItsWordsAndNoneLess) {
    for (const ParameterSet& set : parameter_sets()) {
        EXPECT_NE(whole_sets(split_query(query_of(set, set.whole.size()))) & bit_of(set), 0U)
            << set.name;
        for (std::size_t i = 0; i < set.whole.size(); ++i)
            EXPECT_EQ(whole_sets(split_query(query_of(set, i))) & bit_of(set), 0U) << set.name;
        for (const std::string_view words : set.whole)
            EXPECT_NE(find_known_name(words.substr(words.rfind('|') + 1)), nullptr) << words;
    }
}

TEST(KnownNames, AreFoundInAnyCaseAndNothingElseIs) {
    for (const ParameterSet& set : parameter_sets())
        for (const std::string_view name : set.own) {
            EXPECT_EQ(find_known_name(upper_case(name)), find_known_name(name));
            for (std::size_t i = 0; i < name.size(); ++i) {
                std::string other(name);
                other[i] = static_cast<char>(other[i] ^ 0x40);
                EXPECT_EQ(find_known_name(other), nullptr) << other;
            }
            EXPECT_EQ(find_known_name(std::string(name) + "_"), nullptr);
        }
    EXPECT_EQ(find_known_name(""), nullptr);
}

TEST(Letters, AreTheOnlyBytesThatHaveTwoCases) {
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const bool is_letter = std::isalpha(a) != 0 && a < 128 && b < 128;
            const bool same = a == b || (is_letter && std::tolower(a) == std::tolower(b));
            for (const std::size_t place : {0U, 3U, 7U, 8U}) {
                std::string left(9, 'x');
                std::string right(9, 'X');
                left[place] = static_cast<char>(a);
                right[place] = static_cast<char>(b);
                EXPECT_EQ(equals_ignoring_case(left, right), same) << a << ' ' << b;
            }
        }
    EXPECT_TRUE(starts_ignoring_case("X-Amz-Date", "x-amz-"));
    EXPECT_FALSE(starts_ignoring_case("X-Am", "x-amz-"));
}

}  // namespace
}  // namespace hawker::filters
