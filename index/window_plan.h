// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "index/recall_curve.h"
#include "index/search_effort.h"

namespace sextant {

enum class WindowMethod : uint8_t {
  kScan,   // estimates all rows of the window by codes, scores the best
  kGraph,  // walks the graph of all rows, answers with those in the window
};

// How a window is searched.
struct WindowPlan {
  WindowMethod method = WindowMethod::kScan;
  // Of a graph search, which is given up for a scan at its distances_max.
  SearchEffort effort;
  double expected_recall = 1;
  double expected_distances = 0;  // if the field knew nothing of the vectors
  // What the two would cost, nanoseconds; 0: not possible.
  double scan_ns = 0;
  double graph_ns = 0;
};

struct WindowFacts {
  uint32_t rows = 0;         // of the graph
  uint32_t window_rows = 0;  // in the window, at least 1
  uint32_t k = 0;
  // Null: there is no graph, or it was not measured.
  const RecallCurve* recall_curve = nullptr;
};

// Chooses between the two ways to search a window by what they cost on this
// processor with this data, and learns that from the searches it planned.
//
// If the field's values were independent of the vectors, the best k in a window
// with share s of the rows would be among the best k / s of all, found with
// that effort. Where they are not (the window lies elsewhere than the query)
// the graph search finds nothing near; it is given up then, and each width
// keeps in mind how many times more distances its searches took.
//
// Thread-safe; concurrent observations may be lost, which does no harm.
class WindowPlanner {
 public:
  // What is assumed before anything was seen: bytes of codes and tail of a row.
  explicit WindowPlanner(size_t row_bytes);

  // `recall_target` 1: all.
  WindowPlan Plan(const WindowFacts& facts, double recall_target) const;

  // What a search took; `distances` of a graph search that was given up are
  // those until then.
  void ObserveScan(uint32_t rows, double ns);
  void ObserveGraph(const WindowFacts& facts, const WindowPlan& plan,
                    uint64_t distances, double ns);
  // A scan where a graph search would have been cheaper but for what is kept in
  // mind: that fades, so that it is tried again some day.
  void Forget(const WindowFacts& facts);

 private:
  // By the power of two below rows / window_rows.
  static constexpr size_t kWidths = 8;
  static size_t WidthOf(const WindowFacts& facts);

  std::atomic<float>& TimesExpected(const WindowFacts& facts) {
    return times_expected_[WidthOf(facts)];
  }

  std::atomic<float> scan_ns_;   // a row
  std::atomic<float> graph_ns_;  // a distance
  std::array<std::atomic<float>, kWidths> times_expected_;
};

}  // namespace sextant
