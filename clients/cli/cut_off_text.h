// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/search_types.h"

namespace sextant::cli {

// "min:0.6", "gap", "gap:size=0.05,ratio=5,n=100,empty", "adapter:good".
// UsageError names what is wrong.
absl::StatusOr<client::CutOff> ParseCutOff(absl::string_view text);

// Why there is no hit, for people.
std::string NoHitsText(const client::CutOffOutcome& outcome);

}  // namespace sextant::cli
