// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/utf8.h"
#include "engine/errors.h"
#include "engine/limits.h"

namespace sextant {

std::string Plan::ToString(const Schema& schema) const {
  const VectorFieldSchema& field = schema.vector_fields[dense.field];
  std::string text =
      absl::StrCat("search limit ", limit, " offset ", offset, "\n  dense ",
                   field.name, " ", MetricName(field.metric), " dimension ",
                   field.dimension, " candidates ", dense.candidates, "\n");
  for (const SegmentPlan& segment : dense.segments) {
    absl::StrAppend(&text, "    ", segment.growing ? "growing" : "sealed",
                    " segment ", segment.number, ": ",
                    segment.method == SearchMethod::kGraph
                        ? absl::StrCat("graph ef ", dense.ef)
                        : "scan",
                    ", rows ", segment.rows, ", dead ", segment.dead, "\n");
  }
  if (fetch_payload || fetch_vectors) {
    absl::StrAppend(&text, "  fetch", fetch_payload ? " payload" : "",
                    fetch_vectors ? " vectors" : "", "\n");
  }
  return text;
}

Plan PlanSearch(const SearchQuery& query, uint16_t field, uint32_t default_ef,
                const std::vector<SegmentFacts>& segments) {
  const auto& source = std::get<DenseSource>(query.sources.front());
  Plan plan;
  plan.limit = query.limit;
  plan.offset = query.offset;
  plan.fetch_payload = query.projection.payload;
  plan.fetch_vectors = query.projection.any_vectors();
  plan.dense.field = field;
  // The stored point that is searched by leaves the answer: one more.
  const bool by_stored_point = std::holds_alternative<PointId>(source.target);
  plan.dense.candidates =
      query.limit + query.offset + (by_stored_point ? 1 : 0);
  plan.dense.ef =
      std::max(source.ef == 0 ? default_ef : source.ef, plan.dense.candidates);
  for (const SegmentFacts& facts : segments) {
    const bool graph = !source.exact && facts.has_graph &&
                       facts.rows > kScanRowsPerEf * plan.dense.ef;
    plan.dense.segments.push_back(
        {facts.number, facts.growing, facts.rows, facts.dead,
         graph ? SearchMethod::kGraph : SearchMethod::kScan});
  }
  return plan;
}

}  // namespace sextant
