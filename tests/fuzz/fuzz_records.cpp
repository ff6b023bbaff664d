// Rows of the index: the first byte says of which table.
//
// Properties: garbage is absent, never a crash; what is read is written and read again as it was; a
// body with a flipped bit is no body.
#include "cache/records.h"
#include "require.h"

namespace {

using namespace hawker;
using namespace hawker::cache;
using hawker::fuzz::require;

bool is_the_same(const ObjectRecord& left, const ObjectRecord& right) {
    return left.task == right.task && left.generation == right.generation &&
           left.size == right.size && left.piece_size == right.piece_size &&
           left.validator == right.validator && left.head == right.head &&
           left.digest == right.digest && left.digest_verified == right.digest_verified &&
           left.complete == right.complete && left.inlined == right.inlined &&
           left.stored_at == right.stored_at && left.label == right.label &&
           left.rule == right.rule;
}

void check_object(std::string_view row) {
    const TaskId task;
    const auto object = decode_object(task, row);
    if (!object) return;
    const std::string again = encode(*object);
    require(again.size() % 8 == 0, "rows of objects are aligned");
    const auto read = decode_object(task, again);
    require(read && is_the_same(*read, *object), "an object is read as it was written");
}

// A record of the input's own making.
void check_written(std::string_view input) {
    ObjectRecord object;
    object.size = input.size() * 1'000'003ULL;
    object.generation = input.empty() ? 0 : static_cast<unsigned char>(input.front());
    const std::size_t third = input.size() / 3;
    object.validator = input.substr(0, third);
    object.head = input.substr(third, third);
    object.label = input.substr(2 * third);
    object.complete = input.size() % 2 == 0;
    const auto read = decode_object(object.task, encode(object));
    require(read && is_the_same(*read, object), "a record is read as it was written");
}

void check_body(std::string_view input) {
    const auto bytes = std::as_bytes(std::span(input));
    std::string row(row_size_of(bytes), '\0');
    encode_body(bytes, row);
    require(decode_body(row) == input, "a body is read as it was written");
    const std::size_t place = input.size() % row.size();
    row[place] = static_cast<char>(row[place] ^ 1);
    require(!decode_body(row), "a body with a flipped bit is none");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view row = fuzz::text_of(data + 1, size - 1);
    switch (data[0] % 6) {
        case 0:
            check_object(row);
            break;
        case 1: {
            const std::string key(48, '\1');
            if (const auto piece = decode_piece(key, row))
                require(decode_piece(key, encode(*piece)).has_value(), "a piece is read again");
            break;
        }
        case 2:
            if (const auto access = decode_access(row))
                require(decode_access(encode(*access))->hits == access->hits,
                        "an access is read as it was written");
            break;
        case 3:
            static_cast<void>(decode_body(row).has_value());
            static_cast<void>(decode_number(row).has_value());
            static_cast<void>(task_of(row).has_value());
            static_cast<void>(generation_of(row).has_value());
            break;
        case 4:
            check_written(row);
            break;
        default:
            check_body(row);
    }
    return 0;
}
