// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"
#include "clients/cpp/client.h"
#include "tests/support/server_process.h"

namespace sextant {

inline constexpr char kBenchCollection[] = "bench";
inline constexpr char kBenchField[] = "vector";

// Where and how a server runs.
struct ServerPlace {
  std::string data_dir;
  int cpu = -1;             // to pin it to; -1: all processors
  std::string unix_socket;  // to listen on as well; may be empty
};

// Starts the sextantd of this build and waits until it serves.
absl::StatusOr<std::unique_ptr<ServerProcess>> StartServer(
    const ServerPlace& place);

// Creates the collection, one inner-product field of the set's dimension.
absl::Status CreateBenchCollection(client::Client& client,
                                   const AnnDataset& dataset);

// Streams `rows` rows of the set, row number = id, `chunk` points a message;
// every message is acknowledged once it is on disk.
absl::Status StreamRows(client::Client& client, const AnnDataset& dataset,
                        uint32_t rows, uint32_t chunk);

// A data directory that holds the set, loaded and indexed by a server of this
// build; made in `cache_folder` unless it is there or `fresh`.
absl::StatusOr<std::string> PrepareServerData(const AnnDataset& dataset,
                                              const std::string& cache_folder,
                                              bool fresh);

// A copy of a data directory, or an empty one, that is removed in the end. In
// the cache folder, so that it is on a disk of the same kind.
class ScratchData {
 public:
  // `source` may be empty.
  static absl::StatusOr<std::unique_ptr<ScratchData>> Make(
      const std::string& cache_folder, const std::string& source);
  ~ScratchData();
  ScratchData(const ScratchData&) = delete;
  ScratchData& operator=(const ScratchData&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit ScratchData(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

}  // namespace sextant
