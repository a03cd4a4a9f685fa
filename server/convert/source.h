// SPDX-License-Identifier: Apache-2.0
//
// Sources, fusions and boosts from the wire. What needs the schema is checked
// by the engine.
#pragma once

#include "absl/status/statusor.h"

#include "engine/search_query.h"
#include "engine/search_result.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

// Error paths are relative to the source ("dense.vector").
absl::StatusOr<Source> ToSource(const v1::Source& message);

// "fusion.method".
absl::StatusOr<FusionChoice> ToFusion(const v1::Fusion& message);

// Relative to the boost.
absl::StatusOr<PayloadBoost> ToBoost(const v1::Boost& message);

void FromExplanation(const HitExplanation& explanation,
                     v1::HitExplanation* message);

}  // namespace sextant
