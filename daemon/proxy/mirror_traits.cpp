#include "daemon/proxy/mirror.h"

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

}  // namespace hawker::proxy
