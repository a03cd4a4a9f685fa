// SPDX-License-Identifier: Apache-2.0
//
// Collections between the wire and the engine.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/collection.h"
#include "engine/schema.h"
#include "engine/text_change.h"
#include "sextant/v1/collection_service.pb.h"

namespace sextant {

// Fills in the defaults. Errors carry paths below `path` ("schema"); ranges are
// the engine's to check (ValidateSchema).
absl::StatusOr<Schema> ToSchema(const v1::CollectionSchema& message,
                                absl::string_view path);

absl::StatusOr<PayloadFieldSchema> ToPayloadField(
    const v1::PayloadField& message, absl::string_view path);

absl::StatusOr<AnalyzerSpec> ToAnalyzer(const v1::Analyzer& message,
                                        absl::string_view path);

// Paths as those of the request.
absl::StatusOr<TextFieldUpdate> ToTextFieldUpdate(
    const v1::UpdateTextFieldRequest& request);

void FromCollectionInfo(const CollectionInfo& info,
                        v1::CollectionInfo* message);

}  // namespace sextant
