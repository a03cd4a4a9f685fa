// SPDX-License-Identifier: Apache-2.0
//
// The last stage of a search by text: where the texts of its hits match.

#pragma once

#include <vector>

#include "absl/status/status.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// Checks SearchQuery::highlight, in a query whose sources were checked;
// InvalidField with paths like "highlight.fields[0]".
absl::Status ValidateHighlighting(const Schema& schema,
                                  const SearchQuery& query);

// Fills in the highlights of `hits`, which are those of `page`, from their
// stored payloads, by the first text source that asks a field. Reads the
// payloads that the projection did not. kResourceExhausted when these are
// larger than query.fetch_bytes_max.
absl::Status HighlightHits(const SearchTarget& target,
                           const std::vector<Candidate>& page,
                           const SearchQuery& query,
                           const RequestContext& context,
                           std::vector<Hit>* hits, StageTiming* timing);

}  // namespace sextant
