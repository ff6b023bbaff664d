#include "daemon/proxy/mirror.h"

#include <algorithm>
#include <array>

namespace hawker::proxy {

namespace {

constexpr std::array kTraits = {
    MirrorTraits{"generic", false, ""},
    MirrorTraits{"git-lfs", false, ""},
    MirrorTraits{"huggingface", true, "https://huggingface.co", true},
    MirrorTraits{"modelscope", true, "https://www.modelscope.cn"},
    MirrorTraits{"registry", true, "", false, true},
};

}  // namespace

std::span<const MirrorTraits> kinds_of_mirrors() { return kTraits; }

std::string_view usual_upstream(std::string_view kind) {
    const auto traits = std::ranges::find(kTraits, kind, &MirrorTraits::name);
    return traits == kTraits.end() ? std::string_view() : traits->usual_upstream;
}

}  // namespace hawker::proxy
