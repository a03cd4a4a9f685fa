// SPDX-License-Identifier: Apache-2.0
#include "bench/filter_search.h"

#include <algorithm>

#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "bench/ann_measure.h"
#include "bench/processor.h"
#include "index/recall_curve.h"
#include "index/vector_index.h"

namespace sextant {
namespace {

constexpr uint32_t kHits = 10;
constexpr int kRounds = 5;
constexpr auto kTie = static_cast<float>(kScoreTie);

// Hits at least as good as the exact k-th, of k.
double Right(const std::vector<ScoredRow>& exact,
             const std::vector<ScoredRow>& found) {
  return static_cast<double>(std::count_if(found.begin(), found.end(),
                                           [&exact](const ScoredRow& row) {
                                             return row.score >=
                                                    exact.back().score - kTie;
                                           })) /
         static_cast<double>(exact.size());
}

}  // namespace

absl::Status MeasureFilteredSearch(
    const AnnDataset& dataset, const FilterSearchSettings& settings,
    absl::FunctionRef<std::vector<Ordinal>()> match) {
  AnnSettings ann;
  ann.cache_folder = settings.cache_folder;
  AnnResult engine;
  engine.contestant = NewEngineContestant();
  RETURN_IF_ERROR(PrepareAnn(dataset, ann, engine));
  const VectorIndex& index = EngineIndex(*engine.contestant);
  const SearchEffort effort = EffortFor(index, settings.recall_target, kHits);
  const RequestContext context;
  const RowSet none;
  double recall = 0;
  double unfiltered_recall = 0;
  std::vector<double> unfiltered;
  std::vector<double> filtered;
  size_t matching = 0;
  for (int round = 0; round < kRounds; ++round) {
    double start = ThreadCpuSeconds();
    for (uint32_t i = 0; i < dataset.queries; ++i) {
      TopK top(kHits);
      SearchWork work;
      RETURN_IF_ERROR(
          index.Search(std::span(dataset.query(i), dataset.dimension), effort,
                       none, context, top, work));
      if (round == 0) {
        for (const ScoredRow& row : top.TakeSorted()) {
          unfiltered_recall +=
              row.score >= dataset.kth_scores[i] - kTie ? 1.0 / kHits : 0;
        }
      }
    }
    unfiltered.push_back(ThreadCpuSeconds() - start);
    start = ThreadCpuSeconds();
    for (uint32_t i = 0; i < dataset.queries; ++i) {
      TopK top(kHits);
      SearchWork work;
      const std::vector<Ordinal> ordinals = match();
      RETURN_IF_ERROR(index.ScanOrdinalsByCodes(
          std::span(dataset.query(i), dataset.dimension), ordinals, context,
          top, work));
      matching = ordinals.size();
    }
    filtered.push_back(ThreadCpuSeconds() - start);
  }
  for (uint32_t i = 0; i < dataset.queries; ++i) {
    TopK exact(kHits);
    TopK found(kHits);
    SearchWork work;
    const std::vector<Ordinal> ordinals = match();
    const std::span<const float> query(dataset.query(i), dataset.dimension);
    RETURN_IF_ERROR(index.ScanOrdinals(query, ordinals, context, exact, work));
    RETURN_IF_ERROR(
        index.ScanOrdinalsByCodes(query, ordinals, context, found, work));
    recall += Right(exact.TakeSorted(), found.TakeSorted());
  }
  const double queries = dataset.queries;
  absl::PrintF(
      "%s: %.1f us without a filter (recall %.4f, target %.2f), %.1f us with "
      "one that %d of %d rows match (recall %.4f): x %.2f\n",
      dataset.name, 1e6 * Median(unfiltered) / queries,
      unfiltered_recall / queries, settings.recall_target,
      1e6 * Median(filtered) / queries, matching, dataset.rows,
      recall / queries, Median(filtered) / Median(unfiltered));
  return absl::OkStatus();
}

}  // namespace sextant
