// SPDX-License-Identifier: Apache-2.0
//
// A normaliser of a vector field and what it knows of the segments.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "engine/schema.h"
#include "engine/snapshot.h"
#include "index/row_bias.h"
#include "ranking/hubness/bias_terms.h"
#include "ranking/hubness/normalizer_spec.h"
#include "storage/format.pb.h"

namespace sextant {

// A named set of vectors, normalised where the field's metric asks for it.
// Immutable.
struct Bank {
  storage::BankRecord record;
  std::vector<float> numbers;

  VectorRows rows() const {
    return {numbers.data(), record.rows(), record.dimension(),
            record.dimension()};
  }
};

// What a normaliser knows of one segment. Immutable.
struct SegmentBias {
  static constexpr size_t kTermsMax = 2;

  uint32_t rows = 0;  // vector rows of the field
  // The sum of the open terms by row, by which terms those are: term t is bit
  // t. Without a term: empty.
  std::array<std::vector<float>, size_t{1} << kTermsMax> by_open;
  std::array<double, kTermsMax> totals = {};  // of each term
  // By gated term: the nearest points of each bank vector, best first, `keep`
  // each (fewer: row kNoPoint).
  std::array<std::vector<Neighbor>, kTermsMax> nearest;
  uint32_t keep = 0;

  static constexpr uint32_t kNoPoint = 0xFFFFFFFF;

  RowBias View(uint32_t open) const { return {by_open[open].data()}; }
};

// The points of a snapshot that open the gates of a normaliser. Immutable.
struct OpenGates {
  // By term: segment number in the upper half, ordinal in the lower.
  std::array<absl::flat_hash_set<uint64_t>, SegmentBias::kTermsMax> points;

  static uint64_t Key(uint32_t segment, Ordinal ordinal) {
    return uint64_t{segment} << 32U | ordinal;
  }
};

// One version of a normaliser. What it says of segments follows from the
// segments alone, is computed when first asked for, and kept: so it is always
// that of the snapshot which is searched.
//
// Thread-safe. Shared by the catalogue and the searches that use it.
class Normalizer {
 public:
  // A spec with its banks, which fit the field. `items` is what Sinkhorn fits
  // to, unless the record brings its offsets.
  static absl::StatusOr<std::shared_ptr<const Normalizer>> Make(
      storage::NormalizerRecord record, const Schema& schema,
      std::shared_ptr<const Bank> queries, std::shared_ptr<const Bank> gallery,
      std::span<const VectorRows> items, const PassRun& run);

  const storage::NormalizerRecord& record() const { return record_; }
  const NormalizerSpec& spec() const { return spec_; }
  uint16_t field() const { return field_; }
  // Points have no biases: a Rescorer scores candidates.
  bool rescores() const { return !IsAdditive(spec_.method); }
  // What a search has to find for the best `wanted`.
  uint32_t CandidatesFor(uint32_t wanted) const {
    return rescores() ? spec_.candidates : wanted;
  }
  // 0 of methods that rescore.
  size_t term_count() const { return terms_.size(); }
  // Without vectors where there is none.
  VectorRows query_bank() const {
    return queries_ == nullptr ? VectorRows() : queries_->rows();
  }
  // 0 without one.
  uint64_t query_bank_version() const { return VersionOf(queries_.get()); }
  uint64_t gallery_bank_version() const { return VersionOf(gallery_.get()); }
  // Terms whose gate is always open, as bits.
  uint32_t always_open() const { return always_open_; }

  // For all rows that `view` shows, or more.
  absl::StatusOr<std::shared_ptr<const SegmentBias>> BiasOf(
      const SegmentView& view, const PassRun& run) const;
  // Of a sealed segment that was not computed here; kDataLoss if it does not
  // fit the segment.
  absl::Status Restore(const SealedSegment& segment,
                       const storage::SegmentBiasRecord& record) const;
  // Null while it is not known.
  std::shared_ptr<const SegmentBias> Known(uint32_t segment) const;
  // Forgets segments that are not among these.
  void KeepOnly(const absl::flat_hash_set<uint32_t>& segments) const;

  // Which points open the gates; `biases` are those of the views.
  absl::StatusOr<std::shared_ptr<const OpenGates>> GatesOf(
      std::span<const std::shared_ptr<const SegmentView>> views,
      std::span<const std::shared_ptr<const SegmentBias>> biases,
      const RequestContext& context) const;

 private:
  Normalizer() = default;

  static uint64_t VersionOf(const Bank* bank) {
    return bank == nullptr ? 0 : bank->record.version();
  }
  absl::StatusOr<std::shared_ptr<const SegmentBias>> Compute(
      const VectorRows& items, std::span<const Ordinal> ordinals,
      const PassRun& run) const;
  absl::StatusOr<std::shared_ptr<const SegmentBias>> Extend(
      const SegmentView& view, const std::shared_ptr<const SegmentBias>& known,
      const PassRun& run) const;
  absl::StatusOr<std::vector<Neighbor>> LiveNearest(
      const SegmentView& view, const SegmentBias& bias, size_t term,
      size_t bank_row, const RequestContext& context) const;

  storage::NormalizerRecord record_;
  NormalizerSpec spec_;
  uint16_t field_ = 0;
  std::shared_ptr<const Bank> queries_;
  std::shared_ptr<const Bank> gallery_;
  std::vector<BiasTerm> terms_;
  uint32_t always_open_ = 0;

  // What gates were found for: number, rows and dead rows of each segment.
  struct GateState {
    std::vector<uint64_t> key;
    std::shared_ptr<const OpenGates> gates;
  };
  mutable Mutex mutex_;
  mutable absl::flat_hash_map<uint32_t, std::shared_ptr<const SegmentBias>>
      segments_ ABSL_GUARDED_BY(mutex_);
  mutable GateState gates_ ABSL_GUARDED_BY(mutex_);
};

// The inner product or, under L2, the negative square.
Similarity SimilarityOf(Metric metric);
// What searches and works say for no normaliser.
inline constexpr char kNoNormalizer[] = "none";

inline bool UsesBank(const storage::NormalizerRecord& record,
                     absl::string_view bank) {
  return record.query_bank() == bank || record.gallery_bank() == bank;
}

// The spec that a record holds; kInvalidArgument as of ValidateSpec.
absl::StatusOr<NormalizerSpec> SpecOf(const storage::NormalizerRecord& record);
// With a method's usual parameters, by its name.
absl::StatusOr<storage::NormalizerRecord> UsualNormalizer(
    absl::string_view method);
void SetSpec(const NormalizerSpec& spec, storage::NormalizerRecord* record);
// What is stored of a segment.
storage::SegmentBiasRecord ToRecord(const SealedSegment& segment,
                                    const SegmentBias& bias, size_t term_count);

}  // namespace sextant
