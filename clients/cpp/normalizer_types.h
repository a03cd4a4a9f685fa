// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"

namespace sextant::client {

// A named set of vectors that normalisers compare points with. Meanings and
// limits as in sextant/v1/normalizer_service.proto.
struct Bank {
  std::string name;
  std::string field;  // empty in requests: the collection's only one
  bool gallery = false;
  uint64_t version = 0;
  uint64_t count = 0;
};

// Whether queries still are like a query bank.
struct QueryShift {
  uint64_t queries = 0;
  double query_similarity = 0;
  double bank_similarity = 0;
  double distance = 0;
  bool is_shifted = false;
};

// A sample of the queries of a vector field: see
// sextant/v1/query_sample_service.proto.
struct QuerySample {
  std::string field;  // empty in requests: the collection's only one
  uint32_t capacity = 0;
  uint64_t seed = 0;
  // Of answers.
  uint64_t seen = 0;
  uint64_t kept = 0;
};

// A correction of scores for hubness.
struct Normalizer {
  std::string name;
  std::string field;
  std::string method;
  // Unset in requests: the method's usual ones.
  absl::optional<double> beta;
  absl::optional<double> gallery_beta;
  absl::optional<double> alpha;
  absl::optional<uint32_t> k;
  absl::optional<uint32_t> gate_k;
  absl::optional<double> tau;
  absl::optional<uint32_t> iterations;
  std::string query_bank;
  std::string gallery_bank;
  bool is_default = false;
  // Of answers.
  uint64_t version = 0;
  uint64_t segments_ready = 0;
  uint64_t segments = 0;
  uint64_t memory_bytes = 0;
  absl::optional<QueryShift> query_shift;
};

}  // namespace sextant::client
