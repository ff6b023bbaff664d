#include "daemon/modelscope/file_head.h"

#include "daemon/http/ranges.h"

#include <charconv>

#include <fmt/format.h>

namespace hawker::modelscope {

namespace {

// JSON or HTML that nobody calls an attachment: the API's words, or a page to log in at. A file
// comes from a store, or as an attachment.
bool could_be_words(const http::ResponseHead& head) {
    const std::string type = std::string(head.fields.get("Content-Type").value_or(""));
    const bool is_text = type.contains("json") || type.contains("html");
    return is_text && !head.fields.get("Content-Disposition").value_or("").contains("filename");
}

}  // namespace

std::optional<std::uint64_t> size_told(const http::ResponseHead& head) {
    if (const auto range = head.fields.get("Content-Range")) {
        const auto told = http::parse_content_range(*range);
        return told ? told->size : std::nullopt;
    }
    const auto length = head.fields.get("Content-Length");
    std::uint64_t size = 0;
    if (head.status != 200 || !length) return std::nullopt;
    const auto parsed = std::from_chars(length->data(), length->data() + length->size(), size);
    const bool is_number =
        parsed.ec == std::errc() && parsed.ptr == length->data() + length->size();
    return is_number ? std::optional(size) : std::nullopt;
}

bool join_file_head(const Entry& entry, std::span<const http::ResponseHead> hops,
                    http::ResponseHead& last) {
    const auto told = size_told(last);
    if (told && *told != entry.size) return false;
    const bool is_from_store = told && !hops.empty();
    if (!is_from_store && could_be_words(last)) return false;
    for (const std::string_view name :
         {"Set-Cookie", "Set-Cookie2", "Location", "Content-Location", "Vary", "Alt-Svc",
          "Strict-Transport-Security", "Repr-Digest", "Digest"})
        last.fields.remove(name);
    const std::string tag = fmt::format("\"{}\"", entry.sha256.hex());
    last.fields.set("ETag", tag);
    last.fields.set("X-Linked-Etag", tag);
    return true;
}

}  // namespace hawker::modelscope
