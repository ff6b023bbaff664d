// What must hold for every URL, tried on some thousands that a fixed seed makes up.
#include "tests/unit/filters/fixture.h"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

const std::vector<std::string> kAllSets = {
    "aws-sigv4",   "aws-sigv2",  "cloudfront", "gcs",        "azure-sas",      "aliyun-oss",
    "tencent-cos", "huawei-obs", "aliyun-cdn", "github-lfs", "github-release", "huggingface"};

class Properties : public testing::Test {
protected:
    std::size_t below(std::size_t bound) { return random_() % bound; }
    template <typename Choices>
    auto one_of(const Choices& choices) {
        return choices[below(choices.size())];
    }
    std::string letters(std::size_t most) {
        std::string text;
        for (std::size_t n = 1 + below(most); n > 0; --n)
            text += static_cast<char>('a' + below(26));
        return text;
    }
    // An object: host, path, and the parameters that select its content, in one spelling.
    std::string object() {
        static const std::vector<std::string> kPieces = {
            "a", "B", "7", "-", ".x", "_", "~", "%2F", "%20", "+", "/", ";", "=", "%C3%A4", "@"};
        static const std::vector<std::string> kSelecting = {
            "versionId", "generation", "partNumber", "x-oss-process", "lang", "q"};
        std::string url = "https://" + letters(3) + ".example.org/" + letters(3);
        for (std::size_t n = below(5); n > 0; --n) url += one_of(kPieces);
        char separator = '?';
        for (std::size_t n = below(3); n > 0; --n) {
            url += separator + one_of(kSelecting) + "=" + letters(2);
            separator = '&';
        }
        return url;
    }
    // The same object with a whole signature of one signer, each time with other values.
    std::string signed_by(const std::string& object, std::size_t signer) {
        static const std::vector<std::vector<std::string>> kSignatures = {
            {"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "x-id"},
            {"AWSAccessKeyId", "Expires", "Signature"},
            {"Expires", "Policy", "Signature", "Key-Pair-Id", "user_id"},
            {"sv", "se", "sr", "sp", "sig", "rscd"},
            {"q-ak", "q-sign-time", "q-signature"},
            {"actor_id", "key_id", "repo_id", "token"},
        };
        std::string url = object;
        char separator = object.find('?') == std::string::npos ? '?' : '&';
        for (const std::string& name : kSignatures[signer % kSignatures.size()]) {
            url += separator + name + "=" + letters(6);
            separator = '&';
        }
        return url;
    }
    // Another spelling of the same URL: escapes without need, lower-case hex, host in capitals, the
    // default port.
    std::string respelled(const std::string& url) {
        const std::size_t host = 8;
        const std::size_t path = url.find('/', host);
        std::string out = "HTTPS://";
        for (std::size_t i = host; i < path; ++i)
            out += below(2) != 0 ? static_cast<char>(std::toupper(url[i])) : url[i];
        if (below(2) != 0) out += '.';
        if (below(2) != 0) out += ":443";
        for (std::size_t i = path; i < url.size(); ++i) {
            const bool escape = std::isalnum(static_cast<unsigned char>(url[i])) != 0 &&
                                below(4) == 0 &&
                                (i < 2 || (url[i - 1] != '%' && url[i - 2] != '%'));
            if (escape)
                out += "%" +
                       std::string(1, "0123456789abcdef"[static_cast<unsigned char>(url[i]) / 16]) +
                       "0123456789ABCDEF"[url[i] % 16];
            else
                out += url[i];
        }
        return out;
    }

    std::shared_ptr<const RuleSet> set_ = rules({rule("^https?://", kAllSets)});
    std::mt19937 random_{42};  // NOLINT: the same every time
};

TEST_F(Properties, TheCanonicalUrlOfACanonicalUrlIsItself) {
    for (int round = 0; round < 3000; ++round) {
        const auto once = get(*set_, respelled(signed_by(object(), below(6))));
        ASSERT_EQ(once.road, Road::cache) << once.reason;
        const auto twice = get(*set_, once.canonical_url);
        EXPECT_EQ(twice.canonical_url, once.canonical_url);
        EXPECT_EQ(twice.task_id, once.task_id);
        EXPECT_EQ(twice.credentials, "");
    }
}

TEST_F(Properties, TheKeyDoesNotDependOnTheSignature) {
    for (int round = 0; round < 3000; ++round) {
        const std::string url = object();
        const auto bare = get(*set_, url);
        const auto one = get(*set_, signed_by(url, below(6)));
        const auto other = get(*set_, respelled(signed_by(url, below(6))));
        ASSERT_EQ(bare.road, Road::cache) << url << bare.reason;
        EXPECT_EQ(one.task_id, bare.task_id) << one.canonical_url;
        EXPECT_EQ(other.task_id, bare.task_id) << other.canonical_url;
        EXPECT_NE(one.credentials, other.credentials);
    }
}

TEST_F(Properties, TwoObjectsNeverHaveOneKey) {
    std::map<std::string, std::string> object_of;  // task ID -> the one spelling that object() uses
    for (int round = 0; round < 20'000; ++round) {
        const std::string url = object();
        const auto decision = get(*set_, signed_by(url, below(6)));
        const auto [known, is_new] = object_of.try_emplace(decision.task_id.hex(), url);
        EXPECT_TRUE(is_new || known->second == url) << known->second << " and " << url;
    }
    EXPECT_GT(object_of.size(), 10'000U);
}

TEST_F(Properties, OrderMattersUnlessTheRuleSorts) {
    auto sorting = rule("^https?://", kAllSets);
    sorting.sort = true;
    const auto sorted = rules({sorting});
    for (int round = 0; round < 1000; ++round) {
        std::vector<std::string> parameters = {"a=" + letters(2), "b=" + letters(2), "c"};
        std::ranges::shuffle(parameters, random_);
        const auto url = [&] {
            return "http://a.b/?" + parameters[0] + "&" + parameters[1] + "&" + parameters[2];
        };
        const std::string first = url();
        std::ranges::shuffle(parameters, random_);
        const std::string second = url();
        EXPECT_EQ(get(*set_, first).task_id == get(*set_, second).task_id, first == second);
        EXPECT_EQ(get(*sorted, first).task_id, get(*sorted, second).task_id);
    }
    EXPECT_NE(get(*sorted, "http://a.b/?a=1&a=2").task_id,
              get(*sorted, "http://a.b/?a=2&a=1").task_id);
}

TEST_F(Properties, AChangedByteOutsideTheSignatureIsAnotherTask) {
    for (int round = 0; round < 3000; ++round) {
        const std::string url = object();
        std::string changed = url;
        char& c = changed[url.find('/', 8) + 1];  // the first letter of the path
        c = c == 'z' ? 'a' : static_cast<char>(c + 1);
        EXPECT_NE(get(*set_, url).task_id, get(*set_, changed).task_id);
    }
}

}  // namespace
}  // namespace hawker::filters
