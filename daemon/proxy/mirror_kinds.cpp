#include "daemon/proxy/mirror_kinds.h"

#include <array>

namespace hawker::proxy {

namespace {

struct Row {
    std::string_view name;
    std::shared_ptr<const MirrorKind> (*make)();
};
constexpr std::array kKinds = {
    Row{"generic", generic_mirror},
};

}  // namespace

std::shared_ptr<const MirrorKind> mirror_kind(std::string_view name) {
    for (const Row& row : kKinds)
        if (row.name == name) return row.make();
    return nullptr;
}

std::vector<std::string_view> kinds_of_mirrors() {
    std::vector<std::string_view> names;
    for (const Row& row : kKinds) names.push_back(row.name);
    return names;
}

}  // namespace hawker::proxy
