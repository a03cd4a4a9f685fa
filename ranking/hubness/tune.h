// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "ranking/hubness/bias_terms.h"
#include "ranking/hubness/hubness_measures.h"
#include "ranking/hubness/normalizer_spec.h"

namespace sextant {

// Whether a normaliser helps, and which: labelled queries say so. A part of
// them chooses the method and its parameters, the rest judges the choice, and
// nothing is recommended that does not help there.

// How well the right items were ranked, of some queries. Places count from 1;
// items of equal score share the mean of their places.
struct RetrievalQuality {
  double recall_at_1 = 0;
  double recall_at_5 = 0;
  double recall_at_10 = 0;
  double mean_reciprocal_rank = 0;
};
RetrievalQuality QualityOf(std::span<const double> places);

struct TuneInput {
  VectorRows gallery;
  VectorRows queries;
  // By query: the row of the gallery that is its answer.
  std::span<const uint32_t> answers;
  // The gallery bank may be empty: then methods that need one are not tried.
  NormalizerBanks banks;
  Similarity similarity = Similarity::kProduct;
};

struct TuneOptions {
  // What is tried; empty: DefaultCandidates().
  std::vector<NormalizerSpec> candidates;
  // Share of the queries that judges.
  double held_out = 0.5;
  // Which queries those are.
  uint64_t seed = 1;
  // How many standard errors of the mean difference of reciprocal ranks the
  // best method must gain on the held-out queries to be recommended.
  double standard_errors = 1.64;
  // Told after each candidate how many were tried, of how many; may be empty.
  std::function<void(size_t tried, size_t candidates)> on_trial;
};

// Additive methods over the usual ranges of their parameters.
std::vector<NormalizerSpec> DefaultCandidates(bool has_gallery_bank);

struct TuneTrial {
  NormalizerSpec spec;
  RetrievalQuality tuning;
  RetrievalQuality held_out;
  // Of the kTuneHubnessNeighbors nearest items of the held-out queries.
  Hubness hubness;
};
inline constexpr uint32_t kTuneHubnessNeighbors = 10;

struct TuneResult {
  size_t tuning_queries = 0;
  size_t held_out_queries = 0;
  RetrievalQuality raw_tuning;
  RetrievalQuality raw_held_out;
  Hubness raw_hubness;
  std::vector<TuneTrial> trials;  // best on the tuning part first
  std::optional<NormalizerSpec> recommended;
  // Mean difference of reciprocal ranks on the held-out part between the best
  // trial and no normaliser, and its standard error.
  double gain = 0;
  double gain_error = 0;
  std::string reason;
};

// kInvalidArgument for fewer than kTuneQueriesMin queries, an answer that is no
// row, candidates that are not additive or not valid, empty banks.
// Deterministic for a seed. `run.progress` counts gallery rows times
// candidates.
inline constexpr size_t kTuneQueriesMin = 20;
absl::StatusOr<TuneResult> TuneNormalizer(const TuneInput& input,
                                          const TuneOptions& options,
                                          const PassRun& run);

// A bias that is ready for queries: one normaliser over one gallery.
struct GalleryBias {
  // By term: which gallery rows open it; empty: it is always open.
  std::vector<std::vector<bool>> gates;
  // The sum of the open terms of every row, by the terms that are open: term t
  // is bit t. Those that cannot be are empty.
  std::vector<std::vector<float>> sums;

  // The bias of every row for queries whose nearest row is `nearest`.
  const std::vector<float>& For(uint32_t nearest) const;
};
absl::StatusOr<GalleryBias> BiasOfGallery(const NormalizerSpec& spec,
                                          const NormalizerBanks& banks,
                                          Similarity similarity,
                                          const VectorRows& gallery,
                                          const PassRun& run);

// The places of every query's answer, without a bias (null) or under one.
absl::StatusOr<std::vector<double>> PlacesOfAnswers(const TuneInput& input,
                                                    const GalleryBias* bias,
                                                    const PassRun& run);

// Every query's k nearest gallery rows under a bias (null: none), k at most the
// gallery's rows.
absl::StatusOr<std::vector<Neighbor>> CorrectedNearest(const TuneInput& input,
                                                       const GalleryBias* bias,
                                                       size_t k,
                                                       const PassRun& run);

}  // namespace sextant
