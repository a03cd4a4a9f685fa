// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/normalizer_catalog.h"
#include "engine/schema.h"

namespace sextant {

// A bank of a field by name; InvalidField(path, ...) where there is none.
absl::StatusOr<std::shared_ptr<const Bank>> FindBankOf(
    const NormalizerCatalog& catalog, const VectorFieldSchema& field,
    absl::string_view name, absl::string_view path);

}  // namespace sextant
