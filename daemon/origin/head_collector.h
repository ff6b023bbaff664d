// A response head out of the lines that libcurl hands over: names and order as they came. libcurl
// is lenient about framing; what could be read two ways is refused here. Not a door.
#pragma once

#include "base/error.h"
#include "daemon/http/message.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawker::origin {

class HeadCollector {
public:
    // `to_head`: the request was a HEAD, so no body follows whatever the fields say.
    explicit HeadCollector(bool to_head) : to_head_(to_head) {}

    // One line with its line end. After the final head the lines are trailers; they are counted
    // and dropped. Errc::invalid ends it: 64 KiB, 256 fields, 16 interim answers at most.
    Expected<void> take(std::string_view line);

    bool is_final() const { return is_final_; }
    bool saw_anything() const { return saw_anything_; }
    const http::ResponseHead& head() const { return head_; }
    http::Framing framing() const { return framing_; }
    std::uint64_t content_length() const { return content_length_; }

private:
    Expected<void> take_status_line(std::string_view line);
    Expected<void> take_field(std::string_view line);
    Expected<void> end_of_head();
    Expected<void> read_framing();
    Expected<void> read_content_length();

    bool to_head_;
    http::ResponseHead head_;
    int minor_version_ = 1;
    http::Framing framing_ = http::Framing::none;
    std::uint64_t content_length_ = 0;
    std::size_t bytes_ = 0;
    int interim_ = 0;
    bool expects_status_line_ = true;
    bool saw_anything_ = false;
    bool is_final_ = false;
};

}  // namespace hawker::origin
