// Which leaves are kept, for how long, and what several threads see.
#include "certificates/leaf_store.h"

#include "verifier.h"

#include <barrier>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace hawker::certificates {
namespace {

using namespace std::chrono_literals;

class HandClock final : public Clock {
public:
    SteadyTime now() const override { return {}; }
    WallTime wall() const override { return wall_; }
    void advance(std::chrono::seconds by) { wall_ += by; }

private:
    WallTime wall_ = kToday;
};

class LeafStoreTest : public testing::Test {
protected:
    std::shared_ptr<const Identity> mint(std::string_view host) {
        return leaves.mint(host).value();
    }

    HandClock clock;
    LeafStore leaves{authority_for(), 3, clock};
};

TEST_F(LeafStoreTest, KeepsWhatItMinted) {
    EXPECT_EQ(leaves.find("git.example"), nullptr);
    const auto minted = mint("git.example");
    EXPECT_EQ(leaves.find("git.example"), minted);
    EXPECT_EQ(leaves.find("GIT.example."), minted);
    EXPECT_EQ(mint("Git.Example"), minted);
    EXPECT_EQ(leaves.size(), 1U);
}

TEST_F(LeafStoreTest, AnAddressIsOneWithAndWithoutBrackets) {
    EXPECT_EQ(mint("[::1]"), mint("::1"));
}

TEST_F(LeafStoreTest, TheLeastRecentlyUsedLeavesFirst) {
    mint("a.example");
    const auto b = mint("b.example");
    mint("c.example");
    EXPECT_NE(leaves.find("a.example"), nullptr);
    mint("d.example");
    EXPECT_EQ(leaves.size(), 3U);
    EXPECT_EQ(leaves.find("b.example"), nullptr);
    EXPECT_NE(leaves.find("a.example"), nullptr);
    EXPECT_NE(b->leaf(), nullptr);  // whoever holds it may go on
}

TEST_F(LeafStoreTest, IsRenewedWhenAQuarterOfItsLifeIsLeft) {
    const auto first = mint("git.example");
    clock.advance(kLeafValidity / 4 * 3 - 1h);
    EXPECT_EQ(leaves.find("git.example"), first);
    clock.advance(2h);
    EXPECT_EQ(leaves.find("git.example"), nullptr);
    const auto second = mint("git.example");
    EXPECT_GT(second->not_after(), first->not_after());
    EXPECT_EQ(leaves.size(), 1U);
}

TEST_F(LeafStoreTest, ADyingAuthoritysLeavesAreStillKeptForAWhile) {
    LeafStore dying(authority_for({}, std::chrono::days(1)), 3, clock);
    clock.advance(23h + 30min);
    const auto leaf = dying.mint("git.example").value();
    EXPECT_EQ(dying.find("git.example"), leaf);
    clock.advance(40min);
    EXPECT_FALSE(dying.mint("git.example"));
}

TEST_F(LeafStoreTest, AClockThatIsSetBackGetsALeafThatIsValid) {
    const auto first = mint("git.example");
    clock.advance(-48h);
    EXPECT_EQ(leaves.find("git.example"), nullptr);
}

TEST_F(LeafStoreTest, ARefusalIsNotRemembered) {
    EXPECT_EQ(leaves.mint("a b").error().code, Errc::invalid);
    EXPECT_EQ(leaves.size(), 0U);
}

TEST_F(LeafStoreTest, ManyThreadsOfOneHostGetOneLeaf) {
    constexpr int kThreads = 8;
    std::barrier start(kThreads);
    std::vector<std::shared_ptr<const Identity>> got(kThreads);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < kThreads; ++i)
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                got[i] = leaves.mint("git.example").value();
            });
    }
    EXPECT_EQ(std::set(got.begin(), got.end()).size(), 1U);
}

TEST_F(LeafStoreTest, ManyThreadsOfManyHostsStayWithinTheBound) {
    constexpr int kThreads = 4;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([this, i] {
            for (int k = 0; k < 40; ++k) {
                const std::string host = "h" + std::to_string((i + k) % 7) + ".example";
                const auto leaf = leaves.mint(host).value();
                EXPECT_EQ(::X509_check_host(leaf->leaf(), host.c_str(), 0, 0, nullptr), 1);
                EXPECT_LE(leaves.size(), 3U);
            }
        });
}

}  // namespace
}  // namespace hawker::certificates
