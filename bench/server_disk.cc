// SPDX-License-Identifier: Apache-2.0
#include "bench/server_disk.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/write_batch.h"

#include "base/coding.h"
#include "base/status_macros.h"
#include "bench/processor.h"
#include "bench/server_data.h"

namespace sextant {
namespace {

absl::StatusOr<double> TimeServer(const AnnDataset& dataset,
                                  const std::string& cache_folder,
                                  const IngestResult& shape) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchData> scratch,
                   ScratchData::Make(cache_folder, ""));
  ServerPlace place;
  place.data_dir = scratch->path();
  ASSIGN_OR_RETURN(const std::unique_ptr<ServerProcess> server,
                   StartServer(place));
  ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                   client::Client::Connect(server->grpc_address()));
  RETURN_IF_ERROR(CreateBenchCollection(*client, dataset));
  const double start = WallSeconds();
  RETURN_IF_ERROR(StreamRows(*client, dataset, shape.rows, shape.chunk));
  return WallSeconds() - start;
}

absl::StatusOr<double> TimeRocksDb(const AnnDataset& dataset,
                                   const std::string& cache_folder,
                                   const IngestResult& shape) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchData> scratch,
                   ScratchData::Make(cache_folder, ""));
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status =
      rocksdb::DB::Open(options, scratch->path() + "/db", &opened);
  const std::unique_ptr<rocksdb::DB> database(opened);
  if (!status.ok()) {
    return absl::InternalError(status.ToString());
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const double start = WallSeconds();
  for (uint32_t first = 0; first < shape.rows; first += shape.chunk) {
    rocksdb::WriteBatch batch;
    const uint32_t end = std::min(shape.rows, first + shape.chunk);
    for (uint32_t row = first; row < end; ++row) {
      std::string key;
      AppendBigEndian<uint64_t>(&key, row);
      const rocksdb::Slice vector(
          reinterpret_cast<const char*>(dataset.row(row)),
          dataset.dimension * sizeof(float));
      status = batch.Put(key, vector);
      if (!status.ok()) {
        return absl::InternalError(status.ToString());
      }
    }
    status = database->Write(synced, &batch);
    if (!status.ok()) {
      return absl::InternalError(status.ToString());
    }
  }
  return WallSeconds() - start;
}

// Whether the answer holds the row, or another with the same vector.
bool Finds(const AnnDataset& dataset, uint32_t row,
           const absl::StatusOr<client::SearchResult>& result) {
  if (!result.ok() || result->hits.empty()) {
    return false;
  }
  const auto* const id = std::get_if<uint64_t>(&result->hits[0].id);
  return id != nullptr && *id < dataset.rows &&
         std::equal(dataset.row(row), dataset.row(row) + dataset.dimension,
                    dataset.row(*id));
}

// Until the first correct answer. A server that loads answers UNAVAILABLE; one
// that answers wrongly is an error.
absl::Status WaitForAnswer(client::Client& client, const AnnDataset& dataset,
                           uint32_t row) {
  const float* const vector = dataset.row(row);
  client::SearchRequest request;
  request.target = std::vector<float>(vector, vector + dataset.dimension);
  request.limit = 1;
  while (true) {
    const absl::StatusOr<client::SearchResult> result =
        client.Search(kBenchCollection, request);
    if (result.ok()) {
      return Finds(dataset, row, result)
                 ? absl::OkStatus()
                 : absl::DataLossError(
                       absl::StrCat("a search for the vector of row ", row,
                                    " finds another one first"));
    }
    if (!absl::IsUnavailable(result.status())) {
      return result.status();
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace

double IngestResult::ratio() const {
  std::vector<double> ratios;
  for (size_t i = 0; i < server_s.size(); ++i) {
    ratios.push_back(rocksdb_s[i] / server_s[i]);
  }
  return Median(ratios);
}

absl::StatusOr<IngestResult> MeasureIngest(const AnnDataset& dataset,
                                           const std::string& cache_folder,
                                           IngestResult shape, int rounds) {
  shape.rows =
      shape.rows == 0 ? dataset.rows : std::min(shape.rows, dataset.rows);
  shape.bytes = uint64_t{shape.rows} *
                (sizeof(uint64_t) + dataset.dimension * sizeof(float));
  for (int round = 0; round < rounds; ++round) {
    ASSIGN_OR_RETURN(const double server_s,
                     TimeServer(dataset, cache_folder, shape));
    ASSIGN_OR_RETURN(const double rocksdb_s,
                     TimeRocksDb(dataset, cache_folder, shape));
    std::fprintf(stderr, "ingest: server %.2f s, RocksDB alone %.2f s\n",
                 server_s, rocksdb_s);
    shape.server_s.push_back(server_s);
    shape.rocksdb_s.push_back(rocksdb_s);
  }
  return shape;
}

absl::StatusOr<RestartResult> MeasureRestart(const AnnDataset& dataset,
                                             const std::string& cache_folder,
                                             const std::string& folder,
                                             int rounds) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchData> scratch,
                   ScratchData::Make(cache_folder, folder));
  RestartResult result;
  ServerProcessOptions options;
  options.data_dir = scratch->path();
  ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server,
                   ServerProcess::Start(options));
  client::ClientOptions once;
  once.retry.attempts_max = 1;
  for (int round = 0; round < rounds; ++round) {
    server->Kill();
    const double start = WallSeconds();
    ASSIGN_OR_RETURN(server, ServerProcess::Launch(options));
    RETURN_IF_ERROR(server->WaitUntilListening());
    ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                     client::Client::Connect(server->grpc_address(), once));
    const auto row = static_cast<uint32_t>(
        (uint64_t{2654435761} * static_cast<uint64_t>(round + 1)) %
        dataset.rows);
    RETURN_IF_ERROR(WaitForAnswer(*client, dataset, row));
    result.seconds.push_back(WallSeconds() - start);
    ASSIGN_OR_RETURN(const client::CollectionInfo info,
                     client->GetCollection(kBenchCollection));
    result.rebuilt = result.rebuilt || info.index.building ||
                     info.index.unindexed_points > dataset.rows / 50 + 2048 ||
                     info.point_count != dataset.rows;
    std::fprintf(stderr, "restart: first correct answer after %.3f s\n",
                 result.seconds.back());
  }
  return result;
}

}  // namespace sextant
