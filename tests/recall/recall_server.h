// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "clients/cpp/client.h"
#include "tests/recall/exact_search.h"

// What the recall tests do with a real server, all through gRPC.
namespace sextant {

// Creates the collection with one cosine field "embedding".
absl::Status CreateCollection(
    client::Client& client, const std::string& collection, uint64_t dimension,
    client::Encoding encoding = client::Encoding::kAuto,
    client::Rerank rerank = client::Rerank::kMemory);

// Writes the points; their vectors are rows of the matrix.
absl::Status Import(client::Client& client, const std::string& collection,
                    const Matrix& matrix,
                    const std::vector<ExactPoint>& points);

// Waits until fewer than `graph_rows_min` points (engine.min_graph_rows, below
// which the server builds no graph) are without one and nothing is built any
// more; DEADLINE_EXCEEDED after `limit`.
absl::StatusOr<client::CollectionInfo> WaitUntilIndexed(
    client::Client& client, const std::string& collection,
    uint64_t graph_rows_min, absl::Duration limit);

// The ids of the best k, for each row of the queries; with the recall target
// that is the server's default, or another.
absl::StatusOr<std::vector<std::vector<uint64_t>>> SearchAll(
    client::Client& client, const std::string& collection,
    const Matrix& queries, uint32_t k, double recall_target = 0);

}  // namespace sextant
