// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/statusor.h"

#include "engine/schema.h"
#include "storage/format.pb.h"

namespace sextant {

// The definition as the store keeps it; number, uuid and time are the
// caller's.
storage::CollectionRecord ToRecord(absl::string_view name,
                                   const Schema& schema);

// Replaces what may change in a record: payload fields and text fields.
void SetFields(const Schema& schema, storage::CollectionRecord* record);

// kDataLoss when the record holds values this version does not know.
absl::StatusOr<Schema> SchemaFromRecord(
    const storage::CollectionRecord& record);

}  // namespace sextant
