// SPDX-License-Identifier: Apache-2.0
#include "index/code_order.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <new>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "index/node_distances.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20251124;
constexpr uint32_t kQueries = 64;
constexpr size_t kHits = 10;
// Where a hit by the floats may stand by the codes: well inside the beam of a
// build.
constexpr size_t kPlaces = 40;
// Of all hits.
constexpr double kLossMax = 0.01;
// Rows between two polls of the context.
constexpr uint32_t kStep = 1024;

using Near = std::pair<float, float>;  // by the codes, by the floats

// Hits by the floats that are not in the first places by the codes.
absl::StatusOr<size_t> LostHits(const NodeDistances& distances, uint32_t node,
                                uint32_t nodes, const RequestContext& context) {
  NodeDistances::Query query;
  distances.SetQuery(node, query);
  std::vector<Near> near(nodes);
  std::array<uint32_t, kStep> rows;
  std::array<float, kStep> by_codes;
  std::array<float, kStep> by_floats;
  for (uint32_t begin = 0; begin < nodes; begin += kStep) {
    RETURN_IF_ERROR(context.Check());
    const uint32_t count = std::min(kStep, nodes - begin);
    std::iota(rows.begin(), rows.begin() + count, begin);
    distances.Near(query, {rows.data(), count}, by_codes.data());
    distances.Exact(query, {rows.data(), count}, by_floats.data());
    for (uint32_t i = 0; i < count; ++i) {
      near[begin + i] = {by_codes[i], by_floats[i]};
    }
  }
  const size_t hits = std::min<size_t>(kHits, nodes);
  const size_t places = std::min<size_t>(kPlaces, nodes);
  const auto hits_end = near.begin() + static_cast<std::ptrdiff_t>(hits);
  std::ranges::nth_element(near, hits_end - 1, {}, &Near::second);
  std::array<float, kHits> hit_codes;
  std::ranges::transform(near.begin(), hits_end, hit_codes.begin(),
                         &Near::first);
  std::ranges::nth_element(
      near, near.begin() + static_cast<std::ptrdiff_t>(places - 1), {},
      &Near::first);
  // Of rows that the codes cannot tell apart any may come first.
  const float last = near[places - 1].first;
  const auto level =
      static_cast<size_t>(std::ranges::count(near, last, &Near::first));
  return static_cast<size_t>(std::count_if(
      hit_codes.begin(), hit_codes.begin() + static_cast<std::ptrdiff_t>(hits),
      [last, level](float codes) {
        return !(codes < last || (codes == last && level < kPlaces / 2));
      }));
}

}  // namespace

absl::StatusOr<bool> CodesOrderRows(VectorShape shape, const float* vectors,
                                    const VectorCodes& codes,
                                    const BuildRun& run) {
  const NodeDistances distances(shape, vectors, &codes);
  const uint32_t nodes = codes.nodes();
  std::mt19937_64 random(kSeed);
  std::array<uint32_t, kQueries> queries;
  for (uint32_t& query : queries) {
    query = static_cast<uint32_t>(random() % nodes);
  }
  std::atomic<size_t> lost{0};
  const BuildRun quiet{run.pool, run.context, nullptr};
  RETURN_IF_ERROR(
      ForEachNode(quiet, 0, kQueries, [&](uint32_t i) -> absl::Status {
        try {
          ASSIGN_OR_RETURN(const size_t missed,
                           LostHits(distances, queries[i], nodes, run.context));
          lost.fetch_add(missed, std::memory_order_relaxed);
        } catch (const std::bad_alloc&) {
          return absl::ResourceExhaustedError("graph: out of memory");
        }
        return absl::OkStatus();
      }));
  return static_cast<double>(lost.load()) <= kLossMax * kQueries * kHits;
}

}  // namespace sextant
