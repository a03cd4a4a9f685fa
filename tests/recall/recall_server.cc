// SPDX-License-Identifier: Apache-2.0
#include "tests/recall/recall_server.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

constexpr char kField[] = "embedding";
constexpr size_t kBatch = 2'000;

}  // namespace

absl::Status CreateCollection(client::Client& client,
                              const std::string& collection, uint64_t dimension,
                              client::Encoding encoding,
                              client::Rerank rerank) {
  client::CollectionSchema schema;
  schema.vector_fields.push_back({.name = kField,
                                  .dimension = static_cast<uint32_t>(dimension),
                                  .metric = client::Metric::kCosine,
                                  .encoding = encoding,
                                  .rerank = rerank});
  return client.CreateCollection(collection, schema).status();
}

absl::Status Import(client::Client& client, const std::string& collection,
                    const Matrix& matrix,
                    const std::vector<ExactPoint>& points) {
  const std::unique_ptr<client::UpsertStream> stream =
      client.OpenUpsertStream(collection);
  std::vector<client::Point> batch;
  for (const ExactPoint& point : points) {
    const std::span<const float> row = matrix.Row(point.row);
    batch.push_back({.id = point.id,
                     .vectors = {{kField, {row.begin(), row.end()}}},
                     .payload = ""});
    if (batch.size() == kBatch) {
      RETURN_IF_ERROR(stream->Send(batch));
      batch.clear();
    }
  }
  if (!batch.empty()) {
    RETURN_IF_ERROR(stream->Send(batch));
  }
  return stream->Finish();
}

absl::StatusOr<client::CollectionInfo> WaitUntilIndexed(
    client::Client& client, const std::string& collection,
    uint64_t graph_rows_min, absl::Duration limit) {
  absl::StatusOr<client::CollectionInfo> info;
  const bool done = Eventually(
      [&] {
        info = client.GetCollection(collection);
        return !info.ok() || (!info->index.building &&
                              info->index.unindexed_points < graph_rows_min);
      },
      limit);
  if (!done) {
    return absl::DeadlineExceededError(absl::StrCat(
        "still ", info->index.unindexed_points, " points without a graph"));
  }
  return info;
}

absl::StatusOr<std::vector<std::vector<uint64_t>>> SearchAll(
    client::Client& client, const std::string& collection,
    const Matrix& queries, uint32_t k, double recall_target) {
  constexpr uint64_t kSearches = 100;
  std::vector<std::vector<uint64_t>> answers;
  for (uint64_t first = 0; first < queries.rows; first += kSearches) {
    std::vector<client::SearchRequest> requests;
    for (uint64_t row = first; row < std::min(first + kSearches, queries.rows);
         ++row) {
      const std::span<const float> query = queries.Row(row);
      client::SearchRequest& request = requests.emplace_back();
      request.target = std::vector<float>(query.begin(), query.end());
      request.limit = k;
      request.recall_target = recall_target;
    }
    ASSIGN_OR_RETURN(const std::vector<client::SearchResult> results,
                     client.SearchBatch(collection, requests));
    for (const client::SearchResult& result : results) {
      std::vector<uint64_t>& ids = answers.emplace_back();
      for (const client::Hit& hit : result.hits) {
        const auto* id = std::get_if<uint64_t>(&hit.id);
        if (id == nullptr) {
          return absl::InternalError("a string id in a number collection");
        }
        ids.push_back(*id);
      }
    }
  }
  return answers;
}

}  // namespace sextant
