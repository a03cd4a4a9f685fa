// SPDX-License-Identifier: Apache-2.0
#include "engine/find_adapter.h"

#include <memory>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/validate_query.h"

namespace sextant {

absl::StatusOr<std::optional<BoundAdapter>> FindAdapter(
    const SearchTarget& target, const SearchQuery& query,
    std::span<const float> vector) {
  const auto* const cut = query.cut_off.has_value()
                              ? std::get_if<AdapterCutOff>(&*query.cut_off)
                              : nullptr;
  if (cut == nullptr) {
    return std::optional<BoundAdapter>();
  }
  constexpr char kPath[] = "cut_off.adapter.name";
  if (target.adapters == nullptr) {
    return InvalidField(kPath, "there are no adapters");
  }
  const auto& source = std::get<DenseSource>(query.sources.front());
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Adapter> adapter,
      target.adapters->Find(cut->name, VectorFieldOf(*target.schema, source),
                            kPath));
  const double threshold = cut->threshold.value_or(adapter->threshold);
  const AdapterCurve curve = adapter->CurveOf(vector);
  BoundAdapter bound;
  bound.least_cosine = curve.LeastCosine(threshold);
  bound.text = absl::StrFormat("adapter %s version %d, %s a=%.4g b=%.4g",
                               adapter->name, adapter->version,
                               NameOf(adapter->family), curve.a, curve.b);
  if (adapter->family == AdapterFamily::kPower) {
    absl::StrAppendFormat(&bound.text, " p=%.4g", curve.p);
  }
  absl::StrAppendFormat(&bound.text, ", threshold %.6g", threshold);
  return std::optional<BoundAdapter>(std::move(bound));
}

}  // namespace sextant
