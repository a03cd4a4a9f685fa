// SPDX-License-Identifier: Apache-2.0
#include "engine/fetch_hits.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "engine/stage_clock.h"

namespace sextant {
namespace {

std::vector<Hit> BareHits(const SearchTarget& target,
                          const std::vector<Candidate>& page) {
  std::vector<Hit> hits(page.size());
  for (size_t i = 0; i < page.size(); ++i) {
    hits[i].score = page[i].score;
    hits[i].point.id = DecodeId(target.schema->id_kind, page[i].id);
  }
  return hits;
}

// Reads the projected parts of `hits` from the store.
absl::Status FillIn(const SearchTarget& target,
                    const std::vector<Candidate>& page,
                    const SearchQuery& query, const RequestContext& context,
                    std::vector<Hit>* hits) {
  std::vector<absl::string_view> ids;
  ids.reserve(page.size());
  for (const Candidate& candidate : page) {
    ids.push_back(candidate.id);
  }
  uint64_t bytes = 0;
  RETURN_IF_ERROR(target.reader->ReadEach(
      {target.snapshot->store_view.get(), ids, query.projection}, context,
      [&](size_t i, Point point) {
        bytes += SizeBytes(point);
        (*hits)[i].point = std::move(point);
        return bytes <= query.fetch_bytes_max;
      }));
  if (bytes > query.fetch_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the hits are larger than ", query.fetch_bytes_max,
                     " bytes; ask for fewer hits, or for less of each"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Hit>> FetchHits(const SearchTarget& target,
                                           const std::vector<Candidate>& page,
                                           const SearchQuery& query,
                                           const RequestContext& context,
                                           StageTiming* timing) {
  const StageClock clock;
  std::vector<Hit> hits = BareHits(target, page);
  if (!query.projection.payload && !query.projection.any_vectors()) {
    return hits;
  }
  context.AboutToWait();
  RETURN_IF_ERROR(FillIn(target, page, query, context, &hits));
  timing->name = "fetch";
  timing->candidates_in = page.size();
  timing->candidates_out = page.size();
  timing->seconds = clock.seconds();
  return hits;
}

}  // namespace sextant
