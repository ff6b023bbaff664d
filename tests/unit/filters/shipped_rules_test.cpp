// The rules that are shipped, against URLs as these hosts hand them out. The YAML is compiled into
// the test.
#include "shipped_rules.h"

#include "tests/unit/filters/fixture.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace hawker::filters {
namespace {

RuleSpec spec_of(const YAML::Node& node) {
    RuleSpec spec;
    spec.name = node["name"].as<std::string>();
    spec.match = node["match"].as<std::string>();
    spec.strip = node["key"]["strip"].as<std::vector<std::string>>();
    spec.digest = node["digest"].as<std::string>("");
    spec.policy = *parse_policy(node["policy"].as<std::string>());
    spec.access = *parse_access(node["access"].as<std::string>());
    spec.range = node["key"]["range"].as<bool>(false);
    if (node["origin_scheme"]) spec.origin_scheme = Scheme::https;
    spec.line = node.Mark().line + 1;
    return spec;
}

class ShippedRules : public testing::Test {
protected:
    ShippedRules() {
        std::vector<RuleSpec> specs;
        for (const YAML::Node& node : YAML::Load(kShippedRules)["rules"])
            specs.push_back(spec_of(node));
        set_ = rules(std::move(specs));
    }
    // "rule, canonical URL" and, in brackets, whether the digest was found.
    std::string look(const std::string& url, std::string_view range = "") const {
        const auto d = get_range(*set_, url, range);
        if (d.road == Road::pass) return "pass: " + (d.rule ? d.rule->name + ": " : "") + d.reason;
        return d.rule->name + " " + d.canonical_url +
               (d.digest ? d.digest->hex() == kDigest ? " [digest]" : " [wrong]" : "");
    }
    std::shared_ptr<const RuleSet> set_;
    const std::string hex = kDigest;
    const std::string split = hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" + hex.substr(4);
    const std::string repo = std::string(64, 'a');
};

TEST_F(ShippedRules, HuggingFace) {
    const std::string path = "hf.co/repos/e3/b0/" + repo + "/" + hex;
    EXPECT_EQ(
        look("http://cdn-lfs-us-1." + path +
             "?response-content-disposition=inline&Expires=1&Policy=p&Signature=s&Key-Pair-Id=k"),
        "huggingface-lfs https://cdn-lfs-us-1." + path + " [digest]");
    EXPECT_EQ(look("https://cdn-lfs.huggingface.co/gpt2/" + hex),
              "huggingface-lfs https://cdn-lfs.huggingface.co/gpt2/" + hex + " [digest]");
    const std::string bridge = "/xet-bridge-us/0123456789abcdef01234567/" + hex;
    EXPECT_EQ(look("http://us.aws.cdn.hf.co" + bridge +
                   "?X-Xet-Cas-Uid=u&user_id=1&Expires=1&Policy=p&Signature=s&Key-Pair-Id=k"),
              "huggingface-xet-bridge https://us.aws.cdn.hf.co" + bridge);
    EXPECT_EQ(look("http://cas-bridge.xethub.hf.co" + bridge +
                   "?X-Amz-Credential=c&X-Amz-Signature=s&x-id=GetObject"),
              "huggingface-xet-bridge https://cas-bridge.xethub.hf.co" + bridge);
    EXPECT_EQ(look("https://huggingface.co/gpt2/resolve/main/config.json"),
              "pass: no rule matches");
    for (const char* host : {"transfer.xethub.hf.co", "transfer.xethub-eu.hf.co",
                             "us.aws.cdn.hf.co", "us.gcp.cdn.hf.co"}) {
        const std::string xorb = std::string("https://") + host + "/xorbs/default/" + hex;
        EXPECT_EQ(look(xorb + "?user_id=public&repo_id=1&X-Xet-Session-Id=2&Expires=1&Policy=p&"
                              "Signature=s&Key-Pair-Id=k",
                       "bytes=0-9"),
                  "huggingface-xorbs " + xorb);
        EXPECT_EQ(look(xorb + "?X-Xet-Signed-Range=bytes%3D0-9&Expires=1&Signature=s&Key-Pair-Id=k",
                       "bytes=0-9"),
                  "huggingface-xorbs " + xorb);
    }
    EXPECT_EQ(look("https://cas-server.xethub.hf.co/v2/reconstructions/" + hex),
              "pass: no rule matches");
    EXPECT_EQ(look("https://cdn-lfs.hf.co.evil.example/repos/x/" + hex), "pass: no rule matches");
}

TEST_F(ShippedRules, GitHub) {
    const std::string lfs = "github-cloud.githubusercontent.com/alambic/media/123/e3/b0/" + hex;
    EXPECT_EQ(look("http://" + lfs +
                   "?X-Amz-Credential=c&X-Amz-Signature=s&actor_id=1&key_id=2&repo_id=3&token=4"),
              "github-lfs https://" + lfs + " [digest]");
    EXPECT_EQ(
        look("https://github-cloud.s3.amazonaws.com/alambic/media/123/e3/b0/" + hex).substr(0, 10),
        "github-lfs");
    const std::string asset =
        "/github-production-release-asset/86377/0a1b2c3d-0000-4000-8000-0123456789ab";
    EXPECT_EQ(look("http://release-assets.githubusercontent.com" + asset +
                   "?sp=r&sv=1&sr=b&se=x&sig=s&jwt=j&rscd=a&response-content-type=b"),
              "github-release https://release-assets.githubusercontent.com" + asset);
    EXPECT_EQ(look("http://objects.githubusercontent.com/github-production-release-asset-2e65be/1/"
                   "x?X-Amz-Credential=c&X-Amz-Signature=s&actor_id=0"),
              "github-objects "
              "https://objects.githubusercontent.com/github-production-release-asset-2e65be/1/x");
}

TEST_F(ShippedRules, GitLabGiteeAndModelScope) {
    EXPECT_EQ(look("http://gitlab.com/g/p.git/gitlab-lfs/objects/" + hex),
              "gitlab-lfs https://gitlab.com/g/p.git/gitlab-lfs/objects/" + hex + " [digest]");
    EXPECT_EQ(look("http://storage.googleapis.com/gitlab-gprd-lfs-objects/" + split +
                   "?GoogleAccessId=g&Expires=1&Signature=s"),
              "gitlab-lfs-store https://storage.googleapis.com/gitlab-gprd-lfs-objects/" + split +
                  " [digest]");
    const std::string gitee = "lfs.gitee.com/api/lfs/storage/projects/42/" + hex;
    EXPECT_EQ(look("http://" + gitee + "?Expires=1&Signature=s&FileName=f"),
              "gitee-lfs https://" + gitee + " [digest]");
    const std::string modelscope = "cdn-lfs-cn-1.modelscope.cn/prod/lfs-objects/" + split;
    EXPECT_EQ(look("http://" + modelscope +
                   "?filename=f&namespace=n&repository=r&revision=v&tag=t&auth_key=1-2-3-4"),
              "modelscope-lfs https://" + modelscope + " [digest]");
}

TEST_F(ShippedRules, ContainerRegistries) {
    const std::string blob = "/v2/library/alpine/blobs/sha256:" + hex;
    EXPECT_EQ(look("http://registry-1.docker.io" + blob + "?ns=docker.io"),
              "oci-blobs https://registry-1.docker.io" + blob + " [digest]");
    EXPECT_EQ(look("http://registry.local:5000" + blob),
              "oci-blobs-elsewhere http://registry.local:5000" + blob + " [digest]");
    const std::string store =
        "production.cloudflare.docker.com/registry-v2/docker/registry/v2/blobs/sha256/e3/" + hex +
        "/data";
    EXPECT_EQ(look("http://" + store + "?verify=1-x%3D"),
              "oci-blob-stores https://" + store + " [digest]");
    const std::string quay = "cdn01.quay.io/quayio-production-s3/sha256/7b/" + hex;
    EXPECT_EQ(look("https://" + quay +
                   "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=s&region=us-east-1&namespace="
                   "n&username=u&repo_name=r&akamai_signature=exp=1~hmac=2"),
              "oci-blob-stores https://" + quay + " [digest]");
    const std::string ecr = "123456789012.dkr.ecr.us-east-1.amazonaws.com" + blob;
    EXPECT_EQ(look("https://" + ecr), "oci-blobs https://" + ecr + " [digest]");
    const std::string own = "ec2-3-1-2-3.eu-central-1.compute.amazonaws.com:5000" + blob;
    EXPECT_EQ(look("http://" + own), "oci-blobs-elsewhere http://" + own + " [digest]");
    EXPECT_EQ(look("http://registry-1.docker.io/v2/library/alpine/manifests/latest"),
              "pass: no rule matches");
    EXPECT_EQ(look("http://registry.local:5000/v2/../v2/a/blobs/sha256:" + hex),
              "pass: oci-blobs-elsewhere: the path has dot segments");
}

TEST_F(ShippedRules, SpeakOfTheHostsTheyAreFor) {
    for (const char* host :
         {"cdn-lfs-us-1.hf.co", "cdn-lfs.huggingface.co", "us.aws.cdn.hf.co",
          "cas-bridge.xethub.hf.co", "transfer.xethub.hf.co", "github-cloud.githubusercontent.com",
          "github-cloud.s3.amazonaws.com", "release-assets.githubusercontent.com",
          "objects.githubusercontent.com", "gitlab.com", "lfs.gitee.com",
          "cdn-lfs-cn-1.modelscope.cn", "registry-1.docker.io", "ghcr.io"})
        EXPECT_TRUE(set_->may_match_host(host)) << host;
    for (const char* host :
         {"example.org", "huggingface.co", "github.com", "api.github.com", "hf.co", "localhost",
          "127.0.0.1", "abcd.gr7.us-east-1.eks.amazonaws.com", "d1.cloudfront.net",
          "my-bucket.s3.eu-west-1.amazonaws.com", "a.blob.core.windows.net"})
        EXPECT_FALSE(set_->may_match_host(host)) << host;
}

TEST_F(ShippedRules, TheirHostsLieUnderLiteralDomains) {
    const auto domains = set_->domains();
    ASSERT_TRUE(domains) << domains.error().what;
    for (const char* domain : {"hf.co", "huggingface.co", "github-cloud.githubusercontent.com",
                               "gitlab.com", "modelscope.ai", "docker.io", "amazonaws.com"})
        EXPECT_EQ(std::ranges::count(*domains, domain), 1) << domain;
    for (const std::string& domain : *domains) EXPECT_TRUE(domain.contains('.')) << domain;
}

TEST_F(ShippedRules, EachAnchorsItsHost) {
    for (const auto& rule : set_->rules()) {
        EXPECT_TRUE(rule->match.starts_with("^https?://")) << rule->name;
        EXPECT_EQ(rule->access, Access::verify) << rule->name;
    }
}

}  // namespace
}  // namespace hawker::filters
