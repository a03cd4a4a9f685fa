// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/collection.h"
#include "server/api/api_environment.h"
#include "sextant/v1/point_service.pb.h"

namespace sextant {

// sextant.v1.PointService without a transport. The errors of each call are
// stated in the proto.
//
// Owned by the daemon. Thread-safe.
class PointApi {
 public:
  explicit PointApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status Upsert(const v1::UpsertPointsRequest& request,
                      const RequestContext& context,
                      v1::UpsertPointsResponse* response) const;
  absl::Status Get(const v1::GetPointsRequest& request,
                   const RequestContext& context,
                   v1::GetPointsResponse* response) const;
  absl::Status Delete(const v1::DeletePointsRequest& request,
                      const RequestContext& context,
                      v1::DeletePointsResponse* response) const;
  absl::Status Scroll(const v1::ScrollPointsRequest& request,
                      const RequestContext& context,
                      v1::ScrollPointsResponse* response) const;
  absl::Status Count(const v1::CountPointsRequest& request,
                     const RequestContext& context,
                     v1::CountPointsResponse* response) const;
  absl::Status Facets(const v1::FacetPointsRequest& request,
                      const RequestContext& context,
                      v1::FacetPointsResponse* response) const;

  // What one upsert stream remembers between its messages. One thread at a
  // time.
  struct UpsertStreamState {
    std::string collection;
    uint64_t messages = 0;
  };
  // A message of it that was parsed and checked, to be committed.
  struct StreamChunk {
    std::shared_ptr<Collection> collection;
    PreparedWrite write;
    uint64_t message_index = 0;
  };
  // Takes the processor, does not wait.
  absl::StatusOr<StreamChunk> PrepareStreamChunk(
      const v1::StreamUpsertPointsRequest& request,
      const RequestContext& context, UpsertStreamState* stream) const;
  // Chunks of one collection, at least one, in their order: they become durable
  // together. Mostly waits for the disk. An answer to each.
  absl::StatusOr<std::vector<v1::StreamUpsertPointsResponse>>
  CommitStreamChunks(std::vector<StreamChunk> chunks,
                     const RequestContext& context) const;

 private:
  // A page by id, of all points.
  absl::Status ScrollAll(const v1::ScrollPointsRequest& request,
                         const RequestContext& context,
                         v1::ScrollPointsResponse* response) const;
  // A page by filter or order.
  absl::Status ScrollSome(const v1::ScrollPointsRequest& request,
                          const RequestContext& context,
                          v1::ScrollPointsResponse* response) const;
  // Counts a write and logs the first one that the store refuses.
  absl::StatusOr<WriteResult> Recorded(
      absl::StatusOr<WriteResult> result) const;

  const ApiEnvironment environment_;
  mutable std::atomic<bool> write_failure_logged_{false};
};

}  // namespace sextant
