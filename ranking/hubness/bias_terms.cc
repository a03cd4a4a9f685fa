// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/bias_terms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

absl::Status CheckNotEmpty(absl::string_view name, const NormalizerSpec& spec,
                           const VectorRows& bank) {
  if (bank.count > 0) {
    return absl::OkStatus();
  }
  return InvalidField(
      name, absl::StrCat(NameOf(spec.method), " needs a bank with vectors"));
}

absl::Status CheckDimension(absl::string_view name, const VectorRows& bank,
                            std::span<const VectorRows> items) {
  for (const VectorRows& part : items) {
    if (part.count > 0 && part.dimension != bank.dimension) {
      return InvalidField(
          name, absl::StrCat("vectors of ", bank.dimension,
                             " numbers beside items of ", part.dimension));
    }
  }
  return absl::OkStatus();
}

BiasTerm SumTerm(const VectorRows& bank, Similarity similarity, double scale,
                 double factor) {
  BiasTerm term;
  term.kind = BiasTerm::Kind::kLogSumExp;
  term.similarity = similarity;
  term.bank = bank;
  term.scale = scale;
  term.factor = factor;
  return term;
}

BiasTerm MeanTerm(const VectorRows& bank, Similarity similarity, uint32_t k,
                  double factor) {
  BiasTerm term;
  term.kind = BiasTerm::Kind::kTopMean;
  term.similarity = similarity;
  term.bank = bank;
  term.k = k;
  term.factor = factor;
  return term;
}

// Sinkhorn's algorithm in the domain of logarithms, on exp((s - 1) / tau)
// between items (rows) and bank vectors (columns) with equal shares: v = c /
// (K^T u), u = r / (K v). Its item potential for given v is a sum over the bank
// weighted by v, so v is all that has to be kept.
class SinkhornFit {
 public:
  // Of a method with a gallery bank this is the last part.
  SinkhornFit(const NormalizerSpec& spec, const VectorRows& bank,
              Similarity similarity, std::span<const VectorRows> items,
              const PassRun& run)
      : spec_(spec),
        bank_(bank),
        similarity_(similarity),
        items_(items),
        counted_parts_(items.size() - (NeedsGalleryBank(spec.method) ? 1 : 0)),
        run_(run) {
    for (const VectorRows& part : items) {
      log_u_.emplace_back(part.count, 0.0F);
    }
    log_v_.assign(bank.count, 0.0F);
  }

  absl::StatusOr<std::vector<float>> Run() {
    for (uint32_t i = 0; i < spec_.iterations; ++i) {
      RETURN_IF_ERROR(UpdateBank());
      RETURN_IF_ERROR(UpdateItems());
    }
    return log_v_;
  }

 private:
  // log v_i = -log sum_x exp(s / tau + log u_x), up to a constant.
  absl::Status UpdateBank() {
    std::vector<double> logs(bank_.count,
                             -std::numeric_limits<double>::infinity());
    std::vector<double> part_logs(bank_.count);
    for (size_t part = 0; part < items_.size(); ++part) {
      if (items_[part].count == 0) {
        continue;
      }
      RETURN_IF_ERROR(LogSumExpOfItems(bank_, items_[part], similarity_,
                                       {1 / spec_.tau, log_u_[part]}, PartRun(),
                                       part_logs));
      CountItems(part);
      for (size_t i = 0; i < logs.size(); ++i) {
        const double most = std::max(logs[i], part_logs[i]);
        logs[i] = most + std::log(std::exp(logs[i] - most) +
                                  std::exp(part_logs[i] - most));
      }
    }
    // Without items all weigh the same.
    const double top = *std::max_element(logs.begin(), logs.end());
    for (size_t i = 0; i < logs.size() && std::isfinite(top); ++i) {
      log_v_[i] = static_cast<float>(top - logs[i]);
    }
    return absl::OkStatus();
  }

  absl::Status UpdateItems() {
    for (size_t part = 0; part < items_.size(); ++part) {
      std::vector<double> logs(items_[part].count);
      RETURN_IF_ERROR(LogSumExpOfItems(items_[part], bank_, similarity_,
                                       {1 / spec_.tau, log_v_}, PartRun(),
                                       logs));
      CountItems(part);
      for (size_t x = 0; x < logs.size(); ++x) {
        log_u_[part][x] = static_cast<float>(-logs[x]);
      }
    }
    return absl::OkStatus();
  }

  // Half of the passes are over bank rows, which are not items: what is counted
  // are items, after each pass.
  PassRun PartRun() const { return {run_.pool, run_.context, nullptr}; }
  void CountItems(size_t part) const {
    if (part < counted_parts_) {
      run_.Count(items_[part].count);
    }
  }

  const NormalizerSpec& spec_;
  const VectorRows& bank_;
  const Similarity similarity_;
  const std::span<const VectorRows> items_;
  const size_t counted_parts_;
  const PassRun& run_;
  std::vector<std::vector<float>> log_u_;  // by part
  std::vector<float> log_v_;
};

absl::StatusOr<BiasTerm> SinkhornTerm(const NormalizerSpec& spec,
                                      const NormalizerBanks& banks,
                                      Similarity similarity,
                                      std::span<const VectorRows> items,
                                      const PassRun& run) {
  std::vector<VectorRows> parts(items.begin(), items.end());
  if (spec.method == NormalizerMethod::kDualSinkhorn) {
    parts.push_back(banks.gallery);
  }
  BiasTerm term = SumTerm(banks.queries, similarity, 1 / spec.tau, spec.tau);
  ASSIGN_OR_RETURN(
      term.offsets,
      SinkhornFit(spec, banks.queries, similarity, parts, run).Run());
  return term;
}

}  // namespace

absl::Status CheckBanks(const NormalizerSpec& spec,
                        const NormalizerBanks& banks) {
  if (NeedsQueryBank(spec.method)) {
    RETURN_IF_ERROR(CheckNotEmpty("query_bank", spec, banks.queries));
  }
  return NeedsGalleryBank(spec.method)
             ? CheckNotEmpty("gallery_bank", spec, banks.gallery)
             : absl::OkStatus();
}

uint64_t FitPassesOf(const NormalizerSpec& spec) {
  const bool fits = spec.method == NormalizerMethod::kSinkhorn ||
                    spec.method == NormalizerMethod::kDualSinkhorn;
  return fits ? uint64_t{2} * spec.iterations : 0;
}

uint64_t BiasPassesOf(const NormalizerSpec& spec) {
  if (!IsAdditive(spec.method)) {
    return 0;
  }
  const bool has_two_terms = NeedsGalleryBank(spec.method) &&
                             spec.method != NormalizerMethod::kDualSinkhorn;
  const uint64_t terms = has_two_terms ? 2 : 1;
  return IsDynamic(spec.method) ? 2 * terms : terms;
}

absl::StatusOr<std::vector<BiasTerm>> MakeBiasTerms(
    const NormalizerSpec& spec, const NormalizerBanks& banks,
    Similarity similarity, std::span<const VectorRows> items,
    const PassRun& run) {
  RETURN_IF_ERROR(ValidateSpec(spec));
  CHECK(IsAdditive(spec.method)) << Describe(spec) << " is not additive";
  RETURN_IF_ERROR(CheckBanks(spec, banks));
  RETURN_IF_ERROR(CheckDimension("query_bank", banks.queries, items));
  if (NeedsGalleryBank(spec.method)) {
    RETURN_IF_ERROR(CheckDimension("gallery_bank", banks.gallery, items));
  }
  std::vector<BiasTerm> terms;
  switch (spec.method) {
    case NormalizerMethod::kCsls:
    case NormalizerMethod::kMarginDistance:
      terms.push_back(MeanTerm(banks.queries, similarity, spec.k, 0.5));
      break;
    case NormalizerMethod::kNearestNeighbor:
      terms.push_back(MeanTerm(banks.queries, similarity, spec.k, spec.alpha));
      break;
    case NormalizerMethod::kDualInvertedSoftmax:
    case NormalizerMethod::kDualDynamicInvertedSoftmax: {
      const double factor = 1 / (spec.beta + spec.gallery_beta);
      terms.push_back(SumTerm(banks.queries, similarity, spec.beta, factor));
      terms.push_back(
          SumTerm(banks.gallery, similarity, spec.gallery_beta, factor));
      break;
    }
    case NormalizerMethod::kSinkhorn:
    case NormalizerMethod::kDualSinkhorn: {
      ASSIGN_OR_RETURN(BiasTerm term,
                       SinkhornTerm(spec, banks, similarity, items, run));
      terms.push_back(std::move(term));
      break;
    }
    default:
      terms.push_back(
          SumTerm(banks.queries, similarity, spec.beta, 1 / spec.beta));
  }
  if (IsDynamic(spec.method)) {
    for (BiasTerm& term : terms) {
      term.gate_k = spec.gate_k;
    }
  }
  return terms;
}

absl::Status ComputeBias(const BiasTerm& term, const VectorRows& items,
                         const PassRun& run, std::span<float> out) {
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  if (term.kind == BiasTerm::Kind::kTopMean) {
    RETURN_IF_ERROR(
        TopMeansOfItems(items, term.bank, term.similarity, term.k, run, out));
    for (float& bias : out) {
      bias = static_cast<float>(term.factor * static_cast<double>(bias));
    }
    return absl::OkStatus();
  }
  std::vector<double> logs(items.count);
  RETURN_IF_ERROR(LogSumExpOfItems(items, term.bank, term.similarity,
                                   {term.scale, term.offsets}, run, logs));
  for (size_t i = 0; i < logs.size(); ++i) {
    out[i] = static_cast<float>(term.factor * logs[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Neighbor>> ComputeGate(const BiasTerm& term,
                                                  const VectorRows& items,
                                                  uint32_t keep,
                                                  const PassRun& run) {
  const NearestOptions options{.k = std::max(keep, term.gate_k)};
  std::vector<Neighbor> nearest(term.bank.count * NeighborsOf(items, options));
  RETURN_IF_ERROR(NearestOfItems(term.bank, items, term.similarity, options,
                                 {run.pool, run.context, nullptr}, nearest));
  run.Count(items.count);
  return nearest;
}

}  // namespace sextant
