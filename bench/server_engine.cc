// SPDX-License-Identifier: Apache-2.0
#include "bench/server_engine.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/memory/memory.h"

#include "base/context.h"
#include "base/status_macros.h"
#include "bench/processor.h"

namespace sextant {
namespace {

SearchQuery QueryOf(const AnnDataset& dataset, uint32_t query, uint32_t k,
                    double recall_target) {
  const float* const vector = dataset.query(query);
  SearchQuery result;
  result.sources.push_back(DenseSource{
      .field = kBenchField,
      .target = std::vector<float>(vector, vector + dataset.dimension)});
  result.limit = k;
  result.recall_target = recall_target;
  return result;
}

}  // namespace

EngineInProcess::EngineInProcess() = default;
EngineInProcess::~EngineInProcess() = default;

absl::StatusOr<std::unique_ptr<EngineInProcess>> EngineInProcess::Open(
    const std::string& cache_folder, const std::string& folder) {
  auto engine = absl::WrapUnique(new EngineInProcess());
  ASSIGN_OR_RETURN(engine->scratch_, ScratchData::Make(cache_folder, folder));
  DatabaseOptions options;
  options.store.path = engine->scratch_->path();
  ASSIGN_OR_RETURN(engine->database_, Database::Open(std::move(options)));
  ASSIGN_OR_RETURN(engine->collection_,
                   engine->database_->Find(kBenchCollection));
  return engine;
}

absl::StatusOr<double> EngineInProcess::Recall(const AnnDataset& dataset,
                                               uint32_t k,
                                               double recall_target) const {
  double sum = 0;
  for (uint32_t query = 0; query < dataset.queries; ++query) {
    ASSIGN_OR_RETURN(
        const SearchResult result,
        collection_->Search(QueryOf(dataset, query, k, recall_target),
                            RequestContext()));
    std::vector<uint32_t> rows;
    for (const Hit& hit : result.hits) {
      rows.push_back(static_cast<uint32_t>(std::get<uint64_t>(hit.point.id)));
    }
    rows.resize(k, ~0U);
    sum += TieAwareRecall(dataset, query, rows.data(), k);
  }
  return sum / dataset.queries;
}

absl::StatusOr<double> EngineInProcess::Qps(const AnnDataset& dataset,
                                            uint32_t k, double recall_target,
                                            double seconds) const {
  // Made before, as a client makes its requests.
  std::vector<SearchQuery> queries;
  queries.reserve(dataset.queries);
  for (uint32_t query = 0; query < dataset.queries; ++query) {
    queries.push_back(QueryOf(dataset, query, k, recall_target));
  }
  const double start = ProcessCpuSeconds();
  double count = 0;
  while (ProcessCpuSeconds() - start < seconds) {
    for (const SearchQuery& query : queries) {
      RETURN_IF_ERROR(collection_->Search(query, RequestContext()).status());
    }
    count += dataset.queries;
  }
  return count / (ProcessCpuSeconds() - start);
}

}  // namespace sextant
