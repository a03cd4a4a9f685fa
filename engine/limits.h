// SPDX-License-Identifier: Apache-2.0
//
// Every limit on what a client may ask for. The API's comments quote these
// numbers.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sextant::limits {

inline constexpr size_t kNameBytesMax = 64;
inline constexpr size_t kVectorFieldsMax = 16;
inline constexpr size_t kPayloadFieldsMax = 64;
inline constexpr size_t kPayloadFieldNameBytesMax = 256;
inline constexpr size_t kTextFieldsMax = 16;
inline constexpr size_t kSparseFieldsMax = 16;
// Of one sparse vector.
inline constexpr size_t kSparseEntriesMax = 65'536;
// Of a sparse source, shown for a hit by an explanation.
inline constexpr size_t kSparseProductsShown = 64;
// Strings of one point in one text field.
inline constexpr size_t kTextValuesMax = 10000;
// A growing segment whose text, or whose sparse vectors, take more memory is
// sealed.
inline constexpr uint64_t kGrowingTextBytesMax = uint64_t{512} << 20U;
// Of one point in one payload field.
inline constexpr size_t kFieldValuesMax = 256;
inline constexpr size_t kKeywordBytesMax = 1024;
inline constexpr uint32_t kDimensionMax = 65536;
inline constexpr uint32_t kGraphMMin = 4;
inline constexpr uint32_t kGraphMMax = 64;
inline constexpr uint32_t kEfConstructionMin = 8;
inline constexpr uint32_t kEfConstructionMax = 2000;

// Largest absolute value in a vector under inner product and L2: sums over
// kDimensionMax products stay finite in single precision.
inline constexpr float kMagnitudeMax = 1e15F;

inline constexpr size_t kIdBytesMax = 512;
inline constexpr size_t kPayloadBytesMax = 1U << 20U;
inline constexpr size_t kPayloadDepthMax = 64;
inline constexpr size_t kPointsPerWriteMax = 10000;
inline constexpr size_t kIdsPerCallMax = 10000;

inline constexpr uint32_t kPageDefault = 100;
inline constexpr uint32_t kScrollPageMax = 10000;
inline constexpr uint32_t kListPageMax = 1000;

inline constexpr uint32_t kFacetsMax = 1000;

inline constexpr uint32_t kHitsMax = 10000;  // offset + limit
inline constexpr uint32_t kEfMax = 10000;
// In one search: sources that find points, and how deep groups nest.
inline constexpr size_t kSourcesMax = 16;
inline constexpr size_t kSourceDepthMax = 4;
inline constexpr size_t kBoostsMax = 16;
inline constexpr size_t kBoostTableMax = 10000;
inline constexpr uint32_t kHitsPerGroupMax = 100;
// Of one field of one hit.
inline constexpr uint32_t kHighlightFragmentsMax = 16;
// Of the best points, for stages that look at more than the answer holds.
inline constexpr uint32_t kGroupingCandidatesMax = 10000;
inline constexpr uint32_t kDiversityCandidatesMax = 1000;
// Of searches that name neither a recall target nor an effort.
inline constexpr double kRecallTargetDefault = 0.95;
inline constexpr size_t kSearchesPerBatchMax = 1000;
inline constexpr uint64_t kHitsPerBatchMax = 100000;

inline constexpr size_t kCollectionsMax = 10000;

inline constexpr size_t kBanksMax = 64;
inline constexpr size_t kBankRowsMax = 1'000'000;
inline constexpr uint64_t kBankBytesMax = uint64_t{128} << 20U;
inline constexpr size_t kNormalizersMax = 32;

// Of hubness diagnostics.
inline constexpr uint32_t kDiagnoseQueriesDefault = 1000;
inline constexpr uint32_t kDiagnoseQueriesMax = 20'000;
inline constexpr uint32_t kDiagnoseNeighborsDefault = 10;
inline constexpr uint32_t kDiagnoseNeighborsMax = 100;
inline constexpr uint32_t kDiagnoseHubsDefault = 10;
inline constexpr uint32_t kDiagnoseHubsMax = 1000;

// Of mining of pairs: neighbours of means, and neighbours that may pair.
inline constexpr uint32_t kMiningNeighborsDefault = 4;
inline constexpr uint32_t kMiningCandidatesDefault = 32;
inline constexpr uint32_t kMiningCandidatesMax = 100;
// Of the neighbours of all points.
inline constexpr uint64_t kMiningBytesMax = uint64_t{1} << 30U;

// Labelled queries that choose a normaliser.
inline constexpr size_t kTunePairsMax = 10'000;
// Points that are ranked for them.
inline constexpr uint32_t kTuneGalleryDefault = 20'000;
inline constexpr uint32_t kTuneGalleryMax = 200'000;
inline constexpr uint64_t kTuneGalleryBytesMax = uint64_t{256} << 20U;

// Of the queries of one vector field.
inline constexpr uint32_t kQuerySampleMax = 100'000;
inline constexpr uint64_t kQuerySampleBytesMax = uint64_t{64} << 20U;

inline constexpr size_t kAdaptersMax = 32;
// To fit an adapter: queries, unlabelled points of each, and pairs of all.
inline constexpr size_t kFitQueriesMax = 100'000;
inline constexpr uint32_t kFitNegativesMax = 1000;
inline constexpr uint64_t kFitPairsMax = 5'000'000;

}  // namespace sextant::limits
