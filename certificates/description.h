// What everybody may know of an authority: read from its certificate alone, so that those who may
// not read the key can show and trust it.
//
// Failure: describe() says in words which file is wrong and how to mend it.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace hawker::certificates {

struct Description {
    std::string subject;      // "CN = hawker proxy CA"
    std::string fingerprint;  // SHA-256, "AB:CD:..."
    std::string pem;          // that one certificate
    // Under which it can vouch; empty: for anything. Each with everything below it.
    std::vector<std::string> permitted_domains;
    WallTime not_before;
    WallTime not_after;
};

Description describe(x509_st* certificate);
// The first certificate of a PEM file, which must be one of a certificate authority.
// Errc::not_found when there is no such file, Errc::invalid when there is none in it.
Expected<Description> describe(const std::filesystem::path& file);

}  // namespace hawker::certificates
