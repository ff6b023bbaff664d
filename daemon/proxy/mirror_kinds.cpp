#include "daemon/proxy/mirror_kinds.h"

#include <array>

namespace hawker::proxy {

namespace {

struct Row {
    std::string_view name;
    std::shared_ptr<const MirrorKind> (*make)();
};
constexpr std::array kKinds = {
    Row{"generic", generic_mirror},   Row{"git-lfs", lfs_mirror},
    Row{"huggingface", hub_mirror},   Row{"modelscope", modelscope_mirror},
    Row{"registry", registry_mirror},
};

}  // namespace

std::shared_ptr<const MirrorKind> mirror_kind(std::string_view name) {
    for (const Row& row : kKinds)
        if (row.name == name) return row.make();
    return nullptr;
}

}  // namespace hawker::proxy
