// Fields as a test writes them.
#pragma once

#include "daemon/http/message.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hawker::http {

using Pairs = std::initializer_list<std::pair<std::string_view, std::string>>;

inline Fields fields(Pairs list) {
    Fields result;
    for (const auto& [name, value] : list) result.add(name, value);
    return result;
}

inline Fields control(std::string_view value) {
    return fields({{"Cache-Control", std::string(value)}});
}

}  // namespace hawker::http
