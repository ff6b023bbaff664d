// SHA-256, and the two things that are named by one.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker {

// 32 bytes that print as 64 lower-case hexadecimal digits. The tag keeps a task's name from being
// taken for a content's.
template <typename Tag>
struct Hash256 {
    std::array<std::byte, 32> bytes{};

    auto operator<=>(const Hash256&) const = default;
    std::string hex() const;
    std::array<char, 64> hex_digits() const;
    // Upper or lower case; nullopt unless exactly 64 hexadecimal digits.
    static std::optional<Hash256> from_hex(std::string_view text);
};

struct DigestTag;
struct TaskIdTag;
using Digest = Hash256<DigestTag>;  // SHA-256 of a content
using TaskId = Hash256<TaskIdTag>;  // SHA-256 of a task's key

// A running SHA-256. Not thread-safe; may move between threads.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    // Of all bytes so far; the state can go on being updated.
    std::array<std::byte, 32> value() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Of these bytes, at once.
std::array<std::byte, 32> sha256_of(std::string_view text);

}  // namespace hawker

template <typename Tag>
struct std::hash<hawker::Hash256<Tag>> {
    // The bytes are uniform already. Keys that strangers choose still pass through SHA-256 first.
    std::size_t operator()(const hawker::Hash256<Tag>& value) const noexcept {
        std::size_t word = 0;
        for (std::size_t i = 0; i < sizeof(word); ++i)
            word = (word << 8U) | std::to_integer<std::size_t>(value.bytes[i]);
        return word;
    }
};
