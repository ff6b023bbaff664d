#include "daemon/proxy/registry_choice.h"

#include "daemon/proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

std::shared_ptr<const Registry> registry_at(const std::string& upstream) {
    auto registry = std::make_shared<Registry>();
    registry->upstream = upstream;
    const auto as = [&](std::string name) {
        auto mirror = std::make_shared<Mirror>();
        mirror->name = std::move(name);
        mirror->upstreams = {upstream};
        return mirror;
    };
    registry->registry = as("registry");
    registry->generic = as("generic");
    return registry;
}

struct Choice : testing::Test {
    Settings settings;
    http::RequestHead request;

    Choice() {
        settings.registry = registry_at("https://files.example");
        settings.named_registries = {registry_at("https://ghcr.io"),
                                     registry_at("https://registry-1.docker.io")};
        request.method = "GET";
        request.form = http::TargetForm::origin;
    }

    // "kind upstream", or the error's name.
    std::string chosen(std::string target, std::string_view field = {}) {
        request.target = std::move(target);
        request.fields.remove("X-Dragonfly-Registry");
        if (!field.empty()) request.fields.add("X-Dragonfly-Registry", field);
        const auto mirror = mirror_without_host(settings, request);
        if (!mirror) return std::string(name_of(mirror.error().code));
        return (*mirror)->name + " " + (*mirror)->upstreams.front();
    }
};

TEST_F(Choice, TheConfiguredOneIsForThoseWhoNameNone) {
    EXPECT_EQ(chosen("/v2/a/manifests/x"), "registry https://files.example");
    EXPECT_EQ(chosen("/repos/a?ns=ghcr.io"), "generic https://files.example");
    settings.registry = nullptr;
    EXPECT_EQ(chosen("/v2/a/manifests/x"), "invalid");
}

TEST_F(Choice, AListedOneCanBeNamed) {
    EXPECT_EQ(chosen("/v2/a/manifests/x?ns=ghcr.io"), "registry https://ghcr.io");
    EXPECT_EQ(chosen("/v2/a/manifests/x?ns=docker.io"), "registry https://registry-1.docker.io");
    EXPECT_EQ(chosen("/v2/", "https://GHCR.io:443/"), "registry https://ghcr.io");
    EXPECT_EQ(chosen("/x", "https://ghcr.io"), "generic https://ghcr.io");
    EXPECT_EQ(chosen("/v2/?ns=docker.io", "https://ghcr.io"), "registry https://ghcr.io");
    EXPECT_EQ(chosen("/v2/", "https://files.example"), "registry https://files.example");
}

TEST_F(Choice, AnotherOneIsRefused) {
    for (const std::string_view field : {"https://quay.io", "http://ghcr.io", "https://ghcr.io:444",
                                         "https://ghcr.io/other", "http://169.254.169.254"})
        EXPECT_EQ(chosen("/v2/", field), "denied") << field;
    for (const std::string_view field :
         {"https://ghcr.io@evil.example", "file:///etc/passwd", "a b"})
        EXPECT_EQ(chosen("/v2/", field), "invalid") << field;
    EXPECT_EQ(chosen("/v2/?ns=quay.io"), "denied");
    EXPECT_EQ(chosen("/v2/?ns=ghcr.io&ns=quay.io"), "denied");
}

TEST_F(Choice, TheSentenceNamesTheOption) {
    request.target = "/v2/?ns=quay.io";
    const auto mirror = mirror_without_host(settings, request);
    ASSERT_FALSE(mirror);
    EXPECT_THAT(mirror.error().what, testing::HasSubstr("'quay.io' to 'allow_registry_header'"));
}

}  // namespace
}  // namespace hawker::proxy
