#include "filters/decision.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

TEST(LoggableUrl, KeepsHostPathAndParameterNames) {
    EXPECT_EQ(loggable_url("https://a.b/c%20d?X-Amz-Signature=secret&Expires=12345&partNumber=7"),
              "https://a.b/c%20d?X-Amz-Signature=*&Expires=*&partNumber=7");
}

TEST(LoggableUrl, AHarmlessNameWithAnOddValueIsStillRedacted) {
    EXPECT_EQ(loggable_url("https://a.b/?partNumber=secret&generation=12345678901"),
              "https://a.b/?partNumber=*&generation=*");
}

TEST(LoggableUrl, ATokenThatStandsAloneIsNoName) {
    EXPECT_EQ(loggable_url("https://a.b/?c2VjcmV0"), "https://a.b/?*");
    EXPECT_EQ(loggable_url("https://a.b/?c2VjcmV0=&c2VjcmV0=="), "https://a.b/?*&*");
    EXPECT_EQ(loggable_url("https://a.b/?" + std::string(80, 'k') + "=v"), "https://a.b/?*=*");
    EXPECT_EQ(loggable_url("https://a.b/?versionId&&x=1"), "https://a.b/?versionId&&x=*");
}

TEST(LoggableUrl, AnOperationWrittenIntoANameIsFreeText) {
    EXPECT_EQ(loggable_url("https://a.b/?versionId/a\x1d\n&imageMogr2/secret"), "https://a.b/?*&*");
}

TEST(LoggableUrl, UserAndPasswordAreGoneHoweverTheyAreWritten) {
    for (const char* url :
         {"http://user:secret@a.b/p", "http:\\\\user:secret@a.b/p", "user:secret@a.b:443",
          "http:/user:secret@a.b/", "ftp://user:se cret@secret@a.b/", "//secret@a.b",
          "http://user:secret#2@a.b/p", "http://user:secret?secret@a.b/p", "http://secret#@a.b"})
        EXPECT_EQ(loggable_url(url).find("secret"), std::string::npos) << loggable_url(url);
    EXPECT_EQ(loggable_url("http://user:secret@a.b/p"), "http://*@a.b/p");
    EXPECT_EQ(loggable_url("http://a.b/@scope/p"), "http://a.b/@scope/p");
    EXPECT_EQ(loggable_url("https://a.b?x=1@2&token=secret"), "https://a.b?x=*&token=*");
    EXPECT_EQ(loggable_url("a b?k=1&k@2=secret"), "*");
}

TEST(LoggableUrl, AFragmentIsGone) {
    EXPECT_EQ(loggable_url("http://a.b/p#access_token=secret"), "http://a.b/p");
}

TEST(LoggableUrl, NothingInItCanForgeALine) {
    EXPECT_EQ(loggable_url("a\r\nb\x1b[0m\"\\\xff"), "a%0D%0Ab%1B[0m%22%5C%FF");
}

TEST(LoggableUrl, HasABoundedLength) {
    EXPECT_LE(loggable_url("http://a.b/" + std::string(100'000, 'a')).size(), 2100U);
    EXPECT_LE(loggable_url("http://a.b/?" + std::string(100'000, '&')).size(), 2100U);
}

TEST(LoggableUrl, WhatStandsBeforeItIsNotOfItsLength) {
    const std::string before(5000, 'b');
    for (const std::string& url :
         {"http://a.b/?" + std::string(100'000, '&'), std::string("http://a.b/p?x=secret")}) {
        std::string out = before;
        append_loggable_url(out, url, ByteRange(1, 3));
        EXPECT_EQ(out, before + loggable_url(url, ByteRange(1, 3)));
    }
}

TEST(LoggableUrl, AnyBytesGiveAPrintableLine) {
    std::mt19937 random(11);  // NOLINT: the same every time
    for (int round = 0; round < 20'000; ++round) {
        std::string text = round % 3 == 0 ? "http://a.b/?" : "";
        for (auto length = random() % 40; length > 0; --length) text += static_cast<char>(random());
        const std::string line = loggable_url(text);
        EXPECT_TRUE(std::ranges::all_of(line, [](char c) {
            return c > 0x20 && c < 0x7F && c != '"' && c != '\\';
        })) << line;
    }
}

TEST(LoggableText, UrlsInASentenceAreRedactedAndTheRestStays) {
    EXPECT_EQ(loggable_text("no answer from 'https://a.b/c?sig=secret' (in 5 s)."),
              "no answer from 'https://a.b/c?sig=* (in 5 s).");
    EXPECT_EQ(loggable_text("get \"http://me:secret@a.b/?t=secret#secret\" again"),
              "get \"http://*@a.b/?t=*\" again");
    EXPECT_EQ(loggable_text("/c?token=secret, me:secret@a.b:443"), "/c?token=* *@a.b:443");
}

TEST(LoggableText, WordsWithoutASecretStayAsTheyAre) {
    for (const char* text :
         {"", " ", "Try again? Set 'a: b' = 1.", "the origin answers 503", "a\nb\t c",
          "127.0.0.1:80 is a private address", "see http://a.b:3128 (or https://c.d/e)."})
        EXPECT_EQ(loggable_text(text), text);
}

}  // namespace
}  // namespace hawker::filters
