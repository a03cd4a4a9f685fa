// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "clients/cpp/search_types.h"

// What `search` prints besides the table of hits.
namespace sextant::cli {

std::string ScoreText(float score);

// The text with its matches **so**.
std::string MarkedText(const client::HighlightFragment& fragment);

// Where the texts of hits match; nothing where no hit has a highlight.
absl::Status PrintHighlights(const std::vector<client::Hit>& hits);

// What each source gave to each hit, and the words of texts or the indices of
// sparse vectors.
absl::Status PrintSources(const std::vector<client::Hit>& hits);

absl::Status PrintExplanation(const client::Explanation& explanation);

}  // namespace sextant::cli
