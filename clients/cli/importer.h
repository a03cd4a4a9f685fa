// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/cli/import_state.h"
#include "clients/cli/point_source.h"
#include "clients/cli/progress.h"
#include "clients/cpp/client.h"

namespace sextant::cli {

struct ImportOptions {
  std::string collection;
  // The vector field for vectors without a name; empty = the only one.
  std::string field;
  // Points of a message; 0 = about 4 MiB of them.
  size_t batch_points = 0;
  // Messages on their way.
  size_t window = 4;
  bool resume = false;
  // Empty = no state is kept.
  std::string state_path;
};

struct ImportSummary {
  // By this run; a message that was sent twice counts once.
  uint64_t points = 0;
  uint64_t inserted = 0;
  uint64_t updated = 0;
  // By earlier runs that this one resumed.
  uint64_t skipped = 0;
  absl::Duration time;
};

// Brings the points of a source into a collection: checks each against the
// schema, sends them as a stream, keeps the state file, shows progress. One
// import; used by one thread.
class Importer {
 public:
  // All outlive the importer.
  Importer(client::Client* client, PointSource* source,
           const ImportOptions& options, ProgressMeter* meter)
      : client_(*client), source_(*source), options_(options), meter_(*meter) {}

  // The server's errors, or InputError for what is wrong with the source.
  // Points acknowledged before an error stay.
  absl::StatusOr<ImportSummary> Run(const client::CollectionInfo& info);

 private:
  // Gives the point its field name and checks it. The messages say where.
  absl::Status Prepare(client::Point* point) const;
  absl::Status CheckVector(const std::string& field, size_t size) const;
  // Decides which field vectors without a name are for.
  absl::Status ChooseField();
  absl::Status SkipDone();
  absl::Status SendAll();
  absl::Status SendBatch();
  void SaveState(bool now);
  ProgressState Progress() const;

  client::Client& client_;
  PointSource& source_;
  const ImportOptions options_;
  ProgressMeter& meter_;

  client::CollectionInfo info_;
  std::string field_;
  ImportState state_;
  uint64_t skipped_ = 0;
  absl::Time saved_at_ = absl::InfinitePast();
  bool state_works_ = true;
  std::unique_ptr<client::UpsertStream> stream_;
  std::vector<client::Point> batch_;
  size_t batch_bytes_ = 0;
};

}  // namespace sextant::cli
