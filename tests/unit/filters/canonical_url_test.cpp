#include "filters/canonical_url.h"

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

std::string normal(const std::string& written) {
    const auto url = parse_url(written);
    if (!url) return "refused";
    std::string text;
    append_normal_form(text, *url);
    return text;
}

std::string canonical(const std::string& written, Order order = Order::as_written) {
    const auto url = parse_url(written);
    if (!url) return "refused";
    const auto parameters = url->has_query ? split_query(url->query) : Parameters();
    std::vector<const Parameter*> all;
    for (const Parameter& parameter : parameters) all.push_back(&parameter);
    std::string text;
    append_canonical_url(text, *url, url->scheme, all, order);
    return text;
}

bool has_key(const std::string& written) {
    const auto url = parse_url(written);
    return url && why_no_key(*url, split_query(url->query)).empty();
}

TEST(NormalForm, SchemeAndHostAreLowerCaseAndThePathKeepsItsOwn) {
    EXPECT_EQ(normal("HTTPS://CDN.Example.ORG/Path"), "https://cdn.example.org/Path");
}

TEST(NormalForm, TheDefaultPortGoesAndOthersStay) {
    EXPECT_EQ(normal("http://example.org:80/"), "http://example.org/");
    EXPECT_EQ(normal("https://example.org:443/"), "https://example.org/");
    EXPECT_EQ(normal("https://example.org:80/"), "https://example.org:80/");
    EXPECT_EQ(normal("http://[::1]:8080/"), "http://[::1]:8080/");
}

TEST(NormalForm, OneTrailingDotOfTheHostGoes) {
    EXPECT_EQ(normal("http://example.org./a"), "http://example.org/a");
}

TEST(NormalForm, OnlyUnreservedCharactersAreDecoded) {
    EXPECT_EQ(normal("http://a.b/%7e%41%2d%5F%2E/%2f%3a%25%20"), "http://a.b/~A-_./%2F%3A%25%20");
    EXPECT_EQ(normal("http://a.b/?%61=%26%3d%2B+"), "http://a.b/?a=%26%3D%2B+");
}

TEST(NormalForm, WhatIsDecodedIsNotDecodedAgain) {
    EXPECT_EQ(normal("http://a.b/%2541"), "http://a.b/%2541");
    EXPECT_EQ(normal("http://a.b/%%34%31"), "http://a.b/%41");  // and has no key, for that reason
    EXPECT_FALSE(has_key("http://a.b/%%34%31"));
}

TEST(NormalForm, AnEmptyPathIsASlashAndAnEmptyQueryStays) {
    EXPECT_EQ(canonical("http://example.org"), "http://example.org/");
    EXPECT_EQ(canonical("http://example.org/p?"), "http://example.org/p?");
    EXPECT_EQ(canonical("http://example.org/p"), "http://example.org/p");
}

TEST(NormalForm, EmptyParametersAndRepeatedSlashesArePartOfTheName) {
    EXPECT_EQ(canonical("http://a.b//c/?x&&y=&y"), "http://a.b//c/?x&&y=&y");
}

TEST(NormalForm, OrderStaysUnlessItIsSorted) {
    EXPECT_EQ(canonical("http://a.b/?b=2&a=1&b=1"), "http://a.b/?b=2&a=1&b=1");
    EXPECT_EQ(canonical("http://a.b/?b=2&a=1&b=1", Order::by_name), "http://a.b/?a=1&b=2&b=1");
}

TEST(NormalForm, TheOriginsSchemeBringsItsOwnPort) {
    EXPECT_EQ(normal_origin(*parse_url("http://example.org/"), Scheme::https),
              "https://example.org");
    EXPECT_EQ(normal_origin(*parse_url("http://example.org:80/"), Scheme::https),
              "https://example.org");
    EXPECT_EQ(normal_origin(*parse_url("http://example.org:8080/"), Scheme::https),
              "https://example.org:8080");
}

TEST(Key, DotSegmentsHaveNone) {
    for (const char* path : {"/a/../b", "/a/./b", "/..", "/.", "/a/%2e%2E/b", "/a/.%2e", "/%2e"})
        EXPECT_FALSE(has_key("http://example.org" + std::string(path))) << path;
    for (const char* path : {"/a...b", "/.../a", "/.git/x", "/a..", "/a?../b"})
        EXPECT_TRUE(has_key("http://example.org" + std::string(path))) << path;
}

TEST(Key, AStrayPercentSignHasNone) {
    for (const char* rest : {"/100%", "/%4", "/%zz", "/?a=%", "/?a=%g0"})
        EXPECT_FALSE(has_key("http://example.org" + std::string(rest))) << rest;
}

TEST(Key, MoreThan256ParametersHaveNone) {
    std::string url = "http://example.org/?a";
    for (int i = 1; i < 256; ++i) url += "&a";
    EXPECT_TRUE(has_key(url));
    EXPECT_FALSE(has_key(url + "&a"));
}

}  // namespace
}  // namespace hawker::filters
