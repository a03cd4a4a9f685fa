// SPDX-License-Identifier: Apache-2.0
#include "engine/query_watch.h"

#include <utility>

#include "absl/strings/str_format.h"

#include "base/status_macros.h"

namespace sextant {

QueryWatch::QueryWatch(const Schema* schema,
                       const NormalizerCatalog* normalizers,
                       const QuerySampler* queries, std::string collection,
                       EventSink events)
    : schema_(schema),
      normalizers_(normalizers),
      queries_(queries),
      collection_(std::move(collection)),
      events_(std::move(events)),
      shifts_(std::make_shared<const std::vector<NormalizerShift>>()) {}

absl::StatusOr<QueryShift> QueryWatch::ShiftOfBank(
    const storage::NormalizerRecord& record,
    const RequestContext& context) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Bank> bank,
                   normalizers_->FindBank(record.query_bank()));
  const std::optional<uint16_t> position =
      schema_->FindVectorField(record.field());
  if (!position.has_value()) {
    return absl::NotFoundError("no such field");
  }
  const VectorFieldSchema& field = schema_->vector_fields[*position];
  const std::vector<float> recent = queries_->Recent(*position);
  return MeasureQueryShift(bank->rows(),
                           {recent.data(), recent.size() / field.dimension,
                            field.dimension, field.dimension},
                           field.metric == Metric::kL2
                               ? Similarity::kNegativeSquares
                               : Similarity::kProduct,
                           {nullptr, context});
}

void QueryWatch::Measure(MonotonicTime now, const RequestContext& context) {
  std::vector<std::string> warnings;
  {
    MutexLock lock(&mutex_);
    auto shifts = std::make_shared<std::vector<NormalizerShift>>();
    // Several normalisers may have one bank.
    std::map<std::string, absl::StatusOr<QueryShift>> of_banks;
    for (const NormalizerStatus& status : normalizers_->ListNormalizers()) {
      const storage::NormalizerRecord& record = status.record;
      auto of_bank = of_banks.find(record.query_bank());
      if (of_bank == of_banks.end()) {
        of_bank =
            of_banks.emplace(record.query_bank(), ShiftOfBank(record, context))
                .first;
      }
      const absl::StatusOr<QueryShift>& shift = of_bank->second;
      if (!shift.ok()) {
        continue;
      }
      shifts->push_back({record.name(), *shift});
      const auto warned = warned_.find(record.name());
      if (shift->is_shifted() &&
          (warned == warned_.end() || now - warned->second >= kWarnEvery)) {
        warned_[record.name()] = now;
        warnings.push_back(absl::StrFormat(
            "collection '%s': queries are not like bank '%s' of normalizer "
            "'%s': they are %.3g near to it on average and its rows %.3g to "
            "each other, distance of the distributions %.2f",
            collection_, record.query_bank(), record.name(),
            shift->query_similarity, shift->bank_similarity, shift->distance));
      }
    }
    shifts_.Store(std::move(shifts));
  }
  for (const std::string& warning : warnings) {
    events_(true, warning);
  }
}

std::optional<QueryShift> QueryWatch::ShiftOf(
    absl::string_view normalizer) const {
  for (const NormalizerShift& one : *shifts_.Load()) {
    if (one.normalizer == normalizer) {
      return one.shift;
    }
  }
  return std::nullopt;
}

}  // namespace sextant
