// SPDX-License-Identifier: Apache-2.0
#include "server/convert/normalizer.h"

#include <string>

#include "base/status_macros.h"
#include "engine/normalizer.h"

namespace sextant {

namespace {

void FromProgress(const ChangeProgress& progress, v1::ChangeProgress* message) {
  message->set_version(progress.version);
  message->set_done(progress.done);
  message->set_total(progress.total);
  if (!progress.error.ok()) {
    message->set_error(std::string(progress.error.message()));
  }
}

}  // namespace

void FromBank(const BankStatus& status, v1::Bank* message) {
  const storage::BankRecord& record = status.record;
  message->set_name(record.name());
  message->set_field(record.field());
  message->set_gallery(record.gallery());
  message->set_version(record.version());
  message->set_count(record.rows());
  if (status.next.has_value()) {
    v1::BankChange* const change = message->mutable_change();
    FromProgress(status.progress, change->mutable_progress());
    change->set_count(status.next->rows());
    change->set_gallery(status.next->gallery());
  }
}

void FromBankOf(const NormalizerCatalog& catalog, absl::string_view name,
                v1::Bank* message) {
  for (const BankStatus& status : catalog.ListBanks()) {
    if (status.record.name() == name) {
      FromBank(status, message);
    }
  }
}

ReturnWhen WhenOf(bool no_wait) {
  return no_wait ? ReturnWhen::kStored : ReturnWhen::kServed;
}

absl::StatusOr<storage::NormalizerRecord> ToNormalizer(
    const v1::Normalizer& message) {
  ASSIGN_OR_RETURN(storage::NormalizerRecord record,
                   UsualNormalizer(message.method()));
  record.set_name(message.name());
  record.set_field(message.field());
  record.set_query_bank(message.query_bank());
  record.set_gallery_bank(message.gallery_bank());
  record.set_is_default(message.is_default());
#define SEXTANT_IF_SET(field)            \
  if (message.has_##field()) {           \
    record.set_##field(message.field()); \
  }
  SEXTANT_IF_SET(beta)
  SEXTANT_IF_SET(gallery_beta)
  SEXTANT_IF_SET(alpha)
  SEXTANT_IF_SET(k)
  SEXTANT_IF_SET(gate_k)
  SEXTANT_IF_SET(tau)
  SEXTANT_IF_SET(iterations)
  SEXTANT_IF_SET(candidates)
#undef SEXTANT_IF_SET
  return record;
}

void FromQueryShift(const QueryShift& shift, v1::QueryShift* message) {
  message->set_queries(shift.queries);
  message->set_query_similarity(shift.query_similarity);
  message->set_bank_similarity(shift.bank_similarity);
  message->set_distance(shift.distance);
  message->set_is_shifted(shift.is_shifted());
}

void FromNormalizer(const NormalizerStatus& status, v1::Normalizer* message) {
  const storage::NormalizerRecord& record = status.record;
  message->set_name(record.name());
  message->set_field(record.field());
  message->set_method(record.method());
  message->set_beta(record.beta());
  message->set_gallery_beta(record.gallery_beta());
  message->set_alpha(record.alpha());
  message->set_k(record.k());
  message->set_gate_k(record.gate_k());
  message->set_tau(record.tau());
  message->set_iterations(record.iterations());
  message->set_candidates(record.candidates());
  message->set_query_bank(record.query_bank());
  message->set_gallery_bank(record.gallery_bank());
  message->set_is_default(record.is_default());
  message->set_version(record.version());
  message->set_segments_ready(status.segments_known);
  message->set_segments(status.segments);
  message->set_memory_bytes(status.bytes);
  message->set_query_bank_version(status.query_bank_version);
  message->set_gallery_bank_version(status.gallery_bank_version);
  if (status.next.has_value()) {
    FromProgress(*status.next, message->mutable_change());
  }
}

}  // namespace sextant
