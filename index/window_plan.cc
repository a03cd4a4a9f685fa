// SPDX-License-Identifier: Apache-2.0
#include "index/window_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

namespace sextant {
namespace {

// Measured on one core of a server processor; soon replaced by what this one
// shows. A scan reads on at 20 bytes a nanosecond; a graph search waits for
// memory.
constexpr double kScanNsPerByte = 0.05;
constexpr double kGraphNsFixed = 32;
constexpr double kGraphNsPerByte = 0.1;
// Too few rows to learn from.
constexpr uint32_t kObservedRows = 4096;
constexpr float kLearningRate = 0.05F;
// A graph search that needs more than so many times the distances expected is
// given up.
constexpr double kGivenUpTimes = 4;
constexpr float kForgottenShare = 0.01F;
constexpr float kTimesMax = 64;

void Learn(std::atomic<float>& value, double seen) {
  const float old = value.load(std::memory_order_relaxed);
  value.store(old + kLearningRate * (static_cast<float>(seen) - old),
              std::memory_order_relaxed);
}

}  // namespace

WindowPlanner::WindowPlanner(size_t row_bytes)
    : scan_ns_(
          static_cast<float>(kScanNsPerByte * static_cast<double>(row_bytes))),
      graph_ns_(static_cast<float>(
          kGraphNsFixed + kGraphNsPerByte * static_cast<double>(row_bytes))) {
  for (std::atomic<float>& times : times_expected_) {
    times = 1;
  }
}

size_t WindowPlanner::WidthOf(const WindowFacts& facts) {
  const uint32_t ratio = facts.rows / std::max(1U, facts.window_rows);
  return std::min<size_t>(kWidths - 1, std::bit_width(ratio));
}

WindowPlan WindowPlanner::Plan(const WindowFacts& facts,
                               double recall_target) const {
  WindowPlan plan;
  plan.scan_ns = scan_ns_.load(std::memory_order_relaxed) *
                 static_cast<double>(facts.window_rows);
  if (facts.recall_curve == nullptr || recall_target >= 1) {
    return plan;
  }
  const double deep =
      std::ceil(static_cast<double>(facts.k) * facts.rows / facts.window_rows);
  if (deep > kRecallDepths.back()) {
    return plan;
  }
  const auto depth = static_cast<uint32_t>(deep);
  const std::optional<SearchEffort> effort =
      facts.recall_curve->EffortFor(recall_target, depth);
  if (!effort.has_value()) {
    return plan;
  }
  plan.expected_distances = facts.recall_curve->DistancesOf(*effort, depth);
  const float times =
      times_expected_[WidthOf(facts)].load(std::memory_order_relaxed);
  const float distance_ns = graph_ns_.load(std::memory_order_relaxed);
  plan.graph_ns = distance_ns * plan.expected_distances * times;
  if (plan.graph_ns < plan.scan_ns) {
    plan.method = WindowMethod::kGraph;
    plan.effort = *effort;
    plan.expected_recall = recall_target;
    // No more than the scan would have cost, so that the two together take no
    // more than twice that.
    plan.effort.distances_max = static_cast<uint64_t>(
        std::min(plan.scan_ns / distance_ns,
                 std::max(kGivenUpTimes * times, kGivenUpTimes) *
                     plan.expected_distances));
  }
  return plan;
}

void WindowPlanner::ObserveScan(uint32_t rows, double ns) {
  if (rows >= kObservedRows) {
    Learn(scan_ns_, ns / rows);
  }
}

void WindowPlanner::ObserveGraph(const WindowFacts& facts,
                                 const WindowPlan& plan, uint64_t distances,
                                 double ns) {
  if (distances == 0) {
    return;
  }
  const auto taken = static_cast<double>(distances);
  Learn(graph_ns_, ns / taken);
  const bool given_up = distances >= plan.effort.distances_max;
  // How many it would have taken is not known: twice as many, say.
  Learn(TimesExpected(facts),
        std::clamp((given_up ? 2 : 1) * taken / plan.expected_distances, 0.5,
                   double{kTimesMax}));
}

void WindowPlanner::Forget(const WindowFacts& facts) {
  std::atomic<float>& times = TimesExpected(facts);
  const float old = times.load(std::memory_order_relaxed);
  if (old > 1) {
    times.store(1 + (1 - kForgottenShare) * (old - 1),
                std::memory_order_relaxed);
  }
}

}  // namespace sextant
