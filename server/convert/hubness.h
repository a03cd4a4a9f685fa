// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "engine/diagnose_hubness.h"
#include "engine/mining_job.h"
#include "engine/tune_collection.h"
#include "engine/work_progress.h"
#include "sextant/v1/hubness_service.pb.h"

namespace sextant {

void FromWorkProgress(const WorkProgress& progress, v1::WorkProgress* message);
void FromHubness(const Hubness& hubness, v1::Hubness* message);

// Errors name fields of the message.
absl::StatusOr<TuneQuery> ToTuneQuery(const v1::TuneNormalizerRequest& message);
void FromTuneAnswer(const TuneQuery& query, const TuneAnswer& answer,
                    v1::TuneReport* message);

DiagnoseQuery ToDiagnoseQuery(const v1::DiagnoseHubnessRequest& message);
void FromDiagnosis(const HubnessDiagnosis& diagnosis,
                   v1::HubnessReport* message);

// All but the collections.
absl::StatusOr<MiningQuery> ToMiningQuery(const v1::MinePairsRequest& message);
void FromMinedIds(const MinedIds& pair, v1::MinedPair* message);

}  // namespace sextant
