// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "clients/cpp/client.h"

namespace sextant::cli {

struct PointsDone {
  uint64_t done = 0;
  uint64_t total = 0;
};

// Shows how far the server is with the points of a collection, until `progress`
// of its description is nothing; returns that description.
absl::StatusOr<client::CollectionInfo> WaitForPoints(
    client::Client& client, client::CollectionInfo info,
    absl::FunctionRef<std::optional<PointsDone>(const client::CollectionInfo&)>
        progress);

}  // namespace sextant::cli
