// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

#include "clients/cli/point_source.h"

namespace sextant::cli {

// How far an import came, kept in a small file so that `--resume` goes on
// after the last acknowledged message.
struct ImportState {
  std::string collection;
  // Tells a collection from a later one of the same name.
  int64_t collection_created_ns = 0;
  SourceIdentity source;
  uint64_t points_done = 0;

  std::string ToJson() const;
  // INVALID_ARGUMENT for anything but what ToJson() made.
  static absl::StatusOr<ImportState> FromJson(absl::string_view text);

  // Whether `earlier` is about the same files and the same collection.
  bool Continues(const ImportState& earlier) const;
};

// The state file of one import: under XDG_STATE_HOME or ~/.local/state, named
// by a hash of server, collection and files. Empty when there is no home.
std::string DefaultStatePath(absl::string_view server,
                             absl::string_view collection,
                             const SourceOptions& options);

// Replaces the file at once, so that a kill leaves the old state or the new.
absl::Status SaveImportState(const std::string& path, const ImportState& state);
// Nothing when there is no file or no state in it.
absl::optional<ImportState> LoadImportState(const std::string& path);
void RemoveImportState(const std::string& path);

}  // namespace sextant::cli
