// SPDX-License-Identifier: Apache-2.0
//
// Requests with any bytes in them, from the wire to the engine's own types:
// refused with INVALID_ARGUMENT, or accepted; never a crash.

#include <cstdint>

#include "absl/status/status.h"

#include "base/check.h"
#include "server/convert/collection.h"
#include "server/convert/point.h"
#include "server/convert/search.h"
#include "sextant/v1/collection_service.pb.h"
#include "sextant/v1/point_service.pb.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {
namespace {

void ExpectInvalidOrOk(const absl::Status& status) {
  CHECK(status.ok() || absl::IsInvalidArgument(status)) << " " << status;
}

void ConvertAll(const uint8_t* data, size_t size) {
  const int bytes = static_cast<int>(size);
  if (v1::SearchRequest search; search.ParseFromArray(data, bytes)) {
    ExpectInvalidOrOk(ToSearchCall(search).status());
  }
  if (v1::SearchBatchRequest batch; batch.ParseFromArray(data, bytes)) {
    ExpectInvalidOrOk(CheckBatch(batch));
  }
  if (v1::UpsertPointsRequest upsert; upsert.ParseFromArray(data, bytes)) {
    ExpectInvalidOrOk(ToPoints(upsert.points()).status());
  }
  if (v1::CreateCollectionRequest create; create.ParseFromArray(data, bytes)) {
    ExpectInvalidOrOk(ToSchema(create.schema(), "schema").status());
  }
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sextant::ConvertAll(data, size);
  return 0;
}
