// What is known of the responses of one primary key, and stored parts put together.
#include "daemon/proxy/shelves.h"

#include "daemon/proxy/http_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1));
const SteadyTime kStart{};

TaskId id(int number) {
    TaskId task;
    task.bytes[30] = static_cast<std::byte>(number >> 8);
    task.bytes[31] = static_cast<std::byte>(number & 0xFF);
    return task;
}

VariantPtr variant(int number, std::string_view foo = "", std::string_view content_range = "",
                   std::string_view tag = "\"a\"") {
    http::Fields request;
    if (!foo.empty()) request.add("Foo", foo);
    http::ResponseHead head;
    head.status = content_range.empty() ? 200 : 206;
    head.fields.add("Cache-Control", "max-age=60");
    head.fields.add("Vary", "Foo");
    if (!tag.empty()) head.fields.add("ETag", tag);
    if (!content_range.empty()) head.fields.add("Content-Range", content_range);
    const Exchanged times{kNow + std::chrono::seconds(number), kNow + std::chrono::seconds(number)};
    return std::make_shared<const StoredVariant>(
        variant_of(id(number), request, std::move(head), times, {}));
}

std::vector<int> numbers(const std::vector<VariantPtr>& variants) {
    std::vector<int> found;
    for (const VariantPtr& each : variants)
        found.push_back(std::to_integer<int>(each->task.bytes[31]));
    return found;
}

class ShelvesTest : public testing::Test {
protected:
    std::vector<int> here() { return numbers(shelves.look(key, kStart).variants); }
    std::vector<TaskId> put(VariantPtr variant) {
        return *shelves.put(key, std::move(variant), shelves.look(key, kStart).epoch);
    }

    Shelves shelves;
    TaskId key = id(999);
};

TEST_F(ShelvesTest, VariantsStandBesideEachOtherTheLatestFirst) {
    EXPECT_THAT(put(variant(1, "a")), IsEmpty());
    EXPECT_THAT(put(variant(2, "b")), IsEmpty());
    EXPECT_THAT(here(), ElementsAre(2, 1));
    // The same question's next answer: should it come to nothing, the first one is still here.
    EXPECT_THAT(put(variant(3, "a")), ElementsAre(id(1)));
    EXPECT_THAT(here(), ElementsAre(3, 2, 1));
    shelves.drop(key, id(3));
    EXPECT_THAT(here(), ElementsAre(2, 1));
}

TEST_F(ShelvesTest, WhatIsWithdrawnTakesWhatItReplacedWithIt) {
    put(variant(1, "a"));
    put(variant(2, "b"));
    put(variant(3, "a"));
    put(variant(4, "a"));
    EXPECT_THAT(shelves.withdraw(key, id(3)), ElementsAre(id(3), id(1)));
    EXPECT_THAT(here(), ElementsAre(4, 2));
    EXPECT_THAT(shelves.withdraw(key, id(9)), ElementsAre(id(9)));
    EXPECT_THAT(here(), ElementsAre(4, 2));
}

TEST_F(ShelvesTest, ThereAreNoMoreThanSoManyOfOneKey) {
    std::vector<TaskId> gone;
    for (int i = 0; i < static_cast<int>(Shelves::kMostVariants) + 3; ++i) {
        const auto now = put(variant(i, std::to_string(i)));
        gone.insert(gone.end(), now.begin(), now.end());
    }
    EXPECT_THAT(gone, ElementsAre(id(0), id(1), id(2)));
    EXPECT_EQ(here().size(), Shelves::kMostVariants);
}

TEST_F(ShelvesTest, KeysThatNobodyAsksForAreForgotten) {
    Shelves small(20'000);
    for (int i = 0; i < 1000; ++i) {
        const auto view = small.look(id(i), kStart);
        ASSERT_TRUE(small.put(id(i), variant(1), view.epoch));
        EXPECT_LE(small.bytes(), 20'000U);
    }
    EXPECT_THAT(small.look(id(0), kStart).variants, IsEmpty());
    EXPECT_FALSE(small.look(id(0), kStart).is_loaded);
    EXPECT_EQ(small.look(id(999), kStart).variants.size(), 1U);
}

TEST_F(ShelvesTest, WhatTheIndexHasIsReadOnceAndAdded) {
    put(variant(5, "a"));
    EXPECT_FALSE(shelves.look(key, kStart).is_loaded);
    shelves.loaded(key, {variant(1, "b"), variant(5, "a"), variant(9, "c")});
    EXPECT_TRUE(shelves.look(key, kStart).is_loaded);
    EXPECT_THAT(here(), ElementsAre(9, 5, 1));
    shelves.loaded(key, {variant(2, "d")});
    EXPECT_THAT(here(), ElementsAre(9, 5, 1));
}

TEST_F(ShelvesTest, WhatWasAskedBeforeAnInvalidationIsNotKept) {
    put(variant(1, "a"));
    const auto before = shelves.look(key, kStart);
    EXPECT_THAT(shelves.invalidate(key), ElementsAre(id(1)));
    EXPECT_THAT(here(), IsEmpty());
    EXPECT_FALSE(shelves.put(key, variant(2, "a"), before.epoch));
    EXPECT_TRUE(shelves.put(key, variant(3, "a"), shelves.look(key, kStart).epoch));
}

TEST_F(ShelvesTest, AWaitThatWasOfNoUseIsNotRepeatedForAWhile) {
    EXPECT_TRUE(shelves.look(key, kStart).collapses);
    shelves.do_not_collapse(key, kStart + 10s);
    EXPECT_FALSE(shelves.look(key, kStart + 9s).collapses);
    EXPECT_TRUE(shelves.look(key, kStart + 10s).collapses);
}

TEST_F(ShelvesTest, PartsOfOneContentStandTogetherUntilTheWholeComes) {
    put(variant(1, "", "bytes 0-4/20"));
    EXPECT_THAT(put(variant(2, "", "bytes 10-19/20")), IsEmpty());
    EXPECT_THAT(put(variant(3, "", "bytes 0-7/20")), ElementsAre(id(1)));  // covers it
    EXPECT_THAT(put(variant(4, "", "bytes 0-4/30", "\"b\"")), ElementsAre(id(3), id(2), id(1)));
    EXPECT_THAT(put(variant(5)), ElementsAre(id(4), id(3), id(2), id(1)));
}

bool any(const StoredVariant& /*variant*/) { return true; }

TEST(Parts, AreCoveredInOrderAndTheGapIsWhatIsMissing) {
    const Parts parts({variant(1, "", "bytes 10-14/20"), variant(2, "", "bytes 0-4/20"),
                       variant(3, "", "bytes 3-7/20")},
                      any);
    ASSERT_FALSE(parts.empty());
    EXPECT_EQ(parts.size(), 20U);
    const auto cover = parts.cover(ByteRange(2, 12));
    ASSERT_EQ(cover.size(), 3U);
    EXPECT_EQ(cover[0].range, ByteRange(2, 5));
    EXPECT_EQ(cover[1].range, ByteRange(5, 8));
    EXPECT_EQ(cover[2].range, ByteRange(10, 12));
    EXPECT_EQ(parts.gap(ByteRange(2, 12)), ByteRange(8, 10));
    EXPECT_EQ(parts.gap(ByteRange(0, 20)), ByteRange(8, 20));
    EXPECT_EQ(parts.gap(ByteRange(1, 8)), std::nullopt);
}

TEST(Parts, AreOfOneContentOrAlone) {
    const Parts mixed({variant(1, "", "bytes 0-4/20", "\"b\""), variant(2, "", "bytes 5-9/20")},
                      any);
    EXPECT_EQ(mixed.entity_tag(), "\"b\"");
    EXPECT_EQ(mixed.gap(ByteRange(0, 10)), ByteRange(5, 10));
    const Parts weak(
        {variant(1, "", "bytes 0-4/20", "W/\"a\""), variant(2, "", "bytes 5-9/20", "W/\"a\"")},
        any);
    EXPECT_EQ(weak.entity_tag(), "");
    EXPECT_EQ(weak.gap(ByteRange(0, 10)), ByteRange(5, 10));
    EXPECT_TRUE(Parts({variant(1)}, any).empty());
}

TEST(Parts, ARequestWantsOneRangeOrAll) {
    http::RequestHead request;
    EXPECT_EQ(wanted_of(request, 10), ByteRange(0, 10));
    request.fields.set("Range", "bytes=-3");
    EXPECT_EQ(wanted_of(request, 10), ByteRange(7, 10));
    request.fields.set("Range", "bytes=0-1,3-4");
    EXPECT_EQ(wanted_of(request, 10), std::nullopt);
    request.fields.set("Range", "bytes=10-");
    EXPECT_EQ(wanted_of(request, 10), std::nullopt);
    request.fields.set("Range", "bytes=0-1");
    request.fields.set("If-Range", "\"a\"");
    EXPECT_EQ(wanted_of(request, 10), std::nullopt);
}

}  // namespace
}  // namespace hawker::proxy
