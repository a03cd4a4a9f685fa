// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "prometheus/metric_family.h"

namespace sextant {

// The usual process_* metrics of this process, read from /proc: resident and
// virtual memory, CPU seconds, open and allowed file descriptors, threads,
// start time. What cannot be read is left out.
std::vector<prometheus::MetricFamily> CollectProcessMetrics();

}  // namespace sextant
