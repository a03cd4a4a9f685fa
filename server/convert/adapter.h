// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "engine/adapter.h"
#include "engine/fit_adapter.h"
#include "sextant/v1/adapter_service.pb.h"

namespace sextant {

// InvalidField with paths like "family" and "layers[0].weights".
absl::StatusOr<Adapter> ToAdapter(const v1::CosineAdapter& message);
void FromAdapter(const Adapter& adapter, bool with_layers,
                 v1::CosineAdapter* message);

void FromFitProgress(const AdapterFitProgress& progress,
                     v1::FitProgress* message);
// InvalidField with paths like "queries[3].vector".
absl::StatusOr<AdapterFitRequest> ToAdapterFit(
    const v1::FitAdapterRequest& message);

}  // namespace sextant
