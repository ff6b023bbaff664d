#include "filters/signed_urls.h"

#include <algorithm>
#include <array>

namespace hawker::filters {

namespace {

using Name = std::string_view;

// --- Overrides of S3 and of whoever speaks its dialect. Not response-content-encoding: it changes
// what the bytes mean.
constexpr Name kS3Overrides[] = {"response-content-disposition", "response-content-type",
                                 "response-cache-control", "response-content-language",
                                 "response-expires"};
constexpr Name kWithS3Overrides[] = {"s3-overrides"};

// --- Amazon S3, signature version 4 (and 4A, and S3 Express sessions). x-id is what SDKs put there
// for themselves.
constexpr Name kSigV4[] = {"x-amz-algorithm",      "x-amz-credential",     "x-amz-date",
                           "x-amz-expires",        "x-amz-signedheaders",  "x-amz-signature",
                           "x-amz-security-token", "x-amz-content-sha256", "x-amz-checksum-mode",
                           "x-amz-user-agent",     "x-amz-region-set",     "x-amz-s3session-token"};
constexpr Name kSigV4Generic[] = {"x-id"};
constexpr Name kSigV4Whole[] = {"x-amz-credential", "x-amz-signature"};

// --- Amazon S3, signature version 2
constexpr Name kSigV2[] = {"awsaccesskeyid", "x-amz-security-token"};
constexpr Name kSigV2Generic[] = {"expires", "signature"};
constexpr Name kSigV2Whole[] = {"awsaccesskeyid", "expires", "signature"};

// --- CloudFront: a canned policy says Expires, a custom one Policy, some write both
constexpr Name kCloudFront[] = {"key-pair-id"};
constexpr Name kCloudFrontGeneric[] = {"expires", "policy", "signature", "hash-algorithm"};
constexpr Name kCloudFrontWhole[] = {"key-pair-id", "signature", "expires|policy"};

// --- Google Cloud Storage V4, its V2, and Cloud CDN (KeyName)
constexpr Name kGcs[] = {"x-goog-algorithm",      "x-goog-credential",     "x-goog-date",
                         "x-goog-expires",        "x-goog-signedheaders",  "x-goog-signature",
                         "x-goog-security-token", "x-goog-content-sha256", "googleaccessid"};
constexpr Name kGcsGeneric[] = {"expires", "signature", "keyname", "urlprefix"};
constexpr Name kGcsWhole[] = {"googleaccessid|keyname", "signature", "expires"};

// --- Azure shared access signatures: account, service and user delegation. All names are short, so
// all need the whole set. Not rsce (a Content-Encoding) and not snapshot or versionid (another
// content).
constexpr Name kAzureGeneric[] = {"sv",    "ss",      "srt",    "sp",   "sr",   "se",    "st",
                                  "spr",   "sip",     "si",     "sig",  "sdd",  "ses",   "skoid",
                                  "sktid", "skt",     "ske",    "sks",  "skv",  "saoid", "suoid",
                                  "scid",  "skdutid", "sduoid", "rscc", "rscd", "rscl",  "rsct"};
constexpr Name kAzureWhole[] = {"sig", "sv", "sr|ss"};

// --- Alibaba OSS V1, V2 and V4. Not x-oss-process (another image) and not x-oss-version.
constexpr Name kOss[] = {
    "ossaccesskeyid",          "security-token",       "securitytoken",
    "x-oss-signature-version", "x-oss-credential",     "x-oss-date",
    "x-oss-expires",           "x-oss-signature",      "x-oss-additional-headers",
    "x-oss-security-token",    "x-oss-access-key-id",  "x-oss-traffic-limit",
    "x-oss-ac-source-ip",      "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id",
    "x-oss-ac-forward-allow"};
constexpr Name kOssGeneric[] = {"expires", "signature"};
constexpr Name kOssWhole[] = {"ossaccesskeyid", "expires", "signature"};

// --- Tencent COS
constexpr Name kCos[] = {"q-sign-algorithm",   "q-ak",
                         "q-sign-time",        "q-key-time",
                         "q-header-list",      "q-url-param-list",
                         "q-signature",        "x-cos-security-token",
                         "x-cos-traffic-limit"};

// --- Huawei OBS, and the X-Amz-* spelling it also takes
constexpr Name kObs[] = {"x-obs-security-token", "x-obs-date", "x-obs-traffic-limit"};
constexpr Name kObsGeneric[] = {"accesskeyid", "expires", "signature"};
constexpr Name kObsWhole[] = {"accesskeyid", "expires", "signature"};
constexpr Name kObsIncludes[] = {"aws-sigv4", "s3-overrides"};

// --- Alibaba CDN, authentication type A; ModelScope adds the name to save the file under
constexpr Name kAliyunCdn[] = {"auth_key"};
constexpr Name kAliyunCdnGeneric[] = {"filename"};
constexpr Name kAliyunCdnWhole[] = {"auth_key"};

// --- GitHub LFS adds these to an S3 signature; all four are words that others use
constexpr Name kGithubLfsGeneric[] = {"actor_id", "key_id", "repo_id", "token"};
constexpr Name kGithubLfsWhole[] = {"actor_id", "key_id", "repo_id"};

// --- GitHub releases: Azure today, S3 before, and a JWT for the edge in front
constexpr Name kGithubReleaseGeneric[] = {"jwt", "actor_id", "key_id", "repo_id"};
constexpr Name kGithubReleaseWhole[] = {"sig|x-amz-signature"};
constexpr Name kGithubReleaseIncludes[] = {"azure-sas", "aws-sigv4", "s3-overrides"};

// --- Hugging Face: CloudFront or S3 or GCS, and who asked. X-Xet-Signed-Range passes but where
// each range is an object of its own: see signature_terms.h.
constexpr Name kHuggingFace[] = {"x-xet-cas-uid", "x-xet-session-id", "x-xet-signed-range"};
constexpr Name kHuggingFaceGeneric[] = {"user_id", "repo_id"};
constexpr Name kHuggingFaceWhole[] = {"x-xet-cas-uid|x-xet-session-id|key-pair-id"};
constexpr Name kHuggingFaceIncludes[] = {"cloudfront", "aws-sigv4", "gcs", "s3-overrides"};

constexpr ParameterSet kSets[] = {
    {"s3-overrides", kS3Overrides, {}, {}, {}},
    {"aws-sigv4", kSigV4, kSigV4Generic, kSigV4Whole, kWithS3Overrides},
    {"aws-sigv2", kSigV2, kSigV2Generic, kSigV2Whole, kWithS3Overrides},
    {"cloudfront", kCloudFront, kCloudFrontGeneric, kCloudFrontWhole, kWithS3Overrides},
    {"gcs", kGcs, kGcsGeneric, kGcsWhole, kWithS3Overrides},
    {"azure-sas", {}, kAzureGeneric, kAzureWhole, {}},
    {"aliyun-oss", kOss, kOssGeneric, kOssWhole, kWithS3Overrides},
    {"tencent-cos", kCos, {}, {}, kWithS3Overrides},
    {"huawei-obs", kObs, kObsGeneric, kObsWhole, kObsIncludes},
    {"aliyun-cdn", kAliyunCdn, kAliyunCdnGeneric, kAliyunCdnWhole, {}},
    {"github-lfs", {}, kGithubLfsGeneric, kGithubLfsWhole, {}},
    {"github-release", {}, kGithubReleaseGeneric, kGithubReleaseWhole, kGithubReleaseIncludes},
    {"huggingface", kHuggingFace, kHuggingFaceGeneric, kHuggingFaceWhole, kHuggingFaceIncludes},
};

// Versions, parts and snapshots; images and videos made to order (Alibaba, Tencent, Huawei, Qiniu);
// how the bytes are encoded.
constexpr Name kSelectors[] = {
    "versionid",     "generation",    "partnumber",      "snapshot",
    "x-oss-version", "x-oss-process", "x-image-process", "ci-process",
    "imagemogr2",    "imageview2",    "watermark",       "response-content-encoding",
    "rsce",          "alt",
};

struct Override {
    Name name;
    OverriddenField field;
};
constexpr Override kOverrides[] = {
    {"response-content-type", OverriddenField::content_type},
    {"response-content-disposition", OverriddenField::content_disposition},
    {"response-cache-control", OverriddenField::cache_control},
    {"response-content-language", OverriddenField::content_language},
    {"response-expires", OverriddenField::expires},
    {"rsct", OverriddenField::content_type},
    {"rscd", OverriddenField::content_disposition},
    {"rscc", OverriddenField::cache_control},
    {"rscl", OverriddenField::content_language},
    {"filename", OverriddenField::file_name},
};

struct TermName {
    Name name;
    Term term;
};
constexpr TermName kTerms[] = {
    {"x-amz-date", Term::amz_begin},
    {"x-amz-expires", Term::amz_lifetime},
    {"x-goog-date", Term::goog_begin},
    {"x-goog-expires", Term::goog_lifetime},
    {"x-oss-date", Term::oss_begin},
    {"x-oss-expires", Term::oss_lifetime},
    {"expires", Term::end},
    {"se", Term::end_date},
    {"ske", Term::end_date},
    {"policy", Term::policy},
    {"q-sign-time", Term::begin_and_end},
    {"q-key-time", Term::begin_and_end},
    {"auth_key", Term::signing_and_more},
    {"x-amz-signedheaders", Term::signed_fields},
    {"x-goog-signedheaders", Term::signed_fields},
    {"x-oss-additional-headers", Term::signed_fields},
    {"q-header-list", Term::signed_fields},
    {"x-xet-signed-range", Term::signed_range},
};

// --- The tables once more, by name

// Length and three letters tell nearly all of them apart.
constexpr std::size_t kSlots = 1024;
constexpr std::size_t kMostNames = 240;
constexpr std::uint8_t kNobody = 255;

constexpr std::size_t slot_of(Name name) {
    const auto letter = [name](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(name[at]) | 0x20U);
    };
    const std::size_t size = name.size();
    return (size * 131 + letter(size / 2) * 31 + letter(size - 1) * 7 + letter(size * 3 / 4)) %
           kSlots;
}

struct NameTable {
    std::array<KnownName, kMostNames> names{};
    std::size_t count = 0;
    std::array<std::uint8_t, kSlots> places{};
    // What makes each set whole, in the bits of KnownName::makes_whole.
    std::array<std::uint64_t, std::size(kSets)> needs{};

    constexpr KnownName& of(Name name) {
        std::size_t slot = slot_of(name);
        for (; places[slot] != kNobody; slot = (slot + 1) % kSlots)
            if (names[places[slot]].name == name) return names[places[slot]];
        places[slot] = static_cast<std::uint8_t>(count);
        names[count].name = name;
        return names[count++];
    }

    // "a|b" is both.
    constexpr void add_whole(Name words, std::uint64_t bit) {
        while (!words.empty()) {
            const std::size_t end = std::min(words.find('|'), words.size());
            of(words.substr(0, end)).makes_whole |= bit;
            words.remove_prefix(std::min(end + 1, words.size()));
        }
    }
};

constexpr NameTable kNames = [] {
    NameTable table;
    table.places.fill(kNobody);
    std::uint64_t word = 1;
    for (std::size_t i = 0; i < std::size(kSets); ++i) {
        const ParameterSets bit = ParameterSets{1} << i;
        for (const Name name : kSets[i].own) table.of(name).own |= bit;
        for (const Name name : kSets[i].generic) table.of(name).generic |= bit;
        for (const Name words : kSets[i].whole) {
            table.add_whole(words, word);
            table.needs[i] |= word;
            word <<= 1U;
        }
    }
    for (const Name name : kSelectors) table.of(name).selects_content = true;
    for (const Override& each : kOverrides) table.of(each.name).overridden = each.field;
    for (const TermName& each : kTerms) table.of(each.name).term = each.term;
    return table;
}();

}  // namespace

std::span<const ParameterSet> parameter_sets() { return kSets; }

const ParameterSet* find_parameter_set(std::string_view name) {
    const auto* const found = std::ranges::find(kSets, name, &ParameterSet::name);
    return found == std::end(kSets) ? nullptr : found;
}

bool selects_content(std::string_view lower_name) {
    // Tencent and Qiniu write the operation into the name itself: `?imageMogr2/thumbnail/200x`.
    return std::ranges::any_of(kSelectors, [lower_name](Name known) {
        if (!lower_name.starts_with(known.front()) || !lower_name.starts_with(known)) return false;
        return lower_name.size() == known.size() || lower_name[known.size()] == '/' ||
               lower_name[known.size()] == '%';
    });
}

bool selects_content(const Parameter& parameter) {
    if (parameter.known != nullptr) return parameter.known->selects_content;
    const std::string_view name = parameter.name();
    return (name.contains('/') || name.contains('%')) && selects_content(lower_case(name));
}

const KnownName* find_known_name(std::string_view name) {
    if (name.empty()) return nullptr;
    for (std::size_t slot = slot_of(name);; slot = (slot + 1) % kSlots) {
        const std::uint8_t place = kNames.places[slot];
        if (place == kNobody) return nullptr;
        if (equals_ignoring_case(name, kNames.names[place].name)) return &kNames.names[place];
    }
}

ParameterSets bit_of(const ParameterSet& set) {
    return ParameterSets{1} << static_cast<unsigned>(&set - std::begin(kSets));
}

ParameterSets whole_sets(std::span<const Parameter> parameters) {
    std::uint64_t there = 0;
    for (const Parameter& parameter : parameters)
        if (parameter.known != nullptr) there |= parameter.known->makes_whole;
    ParameterSets whole = 0;
    for (std::size_t i = 0; i < std::size(kSets); ++i)
        if ((there & kNames.needs[i]) == kNames.needs[i]) whole |= ParameterSets{1} << i;
    return whole;
}

}  // namespace hawker::filters
