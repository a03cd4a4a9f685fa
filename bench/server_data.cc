// SPDX-License-Identifier: Apache-2.0
#include "bench/server_data.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "bench/ann_contestant.h"
#include "bench/processor.h"

namespace sextant {
namespace {

// A collection that is quiet for so long is done: merges follow one another.
constexpr absl::Duration kQuiet = absl::Seconds(3);
constexpr absl::Duration kPoll = absl::Milliseconds(250);

// Waits until all is in graphs and merged.
absl::Status WaitUntilIndexed(client::Client& client, uint32_t rows) {
  AnnProgress progress("server, building", rows);
  absl::Time quiet_since = absl::Now();
  while (absl::Now() < quiet_since + kQuiet) {
    ASSIGN_OR_RETURN(const client::CollectionInfo info,
                     client.GetCollection(kBenchCollection));
    const uint64_t total = std::max<uint64_t>(info.index.build_rows_total, 1);
    progress.Set(info.index.build_rows_done * rows / total);
    // What is too little for a graph stays in the growing segment.
    if (info.index.building || info.index.unindexed_points > rows / 50 + 2048) {
      quiet_since = absl::Now();
    }
    absl::SleepFor(kPoll);
  }
  return absl::OkStatus();
}

absl::Status LoadInto(const AnnDataset& dataset, const std::string& folder) {
  ServerPlace place;
  place.data_dir = folder;
  ASSIGN_OR_RETURN(const std::unique_ptr<ServerProcess> server,
                   StartServer(place));
  ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                   client::Client::Connect(server->grpc_address()));
  RETURN_IF_ERROR(CreateBenchCollection(*client, dataset));
  constexpr uint32_t kChunk = 1'000;
  RETURN_IF_ERROR(StreamRows(*client, dataset, dataset.rows, kChunk));
  RETURN_IF_ERROR(WaitUntilIndexed(*client, dataset.rows));
  return server->Terminate().status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerProcess>> StartServer(
    const ServerPlace& place) {
  ServerProcessOptions options;
  options.data_dir = place.data_dir;
  options.arguments = {"--log.level", "info"};
  if (!place.unix_socket.empty()) {
    options.arguments.insert(options.arguments.end(),
                             {"--grpc.unix_socket", place.unix_socket});
  }
  // The process inherits where this thread may run.
  const PinnedScope pinned(place.cpu);
  return ServerProcess::Start(options);
}

absl::Status CreateBenchCollection(client::Client& client,
                                   const AnnDataset& dataset) {
  client::CollectionSchema schema;
  schema.vector_fields.push_back({.name = kBenchField,
                                  .dimension = dataset.dimension,
                                  .metric = client::Metric::kInnerProduct});
  return client.CreateCollection(kBenchCollection, schema).status();
}

absl::Status StreamRows(client::Client& client, const AnnDataset& dataset,
                        uint32_t rows, uint32_t chunk) {
  const std::unique_ptr<client::UpsertStream> stream =
      client.OpenUpsertStream(kBenchCollection);
  AnnProgress progress("server, loading", rows);
  std::vector<client::Point> points(chunk);
  for (uint32_t first = 0; first < rows; first += chunk) {
    points.resize(std::min(chunk, rows - first));
    for (uint32_t i = 0; i < points.size(); ++i) {
      const float* const row = dataset.row(first + i);
      points[i].id = uint64_t{first} + i;
      points[i].vectors[kBenchField].assign(row, row + dataset.dimension);
    }
    RETURN_IF_ERROR(stream->Send(points));
    progress.Set(stream->acknowledged().points);
  }
  return stream->Finish();
}

absl::StatusOr<std::string> PrepareServerData(const AnnDataset& dataset,
                                              const std::string& cache_folder,
                                              bool fresh) {
  const std::filesystem::path folder =
      std::filesystem::path(cache_folder) /
      absl::StrCat(dataset.name, "-", dataset.rows, "-",
                   absl::Hex(dataset.hash), ".server");
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !fresh) {
    return folder.string();
  }
  // Whole or not at all.
  const std::filesystem::path unfinished = folder.string() + ".new";
  std::filesystem::remove_all(unfinished, error);
  std::filesystem::create_directories(unfinished, error);
  RETURN_IF_ERROR(LoadInto(dataset, unfinished.string()));
  std::filesystem::remove_all(folder, error);
  std::filesystem::rename(unfinished, folder, error);
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot make ", folder.string(), ": ", error.message()));
  }
  return folder.string();
}

absl::StatusOr<std::unique_ptr<ScratchData>> ScratchData::Make(
    const std::string& cache_folder, const std::string& source) {
  std::error_code error;
  std::filesystem::create_directories(cache_folder, error);
  std::string pattern =
      (std::filesystem::absolute(cache_folder) / "scratch-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return absl::InternalError(absl::StrCat("cannot make ", pattern));
  }
  std::unique_ptr<ScratchData> scratch(new ScratchData(pattern));
  if (!source.empty()) {
    std::filesystem::copy(source, scratch->path(),
                          std::filesystem::copy_options::recursive, error);
  }
  if (error) {
    return absl::InternalError(absl::StrCat("cannot copy ", source, " to ",
                                            scratch->path(), ": ",
                                            error.message()));
  }
  return scratch;
}

ScratchData::~ScratchData() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sextant
