// SPDX-License-Identifier: Apache-2.0
//
// How bad the hubs of a collection are, and what a normaliser makes of them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/pinned_collection.h"
#include "engine/point.h"
#include "engine/work_progress.h"
#include "ranking/hubness/geometry_measures.h"
#include "ranking/hubness/hubness_measures.h"

namespace sextant {

struct DiagnoseQuery {
  std::string field;  // empty: the collection's only one
  // A bank whose vectors are the queries; empty: points of the collection are,
  // and none is its own neighbour.
  std::string bank;
  // A random sample of those, at most; 0: limits::kDiagnoseQueriesDefault.
  uint32_t queries_max = 0;
  uint64_t seed = 1;
  uint32_t k = 0;  // neighbours; 0: limits::kDiagnoseNeighborsDefault
  // Measured beside raw scores; as in DenseSource.
  std::string normalizer;
  uint32_t hubs_max = 0;  // worst hubs that are named; 0: ten
  bool exact = false;     // compare with every point, not by the index
};

struct NamedHub {
  PointId id;
  uint64_t occurrences = 0;
};

// k-occurrences under one way to score.
struct OccurrenceReport {
  Hubness hubness;
  std::vector<uint64_t> histogram;  // OccurrenceHistogram()
  std::vector<NamedHub> worst;
};

// How the vectors of a sample of the points lie (geometry_measures.h).
struct GeometryReport {
  uint64_t vectors = 0;
  // Around every query, among all points, by its kLidNeighbors nearest.
  IntrinsicDimension intrinsic_dimension;
  std::optional<double> uniformity;  // under cosine
  // Up to kIsotropyDimensionMax dimensions: eigenvalues take their cube.
  std::optional<double> iso_score;
  std::optional<double> partition_isotropy;  // under cosine
};
inline constexpr uint32_t kLidNeighbors = 20;
inline constexpr uint32_t kIsotropyDimensionMax = 1024;
inline constexpr size_t kGeometryVectorsMax = 2000;

struct HubnessDiagnosis {
  std::string field;
  OccurrenceReport raw;
  std::string normalizer;  // that was measured; empty: none
  std::optional<OccurrenceReport> corrected;
  HubnessByChance by_chance;
  GeometryReport geometry;
};

// Finds the neighbours by the index at the collection's recall target, or
// exactly. InvalidField with paths "field", "bank", "k", "queries_max",
// "hubs_max", "normalizer"; kFailedPrecondition for fewer than two points.
absl::StatusOr<HubnessDiagnosis> DiagnoseCollection(
    const PinnedCollection& pinned, const DiagnoseQuery& query,
    ProgressSink progress, const RequestContext& context);

}  // namespace sextant
