// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "engine/normalizer_catalog.h"
#include "engine/normalizer_shift.h"
#include "sextant/v1/normalizer_service.pb.h"

namespace sextant {

void FromBank(const storage::BankRecord& record, v1::Bank* message);

// Parameters that are not set are the method's usual ones. Errors name fields
// of the message.
absl::StatusOr<storage::NormalizerRecord> ToNormalizer(
    const v1::Normalizer& message);
void FromQueryShift(const QueryShift& shift, v1::QueryShift* message);
void FromNormalizer(const NormalizerStatus& status, v1::Normalizer* message);

}  // namespace sextant
