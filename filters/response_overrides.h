// The response fields that a query asks for, taken out of the parameters that were stripped from
// the key.
#pragma once

#include "base/error.h"
#include "filters/decision.h"
#include "filters/query.h"

#include <span>

namespace hawker::filters {

// Errc::invalid when a value could not stand in a response field (a control byte would split the
// response), or when one parameter asks twice for different things: the origin may answer that, we
// cannot.
Expected<ResponseOverrides> read_overrides(std::span<const Parameter* const> stripped);

}  // namespace hawker::filters
