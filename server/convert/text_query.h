// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "engine/search_query.h"
#include "engine/search_result.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

// A text source from the wire, but for its share. Error paths are relative to
// the source ("text.text").
absl::StatusOr<TextSource> ToTextSource(const v1::TextSource& message);

void FromTerms(const std::vector<TextScorePart>& terms,
               v1::SourceExplanation* message);

}  // namespace sextant
