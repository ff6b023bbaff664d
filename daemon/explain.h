// `hawkerd --explain URL`: what would happen to a GET of it, in words. What counts as a credential
// is not printed; parameters that select the content are, in the canonical URL.
#pragma once

#include "filters/rule_set.h"

#include <string>

namespace hawker::daemon {

std::string explain(const filters::RuleSet& rules, const filters::Question& question);

}  // namespace hawker::daemon
