// SPDX-License-Identifier: Apache-2.0
//
// A normaliser, bound to one search.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/normalizer.h"
#include "engine/rescorer.h"
#include "engine/search_query.h"
#include "engine/snapshot.h"
#include "index/row_bias.h"

namespace sextant {

// What a search takes off its scores: score = s(q, x) - (b(x) - r), where r is
// the mean of b over all rows of the snapshot (bias_terms.h says why). Or what
// it does to the best by raw score: rescorer(), and b is 0 everywhere. Holds
// what it needs of the snapshot's segments.
class Correction {
 public:
  // With the gates of dynamic normalisers shut.
  static absl::StatusOr<Correction> Make(
      std::shared_ptr<const Normalizer> normalizer, const Snapshot& snapshot,
      const RequestContext& context);

  static Correction OfCandidates(std::shared_ptr<const Normalizer> normalizer,
                                 Rescorer rescorer);

  // Null for additive normalisers.
  const Rescorer* rescorer() const { return rescorer_.get(); }
  // What a search has to find for the best `wanted`.
  uint32_t CandidatesFor(uint32_t wanted) const {
    return normalizer_->CandidatesFor(wanted);
  }

  // That all that `query` asks of its only source can be among what is
  // rescored; kInvalidArgument naming "limit".
  absl::Status CheckPage(const SearchQuery& query) const;

  bool has_gates() const;
  // Opens the gates that this point, the nearest by raw score, opens.
  absl::Status OpenGates(const Snapshot& snapshot, const Candidate& nearest,
                         const RequestContext& context);

  // Of a segment of the snapshot; none when every gate is shut.
  RowBias BiasOf(size_t segment) const {
    return open_ == 0 ? RowBias() : segments_[segment]->View(open_);
  }
  float reference() const { return reference_; }

  // b(x) - r of a candidate.
  float Of(const Snapshot& snapshot, const Candidate& candidate) const;
  // "normalizer is20 inverted_softmax(beta=20) version 3, gates 1 of 1 open".
  std::string ToString() const;

 private:
  Correction() = default;
  void SetOpen(uint32_t open);

  std::shared_ptr<const Normalizer> normalizer_;
  std::shared_ptr<const Rescorer> rescorer_;
  std::vector<std::shared_ptr<const SegmentBias>> segments_;
  uint32_t open_ = 0;
  float reference_ = 0;
};

}  // namespace sextant
