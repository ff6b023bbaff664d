#include "daemon/proxy/access_question.h"
#include "daemon/proxy/proxy.h"
#include "tests/unit/proxy/access_fixture.h"

namespace hawker::proxy {
namespace {

class Access : public WithHandClock {
protected:
    std::unique_ptr<AccessMemory> memory = AccessMemory::create(3, clock);
};

TEST_F(Access, AYesIsForThisPrincipalAndThisTaskAlone) {
    memory->allow("alice", task(1), in(60));
    EXPECT_TRUE(memory->is_allowed("alice", task(1)));
    EXPECT_FALSE(memory->is_allowed("mallory", task(1)));
    EXPECT_FALSE(memory->is_allowed("alice", task(2)));
}

TEST_F(Access, AYesEnds) {
    memory->allow("alice", task(1), in(60));
    clock.time += std::chrono::seconds(60);
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
}

TEST_F(Access, TheOldestYesIsForgottenFirst) {
    for (unsigned char i = 1; i <= 4; ++i) memory->allow("alice", task(i), in(60));
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("alice", task(4)));
}

TEST_F(Access, AForgottenTaskAsksEverybodyAgain) {
    memory->allow("alice", task(1), in(60));
    memory->allow("bob", task(2), in(60));
    memory->forget(task(1));
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("bob", task(2)));
}

TEST_F(Access, ANoForgetsTheYesOfThisPrincipalAlone) {
    memory->allow("alice", task(1), in(60));
    memory->allow("bob", task(1), in(60));
    memory->forget("alice", task(1));
    memory->forget("mallory", task(1));
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("bob", task(1)));
}

TEST_F(Access, TheLastWordStandsAndWhatWasSaidLongestAgoLeavesFirst) {
    using Word = AccessMemory::Standing::Word;
    for (unsigned char i = 1; i <= 3; ++i) memory->hear("", task(i), Word::refused);
    clock.time += std::chrono::seconds(1);
    memory->hear("", task(1), Word::open);
    EXPECT_EQ(memory->standing("", task(1)).word, Word::open);
    EXPECT_EQ(memory->standing("", task(1)).heard, clock.time);
    memory->hear("", task(4), Word::refused);
    EXPECT_EQ(memory->standing("", task(1)).word, Word::open);
    EXPECT_EQ(memory->standing("", task(2)).word, Word::none);
    memory->forget("", task(1));
    EXPECT_EQ(memory->standing("", task(1)).word, Word::open) << "it is no yes that ends";
}

TEST_F(Access, AKeyIsOfThisProcessAlone) {
    const auto another = AccessMemory::create(3, clock);
    EXPECT_EQ(memory->key_of("alice", task(1)), memory->key_of("alice", task(1)));
    EXPECT_NE(memory->key_of("alice", task(1)), memory->key_of("alice", task(2)));
    EXPECT_NE(memory->key_of("alice", task(1)), another->key_of("alice", task(1)));
}

TEST_F(Access, AnOriginThatCouldNotBeAskedHasNotRefused) {
    for (const Errc code : {Errc::unavailable, Errc::timed_out, Errc::closed})
        EXPECT_TRUE(is_no_word(Error(code, "")));
    for (const Errc code : {Errc::refused, Errc::not_found, Errc::denied, Errc::unsupported,
                            Errc::cancelled, Errc::shutting_down})
        EXPECT_FALSE(is_no_word(Error(code, "")));
}

TEST_F(Access, AYesNeverOutlivesItsSignature) {
    const std::chrono::milliseconds hour = std::chrono::hours(1);
    const auto end =
        std::chrono::duration_cast<std::chrono::seconds>(in(10).time_since_epoch()).count();
    EXPECT_EQ(allowed_until(clock.time, hour, end), in(10));
    EXPECT_EQ(allowed_until(clock.time, hour, std::nullopt), in(3600));
    EXPECT_EQ(allowed_until(clock.time, std::chrono::seconds(5), end), in(5));
}

TEST_F(Access, TheSameThingHasTheSameValidatorOrIsNamedByItsDigest) {
    cache::Representation held;
    held.size = 10;
    held.validator = "etag:\"a\"";
    cache::Arrival now;
    now.size = 10;
    now.validator = "etag:\"a\"";
    EXPECT_TRUE(is_the_same(now, held));
    now.validator = "etag:\"b\"";
    EXPECT_FALSE(is_the_same(now, held));
    held.digest = Digest();
    EXPECT_TRUE(is_the_same(now, held));
    now.size = 11;
    EXPECT_FALSE(is_the_same(now, held));
}

}  // namespace
}  // namespace hawker::proxy
