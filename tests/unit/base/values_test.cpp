// Digests, sizes, durations, ranges and errors: the small values that everybody hands around.
#include "base/byte_range.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "base/units.h"

#include <cerrno>

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace hawker {
namespace {

using namespace std::chrono_literals;
using namespace literals;

std::string sha256(std::string_view text) {
    Sha256 hash;
    hash.update(text);
    return Digest(hash.value()).hex();
}

TEST(Digest, HasTheValuesOfFips180) {
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, OfBytesAtOnceIsTheSame) {
    EXPECT_EQ(Digest(sha256_of("abc")).hex(), sha256("abc"));
    EXPECT_EQ(Digest(sha256_of("")).hex(), sha256(""));
}

TEST(Digest, CanBeReadHalfwayAndGoOn) {
    Sha256 hash;
    hash.update("a");
    EXPECT_EQ(Digest(hash.value()).hex(), sha256("a"));
    Sha256 moved = std::move(hash);
    moved.update("bc");
    EXPECT_EQ(Digest(moved.value()).hex(), sha256("abc"));
}

TEST(Digest, ReadsItsOwnPrintAndNothingElse) {
    const std::string hex = sha256("abc");
    EXPECT_EQ(Digest::from_hex(hex)->hex(), hex);
    std::string upper = hex;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(Digest::from_hex(upper), Digest::from_hex(hex));
    for (const std::string& text :
         {std::string(), hex.substr(1), hex + "0", "g" + hex.substr(1), "0x" + hex.substr(2)})
        EXPECT_FALSE(Digest::from_hex(text)) << text;
}

TEST(Units, SizesAreReadAsPeopleWriteThem) {
    EXPECT_EQ(parse_size("64KiB"), 64_KiB);
    EXPECT_EQ(parse_size("4 MiB"), 4_MiB);
    EXPECT_EQ(parse_size("1.5GiB"), 1536_MiB);
    EXPECT_EQ(parse_size("500MB"), 500'000'000U);
    EXPECT_EQ(parse_size("1024"), 1024U);
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("4mib"), 4_MiB);
    EXPECT_EQ(parse_size("8mb"), 8'000'000U);
    EXPECT_EQ(parse_size("1kB"), 1000U);
    for (const char* text :
         {"", "MiB", "-1", "1 XiB", "1k", "1MiBs", "nan", "inf", "1e300", "0x10", "99999999TiB"})
        EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Units, DurationsAreReadAsPeopleWriteThem) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("30s"), 30s);
    EXPECT_EQ(parse_duration("1.5m"), 90s);
    EXPECT_EQ(parse_duration("24h"), 24h);
    EXPECT_EQ(parse_duration("7d"), 168h);
    EXPECT_EQ(parse_duration("10"), 10s);
    EXPECT_FALSE(parse_duration("10 years"));
    EXPECT_FALSE(parse_duration("10M")) << "that may be months";
    EXPECT_TRUE(parse_duration("36525d"));
    EXPECT_FALSE(parse_duration("100000d")) << "its nanoseconds do not fit";
}

TEST(Units, WhatIsWrittenIsReadBack) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{1000}, 1_KiB,
          1536_KiB, 4_MiB, 100_GiB, 1024_GiB})
        EXPECT_EQ(parse_size(format_size(size)), size) << format_size(size);
    EXPECT_EQ(format_size(4_MiB), "4MiB");
    EXPECT_EQ(format_size(1536_KiB), "1536KiB");
    EXPECT_EQ(format_size(100), "100");
    for (const auto duration : {0ms, 1ms, 1500ms, 30'000ms, 90'000ms, 86'400'000ms})
        EXPECT_EQ(parse_duration(format_duration(duration)), duration) << format_duration(duration);
    EXPECT_EQ(format_duration(24h), "1d");
}

TEST(ByteRange, IsClampedToTheSize) {
    EXPECT_EQ(RangeSpec::whole().resolve(10), (ByteRange{0, 10}));
    EXPECT_EQ(RangeSpec(2, 4).resolve(10), (ByteRange{2, 5}));
    EXPECT_EQ(RangeSpec(2, 99).resolve(10), (ByteRange{2, 10}));
    EXPECT_EQ(RangeSpec(9, 9).resolve(10), (ByteRange{9, 10}));
    EXPECT_EQ(RangeSpec::suffix(3).resolve(10), (ByteRange{7, 10}));
    EXPECT_EQ(RangeSpec::suffix(99).resolve(10), (ByteRange{0, 10}));
    EXPECT_EQ(RangeSpec(0, UINT64_MAX).resolve(10), (ByteRange{0, 10}));
}

TEST(ByteRange, WhatCannotBeSatisfiedIsNothing) {
    EXPECT_FALSE(RangeSpec(10, std::nullopt).resolve(10));
    EXPECT_FALSE(RangeSpec(5, 4).resolve(10));
    EXPECT_FALSE(RangeSpec::suffix(0).resolve(10));
    EXPECT_FALSE(RangeSpec::suffix(1).resolve(0));
    EXPECT_FALSE(RangeSpec::whole().resolve(0));
    EXPECT_FALSE(RangeSpec(UINT64_MAX, UINT64_MAX).resolve(10));
}

TEST(Error, TellsWhatWeWereDoingFromTheTopDown) {
    Error error;
    error.code = Errc::corrupt;
    error.what = "version 9";
    error = std::move(error).within("read record").within("open task 3f9c");
    EXPECT_EQ(error.what, "open task 3f9c: read record: version 9");
    EXPECT_EQ(error.code, Errc::corrupt);
}

TEST(Error, ErrnoIsNamedForWhatTheCallerCanDo) {
    for (const int number : {ENOSPC, EDQUOT, EMFILE, ENFILE})
        EXPECT_EQ(system_error(number, "x").code, Errc::exhausted);
    EXPECT_EQ(system_error(ENOENT, "x").code, Errc::not_found);
    EXPECT_EQ(system_error(ECONNRESET, "x").code, Errc::closed);
    EXPECT_EQ(system_error(ENOENT, "open a").what, "open a: No such file or directory");
}

TEST(Error, EveryCodeHasAName) {
    for (int code = 0; code <= static_cast<int>(Errc::shutting_down); ++code)
        EXPECT_NE(name_of(static_cast<Errc>(code)), "unknown") << code;
}

TEST(UniqueFd, HasOneOwnerAndClosesOnce) {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    UniqueFd one(pair[0]);
    const UniqueFd other(pair[1]);
    UniqueFd moved = std::move(one);
    EXPECT_EQ(moved.get(), pair[0]);
    moved.reset();
    EXPECT_FALSE(moved);
    char byte = 0;
    EXPECT_EQ(::read(other.get(), &byte, 1), 0) << "the other end sees it closed";
}

}  // namespace
}  // namespace hawker
