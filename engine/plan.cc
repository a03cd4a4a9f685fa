// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/errors.h"
#include "base/utf8.h"
#include "engine/limits.h"
#include "filters/filter_text.h"
#include "index/vector_index.h"

namespace sextant {
namespace {

// The best that any effort reaches, less what only the last and dearest ones
// add: codes that misjudge a hit do so at every effort.
double ReachableRecall(const RecallCurve& curve, uint32_t candidates) {
  constexpr double kDearest = 0.005;
  constexpr int kSteps = 12;
  double low = 0;
  double high = 1;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = (low + high) / 2;
    (curve.EffortFor(middle, candidates).has_value() ? low : high) = middle;
  }
  return std::max(0.0, low - kDearest);
}

// Chooses the effort for a target below 1; false when none is enough.
bool ChooseEffort(const SegmentFacts& facts, double target, uint32_t candidates,
                  SegmentPlan* plan) {
  if (facts.recall_curve == nullptr) {
    plan->effort.ef = std::max(kDefaultEf, candidates);
    plan->expected_recall = 0;
    return true;
  }
  if (facts.rows <= kSmallSegmentRows && !facts.scores_by_codes) {
    target = std::max(target, kSmallSegmentRecall);
  }
  std::optional<SearchEffort> effort =
      facts.recall_curve->EffortFor(target, candidates);
  if (!effort.has_value() && facts.scores_by_codes) {
    target = ReachableRecall(*facts.recall_curve, candidates);
    effort = facts.recall_curve->EffortFor(target, candidates);
  }
  if (!effort.has_value()) {
    return false;
  }
  plan->effort = *effort;
  plan->expected_recall = target;
  return true;
}

// Whether comparing with every row takes no longer than the graph search.
bool IsScanFaster(const SegmentFacts& facts, const SearchEffort& effort,
                  uint32_t candidates) {
  if (!effort.has_slack()) {
    return facts.rows <= kScanRowsPerEf * effort.ef;
  }
  return static_cast<double>(facts.rows) <=
         facts.recall_curve->DistancesOf(effort, candidates);
}

// A scan of all rows.
SegmentPlan BarePlan(const SegmentFacts& facts) {
  return {.number = facts.number,
          .growing = facts.growing,
          .rows = facts.rows,
          .dead = facts.dead,
          .matching = facts.matching};
}

// How all live rows are searched, or those of a filter that are not few.
SegmentPlan PlanAllRows(const SegmentFacts& facts, const DenseSource& source,
                        const DensePlan& dense, uint32_t default_ef) {
  SegmentPlan plan = BarePlan(facts);
  const bool may_scan = !facts.scores_by_codes;
  if (facts.has_binary_codes && may_scan && !source.exact &&
      dense.recall_target < 1) {
    plan.method = SearchMethod::kCodeScan;
    plan.expected_recall = kCodeScanRecall;
  }
  if (source.exact || !facts.has_graph || dense.recall_target >= 1 ||
      (dense.recall_target > 0 && may_scan && facts.rows <= kScannedRows)) {
    return plan;
  }
  SegmentPlan graph = plan;
  graph.method = SearchMethod::kGraph;
  graph.scores_by_codes = facts.scores_by_codes;
  if (dense.recall_target == 0) {
    graph.effort.ef =
        std::max(source.ef != 0 ? source.ef : default_ef, dense.candidates);
  } else if (!ChooseEffort(facts,
                           facts.matching.has_value()
                               ? (1 + dense.recall_target) / 2
                               : dense.recall_target,
                           dense.candidates, &graph)) {
    return plan;
  }
  if (may_scan && IsScanFaster(facts, graph.effort, dense.candidates)) {
    return plan;
  }
  if (dense.recall_target == 0) {
    graph.expected_recall =
        facts.recall_curve == nullptr
            ? 0
            : facts.recall_curve->RecallOf(graph.effort, dense.candidates);
  }
  return graph;
}

// Of walking the graph until enough rows are found that match: the walk meets
// others, too, but none twice.
double GraphCost(const SegmentFacts& facts, const SearchEffort& effort,
                 uint32_t candidates) {
  const double unfiltered =
      effort.has_slack() ? facts.recall_curve->DistancesOf(effort, candidates)
                         : static_cast<double>(kScanRowsPerEf * effort.ef);
  const auto rows = static_cast<double>(facts.rows);
  const auto matching = static_cast<double>(*facts.matching);
  return facts.costs.graph_ns * std::min(rows, unfiltered * rows / matching);
}

SegmentPlan PlanWindow(const SegmentFacts& facts, const DensePlan& dense) {
  SegmentPlan plan = BarePlan(facts);
  plan.method = SearchMethod::kWindow;
  plan.window =
      facts.window->Plan(facts.ranks, dense.candidates, dense.recall_target);
  plan.expected_recall = plan.window.method == WindowMethod::kScan
                             ? kCodesScanRecall
                             : plan.window.expected_recall;
  return plan;
}

// How the rows that match are looked at, each of them.
SegmentPlan PlanMatches(const SegmentFacts& facts, const DensePlan& dense) {
  SegmentPlan plan = BarePlan(facts);
  const auto matching = static_cast<double>(*facts.matching);
  if (facts.has_codes && !facts.scores_by_codes && dense.recall_target > 0 &&
      dense.recall_target < 1) {
    plan.method = SearchMethod::kEstimateMatches;
    plan.expected_recall = kCodesScanRecall;
    plan.costs.matches = facts.costs.estimate_ns * matching;
  } else {
    plan.method = SearchMethod::kScanMatches;
    plan.costs.matches = facts.costs.row_ns * matching;
  }
  return plan;
}

// How a sealed segment is searched among the rows that a filter lets through:
// the way that takes least. `all` is how it would be searched without.
SegmentPlan PlanFiltered(const SegmentFacts& facts, SegmentPlan all,
                         const DensePlan& dense, double graph_recall) {
  SegmentPlan best = PlanMatches(facts, dense);
  FilterCosts costs = best.costs;
  double least = costs.matches;
  const auto choose = [&](double cost, const SegmentPlan& plan) {
    if (cost > 0 && cost < least) {
      best = plan;
      least = cost;
    }
  };
  SegmentPlan other = BarePlan(facts);
  if (all.method == SearchMethod::kGraph) {
    costs.graph = GraphCost(facts, all.effort, dense.candidates);
    all.expected_recall = graph_recall;
    choose(costs.graph, all);
  } else {
    other = all;
  }
  if (!facts.scores_by_codes) {
    costs.scan = facts.costs.scan_ns * static_cast<double>(facts.rows);
    choose(costs.scan, other);
  }
  if (facts.window != nullptr) {
    costs.window = facts.window->ScanNs(facts.ranks);
    other = BarePlan(facts);
    other.method = SearchMethod::kWindowMatches;
    other.expected_recall = kCodesScanRecall;
    choose(costs.window, other);
  }
  best.costs = costs;
  return best;
}

SegmentPlan PlanSegment(const SegmentFacts& facts, const DenseSource& source,
                        const DensePlan& dense,
                        const SearchDefaults& defaults) {
  if (facts.matching == 0U) {
    SegmentPlan nothing = BarePlan(facts);
    nothing.method = SearchMethod::kNone;
    return nothing;
  }
  if (facts.is_window) {
    return PlanWindow(facts, dense);
  }
  SegmentPlan all = PlanAllRows(facts, source, dense, defaults.ef);
  return facts.matching.has_value() && !facts.growing
             ? PlanFiltered(facts, all, dense, defaults.filtered_recall)
             : all;
}

// A point of the answer is as likely in one segment as the segment is large.
double MergedRecall(const std::vector<SegmentPlan>& segments) {
  double rows = 0;
  double found = 0;
  for (const SegmentPlan& segment : segments) {
    const auto live = static_cast<double>(segment.matching.value_or(
        segment.rows - std::min(segment.rows, segment.dead)));
    if (segment.expected_recall == 0 && live > 0) {
      return 0;
    }
    rows += live;
    found += live * segment.expected_recall;
  }
  return rows == 0 ? 1 : found / rows;
}

// Long lists are cut.
std::string FilterText(const Filter& filter) {
  constexpr size_t kBytesMax = 1000;
  const std::string text = sextant::ToString(filter);
  const absl::string_view shown = Utf8Prefix(text, kBytesMax);
  return absl::StrCat(shown, shown.size() < text.size() ? "..." : "");
}

std::string EffortText(const SearchEffort& effort) {
  return effort.has_slack() ? absl::StrFormat("slack %.3g", effort.slack)
                            : absl::StrCat("ef ", effort.ef);
}

// Which of the two ways, and what each was thought to take.
std::string WindowText(const WindowPlan& plan) {
  std::string text =
      plan.method == WindowMethod::kScan
          ? std::string("window scan")
          : absl::StrFormat("window graph %s recall %.4g",
                            EffortText(plan.effort), plan.expected_recall);
  if (plan.scan_ns > 0) {
    absl::StrAppendFormat(&text, " (scan %.3g us", plan.scan_ns / 1000);
    if (plan.graph_ns > 0) {
      absl::StrAppendFormat(&text, ", graph %.3g us", plan.graph_ns / 1000);
    }
    text += ")";
  }
  return text;
}

std::string GraphText(const SegmentPlan& segment) {
  return absl::StrCat(
      "graph ", EffortText(segment.effort),
      segment.expected_recall == 0
          ? std::string()
          : absl::StrFormat(" recall %.4g", segment.expected_recall),
      segment.scores_by_codes ? " scored by codes" : "");
}

std::string MethodText(const SegmentPlan& segment) {
  switch (segment.method) {
    case SearchMethod::kScan:
      return "scan";
    case SearchMethod::kCodeScan:
      return "code scan";
    case SearchMethod::kGraph:
      return GraphText(segment);
    case SearchMethod::kScanMatches:
      return "scan of matches";
    case SearchMethod::kEstimateMatches:
      return "scan of matches by codes";
    case SearchMethod::kWindow:
      return WindowText(segment.window);
    case SearchMethod::kWindowMatches:
      return "window scan for matches";
    case SearchMethod::kNone:
      return "nothing";
  }
  return "";
}

// What was weighed, where there was a choice.
std::string CostsText(const FilterCosts& costs) {
  std::vector<std::string> parts;
  const auto add = [&parts](const char* name, double ns) {
    if (ns > 0) {
      parts.push_back(absl::StrFormat("%s %.3g us", name, ns / 1000));
    }
  };
  add("matches", costs.matches);
  add("scan", costs.scan);
  add("graph", costs.graph);
  add("window", costs.window);
  return parts.size() < 2 ? ""
                          : absl::StrCat(" (", absl::StrJoin(parts, ", "), ")");
}

// What to aim at so that a corrected search reaches `recall_target`.
double CorrectedAim(double recall_target) {
  return recall_target > 0 && recall_target < 1 ? 1 - (1 - recall_target) / 2
                                                : recall_target;
}

}  // namespace

double RecallTarget(const SearchQuery& query, const DenseSource& source,
                    const SearchDefaults& defaults) {
  if (source.exact || source.ef != 0) {
    return 0;
  }
  if (query.recall_target != 0) {
    return query.recall_target;
  }
  if (query.cut_off.has_value() &&
      std::holds_alternative<MinScore>(*query.cut_off)) {
    return 1;  // all that is near enough
  }
  return defaults.ef != 0 ? 0 : defaults.recall_target;
}

uint32_t DefaultCandidates(uint32_t page_end) {
  uint32_t candidates = 100;
  while (candidates < page_end && candidates < limits::kHitsMax) {
    candidates *= 10;
  }
  return candidates;
}

void DensePlan::EndBelow(double score) {
  constexpr auto kMax = static_cast<double>(std::numeric_limits<float>::max());
  for (SegmentPlan& segment : segments) {
    if (segment.method == SearchMethod::kGraph && segment.effort.has_slack()) {
      segment.effort.least_score =
          static_cast<float>(std::clamp(score, -kMax, kMax));
      least_score = score;
    }
  }
}

std::string DensePlan::SegmentsText(absl::string_view indent) const {
  std::string text;
  for (const SegmentPlan& segment : segments) {
    absl::StrAppend(&text, indent, segment.growing ? "growing" : "sealed",
                    " segment ", segment.number, ": ", MethodText(segment),
                    CostsText(segment.costs), ", rows ", segment.rows,
                    ", dead ", segment.dead,
                    segment.matching.has_value()
                        ? absl::StrCat(segment.method == SearchMethod::kWindow
                                           ? ", in the window "
                                           : ", matching ",
                                       *segment.matching)
                        : std::string(),
                    "\n");
  }
  return text;
}

std::string Plan::ToString(const Schema& schema) const {
  const VectorFieldSchema& field = schema.vector_fields[dense.field];
  std::string text = absl::StrCat(
      "  dense ", field.name, " ", MetricName(field.metric), " dimension ",
      field.dimension, " candidates ", dense.candidates);
  if (dense.recall_target != 0) {
    absl::StrAppendFormat(&text, " recall target %.4g", dense.recall_target);
  }
  if (dense.least_score.has_value()) {
    absl::StrAppendFormat(&text, " ends below %.6g", *dense.least_score);
  }
  text += "\n";
  if (filter != nullptr) {
    absl::StrAppend(&text, "  filter ", FilterText(*filter), "\n");
  }
  return Around(absl::StrCat(text, dense.SegmentsText("    ")));
}

std::string Plan::ToString(absl::string_view sources) const {
  std::string text;
  if (filter != nullptr) {
    absl::StrAppend(&text, "  filter ", FilterText(*filter), "\n");
  }
  absl::StrAppend(&text, sources);
  return Around(text);
}

std::string Plan::Around(absl::string_view sources) const {
  std::string text =
      absl::StrCat("search limit ", limit, " offset ", offset, "\n", sources);
  for (const std::string& stage : stages) {
    absl::StrAppend(&text, "  ", stage, "\n");
  }
  if (fetch_payload || fetch_vectors) {
    absl::StrAppend(&text, "  fetch", fetch_payload ? " payload" : "",
                    fetch_vectors ? " vectors" : "", "\n");
  }
  return text;
}

Plan PlanOf(const SearchQuery& query) {
  Plan plan;
  plan.limit = query.limit;
  plan.offset = query.offset;
  plan.fetch_payload = query.projection.payload;
  plan.fetch_vectors = query.projection.any_vectors();
  plan.filter = query.filter.has_value() ? &*query.filter : nullptr;
  return plan;
}

DensePlan PlanDense(const DenseSource& source, const DenseAim& aim,
                    const SearchDefaults& defaults,
                    const std::vector<SegmentFacts>& segments) {
  DensePlan plan{.field = aim.field,
                 .candidates = aim.candidates,
                 .recall_target = aim.corrected
                                      ? CorrectedAim(aim.recall_target)
                                      : aim.recall_target};
  for (const SegmentFacts& facts : segments) {
    plan.segments.push_back(PlanSegment(facts, source, plan, defaults));
  }
  plan.expected_recall = MergedRecall(plan.segments);
  if (aim.corrected && plan.expected_recall < 1) {
    plan.expected_recall = 0;
  }
  return plan;
}

Plan PlanSearch(const SearchQuery& query, uint16_t field,
                const SearchDefaults& defaults,
                const std::vector<SegmentFacts>& segments,
                const RankingNeeds& needs) {
  const auto& source = std::get<DenseSource>(query.sources.front());
  Plan plan = PlanOf(query);
  // The stored point that is searched by leaves the answer: one more.
  const bool by_stored_point = std::holds_alternative<PointId>(source.target);
  plan.dense = PlanDense(
      source,
      {.field = field,
       .candidates = (needs.candidates != 0 ? needs.candidates
                                            : query.limit + query.offset) +
                     (by_stored_point ? 1 : 0),
       .recall_target = RecallTarget(query, source, defaults),
       .corrected = needs.corrected},
      defaults, segments);
  return plan;
}

}  // namespace sextant
