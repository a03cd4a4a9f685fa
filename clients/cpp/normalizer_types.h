// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"

namespace sextant::client {

// Meanings and limits as in sextant/v1/normalizer_service.proto.

// When a change of a bank or a normaliser returns: once searches meet it, or
// once the server has stored it, which then makes it in the background.
enum class ReturnWhen { kServed, kStored };

// How far a new version is: points, each counted for every pass over it.
struct ChangeProgress {
  uint64_t version = 0;
  uint64_t done = 0;
  uint64_t total = 0;
  std::string error;  // of an attempt that failed; there will be another
};

struct BankChange {
  ChangeProgress progress;
  uint64_t count = 0;
  bool gallery = false;
};

// Points that a bank is made of; all, if there are fewer.
struct BankSample {
  uint64_t count = 0;
  uint64_t seed = 0;
};

// A named set of vectors that normalisers compare points with.
struct Bank {
  std::string name;
  std::string field;  // empty in requests: the collection's only one
  bool gallery = false;
  // Of answers: what is served, and what is being made.
  uint64_t version = 0;
  uint64_t count = 0;
  absl::optional<BankChange> change;
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
  absl::optional<uint32_t> candidates;
  std::string query_bank;
  std::string gallery_bank;
  bool is_default = false;
  // Of answers.
  uint64_t version = 0;  // 0: none is served yet
  uint64_t query_bank_version = 0;
  uint64_t gallery_bank_version = 0;
  absl::optional<ChangeProgress> change;
  uint64_t segments_ready = 0;
  uint64_t segments = 0;
  uint64_t memory_bytes = 0;
  absl::optional<QueryShift> query_shift;
};

}  // namespace sextant::client
