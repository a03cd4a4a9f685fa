// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"

#include "clients/cpp/normalizer_types.h"
#include "clients/cpp/types.h"

// Values of works on hubs. Meanings and limits as in
// sextant/v1/hubness_service.proto.
namespace sextant::client {

// How far a work of the server is.
struct WorkProgress {
  std::string stage;
  uint64_t done = 0;
  uint64_t total = 0;
};

// Told by the calling thread; false ends the work, and the call is CANCELLED.
// May be empty.
using OnProgress = std::function<bool(const WorkProgress& progress)>;

// A query and its right answer.
struct LabelledPair {
  std::vector<float> query;
  PointId id;
};

struct TuneRequest {
  std::string field;  // empty: the collection's only one
  std::vector<LabelledPair> pairs;
  std::string query_bank;
  std::string gallery_bank;
  std::vector<std::string> methods;
  absl::optional<double> held_out;
  uint64_t seed = 1;
  uint32_t gallery_points_max = 0;
};

struct RetrievalQuality {
  double recall_at_1 = 0;
  double recall_at_5 = 0;
  double recall_at_10 = 0;
  double mean_reciprocal_rank = 0;
};

// How unevenly the nearest points of many queries fall upon the points.
struct Hubness {
  uint64_t points = 0;
  uint64_t queries = 0;
  uint32_t k = 0;
  double skewness = 0;
  double robin_hood = 0;
  double gini = 0;
  double anti_hub_share = 0;
  double hub_occurrence = 0;
  uint64_t greatest = 0;
};

struct TuneTrial {
  Normalizer normalizer;  // without a name
  RetrievalQuality tuning;
  RetrievalQuality held_out;
  Hubness hubness;
};

struct TuneReport {
  uint64_t tuning_pairs = 0;
  uint64_t held_out_pairs = 0;
  uint64_t gallery_points = 0;
  uint64_t collection_points = 0;
  RetrievalQuality raw_tuning;
  RetrievalQuality raw_held_out;
  Hubness raw_hubness;
  std::vector<TuneTrial> trials;  // best on the tuning part first
  absl::optional<Normalizer> recommended;
  double gain = 0;
  double gain_error = 0;
  std::string reason;
  absl::optional<double> alignment;
};

struct DiagnoseRequest {
  std::string field;  // empty: the collection's only one
  std::string bank;   // empty: points of the collection ask
  uint32_t queries_max = 0;
  uint64_t seed = 1;
  uint32_t k = 0;
  std::string normalizer;
  uint32_t hubs_max = 0;
  bool exact = false;
};

struct Hub {
  PointId id;
  uint64_t occurrences = 0;
};

struct HubnessMeasurement {
  Hubness hubness;
  // Points that occur 0 times, once, 2 to 3 times, 4 to 7 and so on.
  std::vector<uint64_t> occurrence_histogram;
  std::vector<Hub> hubs;  // worst first
};

struct VectorGeometry {
  uint64_t vectors = 0;
  double intrinsic_dimension_mean = 0;
  double intrinsic_dimension_median = 0;
  uint64_t intrinsic_dimension_left_out = 0;
  absl::optional<double> uniformity;
  absl::optional<double> iso_score;
  absl::optional<double> partition_isotropy;
};

struct HubnessReport {
  std::string field;
  HubnessMeasurement raw;
  std::string normalizer;  // empty: none was measured
  absl::optional<HubnessMeasurement> corrected;
  double skewness_by_chance = 0;
  double anti_hub_share_by_chance = 0;
  VectorGeometry geometry;
};

enum class MarginKind { kRatio, kAbsolute, kDistance };
enum class MiningMode { kMax, kForward, kBackward, kIntersection };

struct MineRequest {
  std::string source_field;  // empty: the collection's only one
  std::string target_field;
  MarginKind margin = MarginKind::kRatio;
  MiningMode mode = MiningMode::kMax;
  uint32_t k = 0;
  uint32_t candidates = 0;
  absl::optional<double> threshold;
  bool exact = false;
  // Goes on after a step of an earlier call with the same request.
  std::string resume_token;
};

struct MinedPair {
  PointId source;
  PointId target;
  double score = 0;
};

// What comes of a mining: either progress or the next pairs.
struct MiningStep {
  absl::optional<WorkProgress> progress;
  std::vector<MinedPair> pairs;
  uint64_t total = 0;  // pairs in all
  // To go on after this step.
  std::string resume_token;
};

// Told by the calling thread; an error ends the work and is what the call
// returns.
using OnMined = std::function<absl::Status(const MiningStep& step)>;

}  // namespace sextant::client
