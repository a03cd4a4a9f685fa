// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/normalizer_catalog.h"
#include "engine/normalizer_shift.h"
#include "sextant/v1/normalizer_service.pb.h"

namespace sextant {

void FromBank(const BankStatus& status, v1::Bank* message);
// As the catalogue has it now; leaves the message empty if it was deleted.
void FromBankOf(const NormalizerCatalog& catalog, absl::string_view name,
                v1::Bank* message);
// Of the field `no_wait` of requests.
ReturnWhen WhenOf(bool no_wait);

// Parameters that are not set are the method's usual ones. Errors name fields
// of the message.
absl::StatusOr<storage::NormalizerRecord> ToNormalizer(
    const v1::Normalizer& message);
void FromQueryShift(const QueryShift& shift, v1::QueryShift* message);
void FromNormalizer(const NormalizerStatus& status, v1::Normalizer* message);

}  // namespace sextant
