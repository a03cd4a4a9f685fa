// SPDX-License-Identifier: Apache-2.0
#include "bench/server_disk.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
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
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_instance.h"

namespace sextant {
namespace {

class Stopwatch {
 public:
  explicit Stopwatch(pid_t server = 0) : server_(server) {}

  IngestRun Read() const {
    return {.wall_s = WallSeconds() - wall_,
            .cpu_s = ProcessCpuSeconds() - cpu_,
            .server_cpu_s = ServerCpu() - server_cpu_};
  }

 private:
  double ServerCpu() const {
    return server_ == 0 ? 0 : ProcessCpuSeconds(server_);
  }

  const pid_t server_;
  const double wall_ = WallSeconds();
  const double cpu_ = ProcessCpuSeconds();
  const double server_cpu_ = ServerCpu();
};

absl::StatusOr<IngestRun> TimeServer(const AnnDataset& dataset,
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
  const Stopwatch watch(server->pid());
  RETURN_IF_ERROR(StreamRows(*client, dataset, shape.rows, shape.chunk));
  return watch.Read();
}

// The records of rows [first, end), as the server's one batch for a message
// holds them.
absl::Status FillBatch(const AnnDataset& dataset, const RocksInstance& rocks,
                       const Change& change, uint32_t first,
                       rocksdb::WriteBatch* batch) {
  constexpr CollectionNumber kCollection = 1;
  const auto put = [&](Family family, const std::string& key,
                       const std::string& record) {
    const rocksdb::Status status =
        batch->Put(rocks.handle(family), key, record);
    return status.ok() ? absl::OkStatus()
                       : absl::InternalError(status.ToString());
  };
  const ContentHash hash;
  std::string record;
  uint32_t row = first;
  for (const std::string& id : change.upserted) {
    const std::string key = PointKey(kCollection, id);
    const FieldVector vector{
        0, std::span<const float>(dataset.row(row++), dataset.dimension)};
    EncodePoint(key, change.seq, hash, "", &record);
    RETURN_IF_ERROR(put(Family::kPoints, key, record));
    EncodeVectors(key, change.seq, hash, {.dense = {&vector, 1}}, &record);
    RETURN_IF_ERROR(put(Family::kVectors, key, record));
  }
  const std::string change_key = ChangeKey(kCollection, change.seq);
  EncodeChange(change_key, change, &record);
  RETURN_IF_ERROR(put(Family::kChanges, change_key, record));
  const std::string state_key =
      CollectionPartKey(kCollection, CollectionPart::kState);
  EncodeState(state_key, {change.seq, row, hash}, &record);
  return put(Family::kCollections, state_key, record);
}

absl::StatusOr<IngestRun> TimeRocksDb(const AnnDataset& dataset,
                                      const std::string& cache_folder,
                                      IngestResult* shape) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchData> scratch,
                   ScratchData::Make(cache_folder, ""));
  StoreOptions options;
  options.path = scratch->path() + "/db";
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksInstance> rocks,
                   RocksInstance::Open(options));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  shape->bytes = 0;
  const Stopwatch watch;
  Change change;
  for (uint32_t first = 0; first < shape->rows; first += shape->chunk) {
    const uint32_t end = std::min(shape->rows, first + shape->chunk);
    ++change.seq;
    change.upserted.clear();
    for (uint32_t row = first; row < end; ++row) {
      AppendBigEndian<uint64_t>(&change.upserted.emplace_back(), row);
    }
    rocksdb::WriteBatch batch;
    RETURN_IF_ERROR(FillBatch(dataset, *rocks, change, first, &batch));
    shape->bytes += batch.GetDataSize();
    const rocksdb::Status status = rocks->db()->Write(synced, &batch);
    if (!status.ok()) {
      return absl::InternalError(status.ToString());
    }
  }
  return watch.Read();
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
  for (size_t i = 0; i < server.size(); ++i) {
    ratios.push_back(rocksdb[i].wall_s / server[i].wall_s);
  }
  return Median(ratios);
}

absl::StatusOr<IngestResult> MeasureIngest(const AnnDataset& dataset,
                                           const std::string& cache_folder,
                                           IngestResult shape, int rounds) {
  shape.rows =
      shape.rows == 0 ? dataset.rows : std::min(shape.rows, dataset.rows);
  for (int round = 0; round < rounds; ++round) {
    ASSIGN_OR_RETURN(const IngestRun server,
                     TimeServer(dataset, cache_folder, shape));
    ASSIGN_OR_RETURN(const IngestRun rocksdb,
                     TimeRocksDb(dataset, cache_folder, &shape));
    std::fprintf(stderr,
                 "ingest: server %.2f s (CPU %.2f s, client's %.2f s), RocksDB "
                 "alone %.2f s (CPU %.2f s)\n",
                 server.wall_s, server.server_cpu_s, server.cpu_s,
                 rocksdb.wall_s, rocksdb.cpu_s);
    shape.server.push_back(server);
    shape.rocksdb.push_back(rocksdb);
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
