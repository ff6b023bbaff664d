#include "cli/dragonfly_remarks.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::cli {

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c < ' ' || c == 0x7F)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    return out;
}

void Remarks::add(int line, std::string key, std::string why, Weight weight) {
    remarks_.push_back({line, std::move(key), std::move(why), weight});
}

std::string Remarks::list_of(Weight weight) const {
    std::string text;
    std::vector<std::string_view> said;
    for (const Remark& each : remarks_) {
        if (each.weight != weight || std::ranges::find(said, each.why) != said.end()) continue;
        said.push_back(each.why);
        std::vector<std::string> keys;
        for (const Remark& other : remarks_)
            if (other.weight == weight && other.why == each.why) {
                std::string key = fmt::format("{} (line {})", printable(other.key), other.line);
                if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
            }
        text += fmt::format("#   {}:\n#     {}\n", fmt::join(keys, ", "), printable(each.why));
    }
    return text;
}

std::vector<std::string> Remarks::lost_from(std::string_view file) const {
    std::vector<std::string> lines;
    for (const Remark& each : remarks_)
        if (each.weight == Weight::lost)
            lines.push_back(fmt::format("{}:{}: {}: {}", file, each.line, printable(each.key),
                                        printable(each.why)));
    return lines;
}

}  // namespace hawker::cli
