#include "cache/index_residency.h"

#include <sys/resource.h>

namespace hawker::cache {

namespace {

// Of this thread, since its start; getrusage(2), 0.2 us.
long major_faults() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_majflt;
}

}  // namespace

IndexResidency::LookUp::LookUp(IndexResidency& residency)
    : residency_(residency), faults_(major_faults()) {}

IndexResidency::LookUp::~LookUp() { residency_.note(major_faults() != faults_); }

void IndexResidency::note(bool waited) {
    if (waited)
        in_a_row_.store(0, std::memory_order_relaxed);
    else if (!is_likely())
        in_a_row_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace hawker::cache
