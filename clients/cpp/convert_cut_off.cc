// SPDX-License-Identifier: Apache-2.0
#include <variant>

#include "clients/cpp/convert.h"

namespace sextant::client {

void ToWire(const CutOff& cut_off, v1::CutOff* wire) {
  if (const auto* min = std::get_if<MinScore>(&cut_off)) {
    wire->set_min_score(min->score);
    return;
  }
  if (const auto* adapter = std::get_if<AdapterCutOff>(&cut_off)) {
    wire->mutable_adapter()->set_name(adapter->name);
    if (adapter->threshold.has_value()) {
      wire->mutable_adapter()->set_threshold(*adapter->threshold);
    }
    return;
  }
  const auto& gap = std::get<ScoreGap>(cut_off);
  v1::ScoreGap* const rule = wire->mutable_score_gap();
  rule->set_candidates(gap.candidates);
  if (gap.min_gap.has_value()) {
    rule->set_min_gap(*gap.min_gap);
  }
  if (gap.min_ratio.has_value()) {
    rule->set_min_ratio(*gap.min_ratio);
  }
  rule->set_empty_without_gap(gap.empty_without_gap);
}

CutOffOutcome FromWire(const v1::CutOffOutcome& wire) {
  CutOffOutcome outcome;
  outcome.candidates = wire.candidates();
  outcome.kept = wire.kept();
  if (wire.has_least_score()) {
    outcome.least_score = wire.least_score();
  }
  if (wire.has_best_score()) {
    outcome.best_score = wire.best_score();
  }
  outcome.nothing_relevant = wire.nothing_relevant();
  return outcome;
}

}  // namespace sextant::client
