// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "engine/limits.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "engine/segment_facts.h"
#include "index/recall_curve.h"
#include "index/search_costs.h"
#include "index/search_effort.h"
#include "index/vector_index.h"
#include "index/window_index.h"

namespace sextant {

// kCodeScan estimates all distances by 1-bit codes and scores what may be near.
// kScanMatches compares with the rows that the filter lets through and looks at
// no other, kEstimateMatches estimates those by codes and scores what may be
// near; kWindow asks the index of a window field (window_index.h);
// kWindowMatches asks it for those rows of a window that the rest of the filter
// lets through; kNone compares with nothing, since the filter lets none
// through.
enum class SearchMethod {
  kScan,
  kCodeScan,
  kGraph,
  kScanMatches,
  kEstimateMatches,
  kWindow,
  kWindowMatches,
  kNone
};

// What the ways to search a segment under a filter were thought to take,
// nanoseconds; 0: not possible, or not asked.
struct FilterCosts {
  double matches = 0;  // the rows that match, one by one or by codes
  double scan = 0;     // all rows, in order
  double graph = 0;
  double window = 0;  // all rows of a window that they lie in
};

// How one segment is searched.
struct SegmentPlan {
  uint32_t number = 0;
  bool growing = false;
  uint64_t rows = 0;  // vector rows of the field
  uint64_t dead = 0;
  // Rows that the filter lets through: the live ones, of a window all.
  std::optional<uint64_t> matching;
  SearchMethod method = SearchMethod::kScan;
  SearchEffort effort;  // of a graph search
  WindowPlan window;    // of kWindow
  FilterCosts costs;    // not of kWindow, which has its own
  bool scores_by_codes = false;
  double expected_recall = 1;  // 0: not known
};

// How the nearest points by a dense field are found.
struct DensePlan {
  uint16_t field = 0;
  uint32_t candidates = 0;   // best points kept, over all segments
  double recall_target = 0;  // 0: the effort was given
  // Walks through graphs may end below it (SearchEffort).
  std::optional<double> least_score;
  // Of the merged answer; 0: not known.
  double expected_recall = 1;
  std::vector<SegmentPlan> segments;

  void EndBelow(double score);

  // A line for each, which begins with `indent`.
  std::string SegmentsText(absl::string_view indent) const;
};

// A search bound to one snapshot. Printable: the same text is in explain, in
// the slow-query log and in tests.
struct Plan {
  DensePlan dense;
  uint32_t limit = 0;
  uint32_t offset = 0;
  bool fetch_payload = false;
  bool fetch_vectors = false;
  const Filter* filter = nullptr;   // the query's
  std::vector<std::string> stages;  // after the source, a line each
  std::string ToString(const Schema& schema) const;
  // With the lines of other sources in place of `dense`.
  std::string ToString(absl::string_view sources) const;

 private:
  std::string Around(absl::string_view sources) const;
};

// All but the source.
Plan PlanOf(const SearchQuery& query);

// A graph search with beam width ef computes some 15 to 20 distances per unit
// of ef, each a cache miss; a scan streams its rows and costs about half as
// much each. Below this many rows per unit of ef the scan, which is exact, is
// not slower.
inline constexpr uint64_t kScanRowsPerEf = 16;

// Below so many rows a search that aims at a recall scans: it is still fast,
// and exact.
inline constexpr uint64_t kScannedRows = kScanRowsPerEf * kDefaultEf;

// A segment of few rows is searched so fast that less than this recall would
// save nothing that anybody could measure from outside.
inline constexpr uint64_t kSmallSegmentRows = 16384;
inline constexpr double kSmallSegmentRecall = 0.99;

// What a scan by 1-bit codes finds of the exact answer (code_scan.h).
inline constexpr double kCodeScanRecall = 0.9987;
// And scans of a window (window_index.h) and of the points that match a filter
// (match_scan.h), by codes.
inline constexpr double kCodesScanRecall = 0.999;

// What one dense source is to find.
struct DenseAim {
  uint16_t field = 0;
  uint32_t candidates = 0;
  double recall_target = 0;  // 0: by the source's effort, or the default's
  // Scores are corrected: it is not known what efforts are worth for those, so
  // they are the ones for half as many misses, and the recall is not known.
  bool corrected = false;
};

// How a source finds them, as PlanSearch.
DensePlan PlanDense(const DenseSource& source, const DenseAim& aim,
                    const SearchDefaults& defaults,
                    const std::vector<SegmentFacts>& segments);

// Points that a source of several finds when it does not say how many: 100,
// 1,000 or 10,000, the least that is not below `page_end` (offset + limit). In
// steps, so that the pages of an answer are those of one ranking.
uint32_t DefaultCandidates(uint32_t page_end);

// The recall that a search aims at; 0 where its effort is given.
double RecallTarget(const SearchQuery& query, const DenseSource& source,
                    const SearchDefaults& defaults);

// What the stages after a dense source that stands alone ask of it.
struct RankingNeeds {
  uint32_t candidates = 0;  // best points; 0: offset + limit
  bool corrected = false;   // as in DenseAim
};

// Pure: the same facts give the same plan. `query` was validated; `field` is
// the position of its vector field.
//
// Each segment that is searched by its graph gets the least effort that reaches
// the target for the best offset + limit of the segment alone. So the merged
// answer reaches it too: what it takes from a segment lies among the best of
// that segment, and the nearest are found more surely than the last. A segment
// where no effort reaches the target is scanned; one that scores by codes is
// searched as well as it can be, since a scan would read what is not in memory.
//
// With a filter a graph search walks through rows that it must not offer, so
// it takes the longer the fewer match, while comparing with all that match
// takes the less, and reading all of a window takes the same: whichever is
// least is done, by what such parts of searches took so far
// (SegmentFacts::costs). What efforts are worth was measured without filters,
// so the effort is one for half as many misses, and the recall is what probes
// of such searches found, if there were any. A window has a planner of its own,
// which learns too.
Plan PlanSearch(const SearchQuery& query, uint16_t field,
                const SearchDefaults& defaults,
                const std::vector<SegmentFacts>& segments,
                const RankingNeeds& needs = {});

}  // namespace sextant
