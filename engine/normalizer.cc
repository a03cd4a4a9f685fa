// SPDX-License-Identifier: Apache-2.0
#include "engine/normalizer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "index/distance.h"

namespace sextant {
namespace {

// Stand in for nearest points that are deleted.
constexpr uint32_t kSpareNeighbors = 3;

VectorRows RowsOf(const VectorIndex& index) {
  const uint32_t dimension = index.shape().dimension;
  return {index.rows() == 0 ? nullptr : index.row_vector(0), index.rows(),
          dimension, PaddedStride(dimension)};
}

bool Nearer(const Neighbor& a, const Neighbor& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity
                                      : a.row < b.row;
}

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

template <typename T>
std::vector<T> ValuesOf(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  }
  return values;
}

// Of any segment, where there are no terms: there is nothing to compute.
const std::shared_ptr<const SegmentBias>& NoBias() {
  static const auto& none =
      *new std::shared_ptr<const SegmentBias>(std::make_shared<SegmentBias>(
          SegmentBias{.rows = std::numeric_limits<uint32_t>::max()}));
  return none;
}

// Fills in what follows from the terms' own biases, by_open[1 << t].
void Finish(size_t term_count, SegmentBias& bias) {
  if (term_count == 2) {
    bias.by_open[3].resize(bias.by_open[1].size());
    for (size_t i = 0; i < bias.by_open[3].size(); ++i) {
      bias.by_open[3][i] = bias.by_open[1][i] + bias.by_open[2][i];
    }
  }
  for (size_t t = 0; t < term_count; ++t) {
    const std::vector<float>& own = bias.by_open[size_t{1} << t];
    bias.totals[t] = std::accumulate(own.begin(), own.end(), 0.0);
  }
}

}  // namespace

Similarity SimilarityOf(Metric metric) {
  return metric == Metric::kL2 ? Similarity::kNegativeSquares
                               : Similarity::kProduct;
}

absl::StatusOr<NormalizerSpec> SpecOf(const storage::NormalizerRecord& record) {
  NormalizerSpec spec;
  ASSIGN_OR_RETURN(spec.method, MethodOfName(record.method()));
  spec.beta = record.beta();
  spec.gallery_beta = record.gallery_beta();
  spec.alpha = record.alpha();
  spec.k = record.k();
  spec.gate_k = record.gate_k();
  spec.tau = record.tau();
  spec.iterations = record.iterations();
  spec.candidates = record.candidates();
  RETURN_IF_ERROR(ValidateSpec(spec));
  return spec;
}

absl::StatusOr<storage::NormalizerRecord> UsualNormalizer(
    absl::string_view method) {
  ASSIGN_OR_RETURN(const NormalizerMethod found, MethodOfName(method));
  storage::NormalizerRecord record;
  SetSpec(DefaultSpec(found), &record);
  return record;
}

void SetSpec(const NormalizerSpec& spec, storage::NormalizerRecord* record) {
  record->set_method(std::string(NameOf(spec.method)));
  record->set_beta(spec.beta);
  record->set_gallery_beta(spec.gallery_beta);
  record->set_alpha(spec.alpha);
  record->set_k(spec.k);
  record->set_gate_k(spec.gate_k);
  record->set_tau(spec.tau);
  record->set_iterations(spec.iterations);
  record->set_candidates(spec.candidates);
}

storage::SegmentBiasRecord ToRecord(const SealedSegment& segment,
                                    const SegmentBias& bias,
                                    size_t term_count) {
  storage::SegmentBiasRecord record;
  record.set_segment_hash(segment.record().contents_hash());
  for (size_t t = 0; t < term_count; ++t) {
    storage::SegmentBiasRecord::Term* const term = record.add_terms();
    term->set_biases(BytesOf(bias.by_open[size_t{1} << t]));
    term->set_nearest(BytesOf(bias.nearest[t]));
    term->set_keep(bias.keep);
  }
  return record;
}

absl::StatusOr<std::shared_ptr<const Normalizer>> Normalizer::Make(
    storage::NormalizerRecord record, const Schema& schema,
    std::shared_ptr<const Bank> queries, std::shared_ptr<const Bank> gallery,
    std::span<const VectorRows> items, const PassRun& run) {
  std::shared_ptr<Normalizer> made(new Normalizer);
  ASSIGN_OR_RETURN(made->spec_, SpecOf(record));
  const auto field = schema.FindVectorField(record.field());
  CHECK(field.has_value()) << "a normaliser of no field";
  made->field_ = *field;
  made->queries_ = std::move(queries);
  made->gallery_ = std::move(gallery);
  NormalizerBanks banks;
  if (made->queries_ != nullptr) {
    banks.queries = made->queries_->rows();
  }
  if (made->gallery_ != nullptr) {
    banks.gallery = made->gallery_->rows();
  }
  if (made->rescores()) {
    made->record_ = std::move(record);
    return std::shared_ptr<const Normalizer>(std::move(made));
  }
  const Similarity similarity =
      SimilarityOf(schema.vector_fields[*field].metric);
  const bool restored = !record.offsets().empty();
  NormalizerSpec spec = made->spec_;
  if (restored) {
    spec.iterations = 1;  // The offsets replace what this finds.
  }
  ASSIGN_OR_RETURN(
      made->terms_,
      MakeBiasTerms(spec, banks, similarity,
                    restored ? std::span<const VectorRows>() : items, run));
  CHECK_LE(made->terms_.size(), SegmentBias::kTermsMax) << "more banks";
  if (restored) {
    made->terms_[0].offsets = ValuesOf<float>(record.offsets());
    if (made->terms_[0].offsets.size() != banks.queries.count) {
      return absl::DataLossError(absl::StrCat(
          "normalizer '", record.name(), "': offsets do not fit its bank"));
    }
  } else {
    record.set_offsets(BytesOf(made->terms_[0].offsets));
  }
  for (size_t t = 0; t < made->terms_.size(); ++t) {
    made->always_open_ |= (made->terms_[t].gate_k == 0 ? 1U : 0U) << t;
  }
  made->record_ = std::move(record);
  return std::shared_ptr<const Normalizer>(std::move(made));
}

absl::StatusOr<std::shared_ptr<const SegmentBias>> Normalizer::Compute(
    const VectorRows& items, std::span<const Ordinal> ordinals,
    const PassRun& run) const {
  auto bias = std::make_shared<SegmentBias>();
  bias->rows = static_cast<uint32_t>(items.count);
  for (size_t t = 0; t < terms_.size(); ++t) {
    std::vector<float>& own = bias->by_open[size_t{1} << t];
    own.resize(items.count);
    RETURN_IF_ERROR(ComputeBias(terms_[t], items, run, own));
    if (terms_[t].gate_k == 0) {
      continue;
    }
    bias->keep = terms_[t].gate_k + kSpareNeighbors;
    const size_t found = std::min<size_t>(bias->keep, items.count);
    ASSIGN_OR_RETURN(const std::vector<Neighbor> nearest,
                     ComputeGate(terms_[t], items, bias->keep, run));
    bias->nearest[t].assign(terms_[t].bank.count * bias->keep,
                            {0, SegmentBias::kNoPoint});
    for (size_t i = 0; i < nearest.size(); ++i) {
      bias->nearest[t][i / found * bias->keep + i % found] = {
          nearest[i].similarity, ordinals[nearest[i].row]};
    }
  }
  Finish(terms_.size(), *bias);
  return std::shared_ptr<const SegmentBias>(std::move(bias));
}

absl::StatusOr<std::shared_ptr<const SegmentBias>> Normalizer::Extend(
    const SegmentView& view, const std::shared_ptr<const SegmentBias>& known,
    const PassRun& run) const {
  const GrowingVectors& vectors = view.growing->field(field_);
  const uint32_t first = known == nullptr ? 0 : known->rows;
  const uint32_t count = view.field_rows[field_] - first;
  const uint32_t dimension = vectors.dimension();
  const std::vector<float> numbers = vectors.CopyVectors(first, count);
  std::vector<Ordinal> ordinals(count);
  for (uint32_t i = 0; i < count; ++i) {
    ordinals[i] = vectors.row_ordinal(first + i);
  }
  ASSIGN_OR_RETURN(
      std::shared_ptr<const SegmentBias> added,
      Compute({numbers.data(), count, dimension, dimension}, ordinals, run));
  if (known == nullptr) {
    return added;
  }
  auto both = std::make_shared<SegmentBias>(*known);
  both->rows = first + count;
  both->keep = added->keep;
  for (size_t t = 0; t < terms_.size(); ++t) {
    std::vector<float>& own = both->by_open[size_t{1} << t];
    const std::vector<float>& more = added->by_open[size_t{1} << t];
    own.insert(own.end(), more.begin(), more.end());
    std::vector<Neighbor> merged(size_t{2} * both->keep);
    for (size_t i = 0; i < both->nearest[t].size(); i += both->keep) {
      const auto keep = static_cast<std::ptrdiff_t>(both->keep);
      const auto at = static_cast<std::ptrdiff_t>(i);
      // Places without a point come last.
      const auto sooner = [](const Neighbor& a, const Neighbor& b) {
        const bool a_is = a.row != SegmentBias::kNoPoint;
        const bool b_is = b.row != SegmentBias::kNoPoint;
        return a_is && b_is ? Nearer(a, b) : a_is && !b_is;
      };
      std::merge(both->nearest[t].begin() + at,
                 both->nearest[t].begin() + at + keep,
                 added->nearest[t].begin() + at,
                 added->nearest[t].begin() + at + keep, merged.begin(), sooner);
      std::copy_n(merged.begin(), keep, both->nearest[t].begin() + at);
    }
  }
  Finish(terms_.size(), *both);
  return std::shared_ptr<const SegmentBias>(std::move(both));
}

std::shared_ptr<const SegmentBias> Normalizer::Known(uint32_t segment) const {
  if (terms_.empty()) {
    return NoBias();
  }
  MutexLock lock(&mutex_);
  const auto found = segments_.find(segment);
  return found == segments_.end() ? nullptr : found->second;
}

absl::StatusOr<std::shared_ptr<const SegmentBias>> Normalizer::BiasOf(
    const SegmentView& view, const PassRun& run) const {
  std::shared_ptr<const SegmentBias> known = Known(view.number());
  const bool growing = view.growing != nullptr;
  if (known != nullptr &&
      (!growing || known->rows >= view.field_rows[field_])) {
    return known;
  }
  std::shared_ptr<const SegmentBias> made;
  if (growing) {
    ASSIGN_OR_RETURN(made, Extend(view, known, run));
  } else {
    const VectorIndex& index = view.sealed->field(field_);
    ASSIGN_OR_RETURN(made, Compute(RowsOf(index), index.ordinals(), run));
  }
  MutexLock lock(&mutex_);
  std::shared_ptr<const SegmentBias>& place = segments_[view.number()];
  if (place == nullptr || place->rows < made->rows) {
    place = made;
  }
  return made;
}

absl::Status Normalizer::Restore(
    const SealedSegment& segment,
    const storage::SegmentBiasRecord& record) const {
  const VectorIndex& index = segment.field(field_);
  auto bias = std::make_shared<SegmentBias>();
  bias->rows = index.rows();
  bool fits = record.segment_hash() == segment.record().contents_hash() &&
              static_cast<size_t>(record.terms_size()) == terms_.size();
  for (size_t t = 0; fits && t < terms_.size(); ++t) {
    const auto& term = record.terms(static_cast<int>(t));
    std::vector<float>& own = bias->by_open[size_t{1} << t];
    own = ValuesOf<float>(term.biases());
    bias->nearest[t] = ValuesOf<Neighbor>(term.nearest());
    const bool gated = terms_[t].gate_k > 0;
    bias->keep = std::max(bias->keep, term.keep());
    fits = own.size() == bias->rows &&
           bias->nearest[t].size() ==
               (gated ? terms_[t].bank.count * uint64_t{term.keep()} : 0) &&
           (!gated || term.keep() == terms_[t].gate_k + kSpareNeighbors);
    for (const Neighbor& neighbor : bias->nearest[t]) {
      fits = fits && (neighbor.row < segment.rows() ||
                      neighbor.row == SegmentBias::kNoPoint);
    }
  }
  if (!fits) {
    return absl::DataLossError(
        absl::StrCat("biases of normalizer '", record_.name(),
                     "' do not fit segment ", segment.number()));
  }
  Finish(terms_.size(), *bias);
  MutexLock lock(&mutex_);
  segments_[segment.number()] = std::move(bias);
  return absl::OkStatus();
}

void Normalizer::KeepOnly(const absl::flat_hash_set<uint32_t>& segments) const {
  MutexLock lock(&mutex_);
  absl::erase_if(segments_, [&](const auto& entry) {
    return !segments.contains(entry.first);
  });
}

// Of one bank vector in one segment. The stored lists stand in for a scan as
// long as enough of them lives.
absl::StatusOr<std::vector<Neighbor>> Normalizer::LiveNearest(
    const SegmentView& view, const SegmentBias& bias, size_t term,
    size_t bank_row, const RequestContext& context) const {
  const uint32_t wanted = terms_[term].gate_k;
  std::vector<Neighbor> live;
  bool whole = false;  // the list ends because there are no more
  for (uint32_t i = 0; i < bias.keep && live.size() < wanted; ++i) {
    const Neighbor& neighbor = bias.nearest[term][bank_row * bias.keep + i];
    if (neighbor.row == SegmentBias::kNoPoint) {
      whole = true;
      break;
    }
    if (neighbor.row < view.rows && !view.dead.Contains(neighbor.row)) {
      live.push_back(neighbor);
    }
  }
  if (whole || live.size() == wanted) {
    return live;
  }
  TopK top(wanted, view.growing.get());
  SearchWork work;
  const std::span<const float> vector(terms_[term].bank.row(bank_row),
                                      terms_[term].bank.dimension);
  RETURN_IF_ERROR(
      view.growing != nullptr
          ? view.growing->field(field_).Scan(vector, view.field_rows[field_],
                                             view.dead, context, top, work)
          : view.sealed->field(field_).Scan(vector, view.dead, context, top,
                                            work));
  live.clear();
  for (const ScoredRow& row : top.TakeSorted()) {
    live.push_back({row.score, row.row});
  }
  return live;
}

absl::StatusOr<std::shared_ptr<const OpenGates>> Normalizer::GatesOf(
    std::span<const std::shared_ptr<const SegmentView>> views,
    std::span<const std::shared_ptr<const SegmentBias>> biases,
    const RequestContext& context) const {
  std::vector<uint64_t> key;
  for (const auto& view : views) {
    key.push_back(view->number());
    key.push_back(view->rows);
    key.push_back(view->dead.count());
  }
  {
    MutexLock lock(&mutex_);
    if (gates_.gates != nullptr && gates_.key == key) {
      return gates_.gates;
    }
  }
  struct Place {
    Neighbor neighbor;
    uint32_t segment;
  };
  auto gates = std::make_shared<OpenGates>();
  for (size_t t = 0; t < terms_.size(); ++t) {
    for (size_t i = 0; terms_[t].gate_k > 0 && i < terms_[t].bank.count; ++i) {
      RETURN_IF_ERROR(context.Check());
      std::vector<Place> places;
      for (size_t s = 0; s < views.size(); ++s) {
        ASSIGN_OR_RETURN(const std::vector<Neighbor> live,
                         LiveNearest(*views[s], *biases[s], t, i, context));
        for (const Neighbor& neighbor : live) {
          places.push_back({neighbor, views[s]->number()});
        }
      }
      std::stable_sort(places.begin(), places.end(),
                       [](const Place& a, const Place& b) {
                         return a.neighbor.similarity > b.neighbor.similarity;
                       });
      places.resize(std::min<size_t>(places.size(), terms_[t].gate_k));
      for (const Place& place : places) {
        gates->points[t].insert(
            OpenGates::Key(place.segment, place.neighbor.row));
      }
    }
  }
  MutexLock lock(&mutex_);
  gates_ = {std::move(key), gates};
  return std::shared_ptr<const OpenGates>(std::move(gates));
}

}  // namespace sextant
