// SPDX-License-Identifier: Apache-2.0
#include "index/recall_calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "index/graph_search.h"
#include "index/scan.h"
#include "index/vector_index_rep.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20251124;
constexpr uint32_t kQueriesMin = 100;
constexpr uint32_t kQueriesMax = 300;
// Rows for each query more than the fewest: small segments are built in a
// fraction of a second.
constexpr uint32_t kRowsPerQuery = 512;
constexpr uint32_t kDepthMax = kRecallDepths.back();
// Fewer rows are not worth a search, and not enough to measure one.
constexpr uint32_t kRowsMin = 4 * kDepthMax;

// What a client may name.
constexpr auto kWidths =
    std::to_array<uint32_t>({10, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096});
// What a recall target becomes. The beam bounds what a hopeless query costs.
constexpr auto kSlacks = std::to_array<float>(
    {0.01F, 0.02F, 0.03F, 0.045F, 0.06F, 0.08F, 0.1F, 0.125F, 0.15F, 0.18F,
     0.22F, 0.27F, 0.33F, 0.4F, 0.5F, 0.7F, 1.0F});
constexpr uint32_t kSlackWidth = 4096;
// A wider beam than one node of so many is slower than a scan.
constexpr uint32_t kRowsPerWidth = 8;
// So is a search with more distances than one row in so many.
constexpr float kRowsPerDistance = 2;
// A depth that misses no more than this is not measured with more effort.
constexpr double kMissNegligible = 0.001;

bool IsEnough(const RecallPoint& point, size_t depth) {
  return point.recall[depth] >= 1 - kMissNegligible;
}

// Rows scanned for one query after another while they are in the cache.
constexpr size_t kScanBytes = size_t{256} << 10U;
constexpr uint32_t kScanQueries = 64;

}  // namespace

// The searches of a calibration and their exact answers.
class RecallCalibration::Sample {
 public:
  Sample(const VectorIndex& index, const BuildRun& run)
      : rep_(*index.rep_),
        graph_(*rep_.graph),
        run_{run.pool, run.context, nullptr},
        longest_row_(LongestRow()) {
    if (rep_.scores_by_codes) {
      for (uint32_t row = 0; row < rep_.rows; ++row) {
        const Ordinal ordinal = rep_.ordinals[row];
        row_of_.resize(std::max<size_t>(row_of_.size(), ordinal + size_t{1}));
        row_of_[ordinal] = row;
      }
    }
  }

  uint32_t size() const { return static_cast<uint32_t>(queries_.size()); }
  float longest_row() const { return longest_row_; }

  // Nodes of level 0 only: those above are where a search begins, and it could
  // not begin without them.
  void Choose() {
    const uint32_t first = graph_.levels() > 0 ? graph_.sizes().nodes_at[0] : 1;
    const uint32_t end = graph_.nodes();
    const uint32_t wanted =
        std::min(kQueriesMax, kQueriesMin + rep_.rows / kRowsPerQuery);
    if (first >= end || rep_.rows < kRowsMin) {
      return;
    }
    std::mt19937_64 random(kSeed);
    for (uint32_t i = 0; i < std::min(wanted, end - first); ++i) {
      Query query;
      query.node = first + static_cast<uint32_t>(random() % (end - first));
      query.hidden = RowsOf(query.node);
      queries_.push_back(std::move(query));
    }
  }

  // The scores of the nearest other rows of each query. A block of rows is
  // compared with many queries while it is in the cache.
  absl::Status FindTruth() {
    const uint32_t groups = (size() - 1) / kScanQueries + 1;
    std::vector<absl::Status> outcomes(groups);
    ForEachStep(run_.pool, groups, [&](size_t group) {
      const size_t first = group * kScanQueries;
      outcomes[group] = ScanFor(std::span(queries_).subspan(
          first, std::min<size_t>(kScanQueries, size() - first)));
    });
    for (const absl::Status& outcome : outcomes) {
      RETURN_IF_ERROR(outcome);
    }
    return absl::OkStatus();
  }

  // Searches for the best of the greatest depth find those of the others too;
  // only slack begins at the last one that is asked for. There, what was enough
  // with less effort, as `before` may say, is taken from it.
  absl::StatusOr<RecallPoint> Measure(const SearchEffort& effort,
                                      const RecallPoint& before) {
    RecallPoint point;
    point.effort = effort;
    for (size_t depth = kRecallDepths.size(); depth-- > 0;) {
      if (effort.ef < kRecallDepths[depth]) {
        continue;
      }
      if (effort.has_slack() && IsEnough(before, depth)) {
        point.recall[depth] = before.recall[depth];
        point.error[depth] = before.error[depth];
        point.distances[depth] = before.distances[depth];
        continue;
      }
      if (point.distances[depth] == 0) {
        RETURN_IF_ERROR(SearchAll(effort, kRecallDepths[depth]));
        const float distances = MeanDistances();
        for (size_t lower = effort.has_slack() ? depth : 0; lower <= depth;
             ++lower) {
          point.distances[lower] = distances;
        }
      }
      Summarize(depth, point);
    }
    return point;
  }

  // Greatest norm of a row.
  float LongestRow() const {
    float longest = 0;
    for (uint32_t row = 0; row < rep_.rows; ++row) {
      const float* vector = rep_.vectors + row * rep_.stride;
      longest = std::max(longest, Kernels().inner_product(
                                      vector, vector, rep_.shape.dimension));
    }
    return std::sqrt(longest);
  }

 private:
  struct Query {
    uint32_t node = 0;
    RowSet hidden;              // its rows
    std::vector<float> scores;  // of the exact nearest, descending
    // Share of the nearest that the last search found, for each depth.
    std::array<double, kRecallDepths.size()> recall = {};
    uint64_t distances = 0;
  };

  absl::Status SearchAll(const SearchEffort& effort, uint32_t k) {
    return ForEachNode(run_, 0, size(), [&](uint32_t i) {
      return SearchFor(queries_[i], effort, k);
    });
  }

  float MeanDistances() const {
    double sum = 0;
    for (const Query& query : queries_) {
      sum += static_cast<double>(query.distances);
    }
    return static_cast<float>(sum / size());
  }

  RowSet RowsOf(uint32_t node) const {
    std::vector<Ordinal> ordinals = {rep_.ordinals[node]};
    if (graph_.has_duplicates()) {
      const FrozenGraph::RowRange rows = graph_.duplicates(node);
      ordinals.insert(ordinals.end(), rep_.ordinals + rows.first,
                      rep_.ordinals + rows.end);
    }
    return RowSet().With(ordinals, std::ranges::max(ordinals) + 1);
  }

  ScanRequest RequestOf(const Query& query) const {
    return {rep_.shape,
            {rep_.vectors + query.node * rep_.stride, rep_.shape.dimension},
            query.hidden,
            run_.context};
  }

  absl::Status ScanFor(std::span<Query> queries) const {
    const auto step = static_cast<uint32_t>(
        std::max<size_t>(kScanBytes / (rep_.stride * sizeof(float)), 64));
    std::vector<TopK> tops(queries.size(), TopK(kDepthMax));
    SearchWork work;
    for (uint32_t begin = 0; begin < rep_.rows;) {
      const uint32_t rows = std::min(step, rep_.rows - begin);
      for (size_t i = 0; i < queries.size(); ++i) {
        RETURN_IF_ERROR(ScanBlock(
            RequestOf(queries[i]),
            {rep_.vectors + begin * rep_.stride, rep_.ordinals + begin, rows},
            tops[i], work));
      }
      begin += rows;
    }
    for (size_t i = 0; i < queries.size(); ++i) {
      for (const ScoredRow& hit : tops[i].TakeSorted()) {
        queries[i].scores.push_back(hit.score);
      }
    }
    return absl::OkStatus();
  }

  // The truth about hits that keep the scores of codes.
  void ScoreByFloats(const Query& query, std::vector<ScoredRow>& hits) const {
    const Scorer scorer(rep_.shape.metric);
    for (ScoredRow& hit : hits) {
      const uint32_t row = row_of_[hit.row];
      float distance = 0;
      scorer.rows(RequestOf(query).query.data(), rep_.vectors, rep_.stride,
                  rep_.shape.dimension, {&row, 1}, &distance);
      hit.score = scorer.sign * distance;
    }
  }

  // Equal scores are equally right: a hit counts if it is as good as the exact
  // one of the last rank.
  absl::Status SearchFor(Query& query, const SearchEffort& effort,
                         uint32_t k) const {
    SearchedGraph searched = rep_.Searched();
    searched.hidden_node = query.node;
    searched.longest_row = longest_row_;
    TopK top(k);
    SearchWork work;
    RETURN_IF_ERROR(SearchGraph(RequestOf(query), searched, effort, top, work));
    query.distances = work.distances;
    std::vector<ScoredRow> hits = top.TakeSorted();
    if (searched.scored_by_codes) {
      ScoreByFloats(query, hits);
    }
    for (size_t depth = 0; depth < kRecallDepths.size(); ++depth) {
      const size_t wanted =
          std::min<size_t>(kRecallDepths[depth], query.scores.size());
      const auto found = std::ranges::count_if(
          std::span(hits).first(std::min(wanted, hits.size())),
          [&](const ScoredRow& hit) {
            return hit.score >= query.scores[wanted - 1];
          });
      query.recall[depth] = wanted == 0 ? 1
                                        : static_cast<double>(found) /
                                              static_cast<double>(wanted);
    }
    return absl::OkStatus();
  }

  void Summarize(size_t depth, RecallPoint& point) const {
    double sum = 0;
    double squares = 0;
    for (const Query& query : queries_) {
      sum += query.recall[depth];
      squares += query.recall[depth] * query.recall[depth];
    }
    const double mean = sum / size();
    const double variance = std::max(0.0, squares / size() - mean * mean);
    point.recall[depth] = static_cast<float>(std::min(1.0, mean));
    point.error[depth] = static_cast<float>(std::sqrt(variance / size()));
  }

  const VectorIndex::Rep& rep_;
  const FrozenGraph& graph_;
  const BuildRun run_;
  const float longest_row_;
  std::vector<uint32_t> row_of_;  // by ordinal; empty unless needed
  std::vector<Query> queries_;
};

absl::StatusOr<std::optional<RecallCurve>> RecallCalibration::Run(
    const VectorIndex& index, const BuildRun& run) {
  if (!index.has_graph()) {
    return std::nullopt;
  }
  Sample sample(index, run);
  sample.Choose();
  if (sample.size() == 0) {
    return std::nullopt;
  }
  RETURN_IF_ERROR(sample.FindTruth());
  std::vector<RecallPoint> points;
  for (const uint32_t width : kWidths) {
    if (!points.empty() && width > index.rows() / kRowsPerWidth) {
      break;
    }
    ASSIGN_OR_RETURN(const RecallPoint point,
                     sample.Measure({.ef = width}, RecallPoint()));
    points.push_back(point);
    if (IsEnough(point, 1) && IsEnough(point, 2)) {
      break;
    }
  }
  const auto rows = static_cast<float>(index.rows());
  RecallPoint before;
  for (const float slack : kSlacks) {
    ASSIGN_OR_RETURN(
        before, sample.Measure({.ef = kSlackWidth, .slack = slack}, before));
    points.push_back(before);
    if ((IsEnough(before, 1) && IsEnough(before, 2)) ||
        before.distances[1] > rows / kRowsPerDistance) {
      break;
    }
  }
  return RecallCurve(std::move(points), sample.size(), sample.longest_row());
}

}  // namespace sextant
