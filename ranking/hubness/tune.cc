// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/tune.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "ranking/hubness/nearest_rows.h"

namespace sextant {
namespace {

absl::Status CheckInput(const TuneInput& input) {
  if (input.queries.count < kTuneQueriesMin) {
    return InvalidField(
        "pairs",
        absl::StrCat(input.queries.count, " are fewer than ", kTuneQueriesMin));
  }
  if (input.answers.size() != input.queries.count) {
    return InvalidField("pairs", "not an answer for every query");
  }
  for (const uint32_t answer : input.answers) {
    if (answer >= input.gallery.count) {
      return InvalidField("pairs", absl::StrCat("answer ", answer,
                                                " is no row of the gallery"));
    }
  }
  if (input.gallery.dimension != input.queries.dimension) {
    return InvalidField("pairs", "queries of another dimension than items");
  }
  return absl::OkStatus();
}

// How an answer stands among the gallery's rows.
struct Standing {
  const float* bias = nullptr;  // by row; null: none
  float answer = 0;             // its score
  uint64_t above = 0;
  uint64_t equal = 0;  // itself among them

  void Count(const float* scores, size_t rows) {
    for (size_t j = 0; j < rows; ++j) {
      above += scores[j] > answer ? 1U : 0U;
      equal += scores[j] == answer ? 1U : 0U;
    }
  }
  double Place() const {
    const uint64_t others = equal - std::min<uint64_t>(1, equal);
    return 1 + static_cast<double>(above) + static_cast<double>(others) / 2;
  }
};

// How the gallery was ranked for every query.
struct Ranking {
  std::vector<double> places;  // of the answers
  size_t k = 0;
  std::vector<Neighbor> nearest;  // k a query

  std::span<Neighbor> NearestOf(size_t query) {
    return std::span<Neighbor>(nearest).subspan(query * k, k);
  }
};

// Ranks the gallery without a bias and under many.
class GalleryRanker {
 public:
  GalleryRanker(const TuneInput& input, const PassRun& run)
      : input_(input),
        run_(run),
        nearest_(input.queries.count),
        answer_scores_(input.queries.count) {}

  // The scores of answers, and each query's nearest row.
  absl::Status ReadAnswers() {
    return ForEachBankBlocks(
        input_.queries, input_.gallery, input_.similarity, Run(),
        [this](BankBlocks& blocks) {
          std::vector<float> best(blocks.items(),
                                  -std::numeric_limits<float>::infinity());
          for (SimilarityBlock block; blocks.Next(&block);) {
            for (size_t i = 0; i < block.items; ++i) {
              const size_t query = block.first_item + i;
              const size_t place = input_.answers[query] - block.first_bank_row;
              if (input_.answers[query] >= block.first_bank_row &&
                  place < block.bank_rows) {
                answer_scores_[query] = block.row(i)[place];
              }
              for (size_t j = 0; j < block.bank_rows; ++j) {
                if (block.row(i)[j] > best[i]) {
                  best[i] = block.row(i)[j];
                  nearest_[query] =
                      static_cast<uint32_t>(block.first_bank_row + j);
                }
              }
            }
          }
        });
  }

  absl::StatusOr<Ranking> Under(const GalleryBias* bias, size_t k) const {
    Ranking ranking;
    ranking.places.resize(input_.queries.count);
    ranking.k = NeighborsOf(input_.gallery, {.k = k});
    ranking.nearest.resize(input_.queries.count * ranking.k);
    RETURN_IF_ERROR(ForEachBankBlocks(
        input_.queries, input_.gallery, input_.similarity, Run(),
        [&](BankBlocks& blocks) { Rank(bias, blocks, ranking); }));
    return ranking;
  }

 private:
  void Rank(const GalleryBias* bias, BankBlocks& blocks,
            Ranking& ranking) const {
    std::vector<Standing> standings(blocks.items());
    for (size_t i = 0; i < blocks.items(); ++i) {
      const size_t query = blocks.first_item() + i;
      Standing& standing = standings[i];
      standing.answer = answer_scores_[query];
      if (bias != nullptr) {
        standing.bias = bias->For(nearest_[query]).data();
        standing.answer -= standing.bias[input_.answers[query]];
      }
    }
    for (SimilarityBlock block; blocks.Next(&block);) {
      for (size_t i = 0; i < block.items; ++i) {
        Correct(standings[i].bias, block, i);
        standings[i].Count(block.row(i), block.bank_rows);
        NearestRows(ranking.NearestOf(block.first_item + i),
                    block.first_bank_row)
            .Add(block.row(i), block.first_bank_row, block.bank_rows);
      }
    }
    for (size_t i = 0; i < blocks.items(); ++i) {
      ranking.places[blocks.first_item() + i] = standings[i].Place();
    }
  }

  static void Correct(const float* bias, const SimilarityBlock& block,
                      size_t item) {
    if (bias == nullptr) {
      return;
    }
    float* const scores = block.row(item);
    for (size_t j = 0; j < block.bank_rows; ++j) {
      scores[j] -= bias[block.first_bank_row + j];
    }
  }

  PassRun Run() const { return {run_.pool, run_.context, nullptr}; }

  const TuneInput& input_;
  const PassRun& run_;
  std::vector<uint32_t> nearest_;
  std::vector<float> answer_scores_;
};

std::vector<double> Chosen(std::span<const double> places,
                           std::span<const size_t> queries) {
  std::vector<double> chosen;
  chosen.reserve(queries.size());
  for (const size_t query : queries) {
    chosen.push_back(places[query]);
  }
  return chosen;
}

// Which queries tune and which judge.
struct Split {
  std::vector<size_t> tuning;
  std::vector<size_t> held_out;
};

Split SplitQueries(size_t queries, const TuneOptions& options) {
  std::vector<size_t> order(queries);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(options.seed);
  // std::shuffle differs between standard libraries.
  for (size_t i = queries; i > 1; --i) {
    std::swap(order[i - 1], order[random() % i]);
  }
  const auto wanted =
      static_cast<size_t>(options.held_out * static_cast<double>(queries));
  const auto held_out =
      static_cast<std::ptrdiff_t>(std::clamp<size_t>(wanted, 1, queries - 1));
  return {{order.begin() + held_out, order.end()},
          {order.begin(), order.begin() + held_out}};
}

Hubness HubnessOf(Ranking& ranking, std::span<const size_t> queries,
                  size_t items) {
  std::vector<Neighbor> nearest;
  nearest.reserve(queries.size() * ranking.k);
  for (const size_t query : queries) {
    const std::span<Neighbor> own = ranking.NearestOf(query);
    nearest.insert(nearest.end(), own.begin(), own.end());
  }
  return MeasureHubness(CountOccurrences(nearest, items), kTuneHubnessNeighbors,
                        queries.size());
}

struct Gain {
  double mean = 0;
  double error = 0;
};

Gain GainOf(std::span<const double> raw, std::span<const double> places) {
  const auto n = static_cast<double>(raw.size());
  double sum = 0;
  double squares = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    const double gain = 1 / places[i] - 1 / raw[i];
    sum += gain;
    squares += gain * gain;
  }
  const double mean = sum / n;
  return {mean, std::sqrt(std::max(0.0, squares / n - mean * mean) / n)};
}

// Says in words what was found.
void Judge(const TuneOptions& options, TuneResult& result) {
  if (result.trials.empty()) {
    result.reason = "nothing was tried";
    return;
  }
  const TuneTrial& best = result.trials.front();
  const double gained_1 =
      best.held_out.recall_at_1 - result.raw_held_out.recall_at_1;
  const bool helps =
      result.gain > options.standard_errors * result.gain_error &&
      result.gain > 0 && gained_1 >= 0;
  result.reason = absl::StrFormat(
      "%s %s the held-out queries: mean reciprocal rank %+.4f (standard error "
      "%.4f), recall@1 %+.4f",
      Describe(best.spec), helps ? "helps" : "does not surely help",
      result.gain, result.gain_error, gained_1);
  if (helps) {
    result.recommended = best.spec;
  }
}

absl::Status CheckCandidates(std::span<const NormalizerSpec> candidates) {
  for (const NormalizerSpec& spec : candidates) {
    if (!IsAdditive(spec.method)) {
      return InvalidField("candidates",
                          absl::StrCat(NameOf(spec.method),
                                       " rescores candidates; only additive "
                                       "methods are tuned"));
    }
    RETURN_IF_ERROR(PrefixField("candidates.", ValidateSpec(spec)));
  }
  return absl::OkStatus();
}

}  // namespace

RetrievalQuality QualityOf(std::span<const double> places) {
  RetrievalQuality quality;
  for (const double place : places) {
    quality.recall_at_1 += place <= 1 ? 1 : 0;
    quality.recall_at_5 += place <= 5 ? 1 : 0;
    quality.recall_at_10 += place <= 10 ? 1 : 0;
    quality.mean_reciprocal_rank += 1 / place;
  }
  const double n = std::max<double>(1, static_cast<double>(places.size()));
  quality.recall_at_1 /= n;
  quality.recall_at_5 /= n;
  quality.recall_at_10 /= n;
  quality.mean_reciprocal_rank /= n;
  return quality;
}

std::vector<NormalizerSpec> DefaultCandidates(bool has_gallery_bank) {
  std::vector<NormalizerSpec> specs;
  const auto add = [&specs](NormalizerMethod method) -> NormalizerSpec& {
    specs.push_back(DefaultSpec(method));
    return specs.back();
  };
  for (const double beta : {5.0, 10.0, 20.0, 40.0}) {
    add(NormalizerMethod::kInvertedSoftmax).beta = beta;
    add(NormalizerMethod::kDynamicInvertedSoftmax).beta = beta;
    if (has_gallery_bank) {
      add(NormalizerMethod::kDualInvertedSoftmax).beta = beta;
      add(NormalizerMethod::kDualDynamicInvertedSoftmax).beta = beta;
    }
  }
  for (const uint32_t k : {4U, 10U, 50U}) {
    add(NormalizerMethod::kCsls).k = k;
  }
  for (const double alpha : {0.25, 0.75}) {
    for (const uint32_t k : {16U, 128U}) {
      NormalizerSpec& spec = add(NormalizerMethod::kNearestNeighbor);
      spec.alpha = alpha;
      spec.k = k;
    }
  }
  for (const double tau : {0.02, 0.05}) {
    add(NormalizerMethod::kSinkhorn).tau = tau;
  }
  return specs;
}

const std::vector<float>& GalleryBias::For(uint32_t nearest) const {
  size_t open = 0;
  for (size_t t = 0; t < gates.size(); ++t) {
    open |= static_cast<size_t>(gates[t].empty() || gates[t][nearest]) << t;
  }
  return sums[open];
}

absl::StatusOr<GalleryBias> BiasOfGallery(const NormalizerSpec& spec,
                                          const NormalizerBanks& banks,
                                          Similarity similarity,
                                          const VectorRows& gallery,
                                          const PassRun& run) {
  ASSIGN_OR_RETURN(const std::vector<BiasTerm> terms,
                   MakeBiasTerms(spec, banks, similarity, {&gallery, 1}, run));
  GalleryBias bias;
  bias.sums.resize(size_t{1} << terms.size());
  size_t always = 0;  // terms without a gate
  std::vector<float> own(gallery.count);
  for (size_t t = 0; t < terms.size(); ++t) {
    RETURN_IF_ERROR(ComputeBias(terms[t], gallery, run, own));
    std::vector<bool>& gate = bias.gates.emplace_back();
    if (terms[t].gate_k > 0) {
      ASSIGN_OR_RETURN(const std::vector<Neighbor> nearest,
                       ComputeGate(terms[t], gallery, terms[t].gate_k, run));
      gate.assign(gallery.count, false);
      for (const Neighbor& neighbor : nearest) {
        gate[neighbor.row] = true;
      }
    } else {
      always |= size_t{1} << t;
    }
    for (size_t open = 0; open < bias.sums.size(); ++open) {
      bias.sums[open].resize(gallery.count, 0.0F);
      for (size_t i = 0; ((open >> t) & 1U) != 0 && i < own.size(); ++i) {
        bias.sums[open][i] += own[i];
      }
    }
  }
  for (size_t open = 0; open < bias.sums.size(); ++open) {
    if ((open & always) != always) {
      bias.sums[open] = {};
    }
  }
  return bias;
}

absl::StatusOr<std::vector<double>> PlacesOfAnswers(const TuneInput& input,
                                                    const GalleryBias* bias,
                                                    const PassRun& run) {
  RETURN_IF_ERROR(CheckInput(input));
  GalleryRanker ranker(input, run);
  RETURN_IF_ERROR(ranker.ReadAnswers());
  ASSIGN_OR_RETURN(Ranking ranking, ranker.Under(bias, 1));
  return std::move(ranking.places);
}

absl::StatusOr<std::vector<Neighbor>> CorrectedNearest(const TuneInput& input,
                                                       const GalleryBias* bias,
                                                       size_t k,
                                                       const PassRun& run) {
  RETURN_IF_ERROR(CheckInput(input));
  GalleryRanker ranker(input, run);
  RETURN_IF_ERROR(ranker.ReadAnswers());
  ASSIGN_OR_RETURN(Ranking ranking, ranker.Under(bias, k));
  return std::move(ranking.nearest);
}

absl::StatusOr<TuneResult> TuneNormalizer(const TuneInput& input,
                                          const TuneOptions& options,
                                          const PassRun& run) {
  RETURN_IF_ERROR(CheckInput(input));
  if (!(options.held_out > 0 && options.held_out < 1)) {
    return InvalidField("held_out", "not between 0 and 1");
  }
  std::vector<NormalizerSpec> candidates = options.candidates;
  if (candidates.empty()) {
    candidates = DefaultCandidates(input.banks.gallery.count > 0);
  }
  RETURN_IF_ERROR(CheckCandidates(candidates));
  GalleryRanker ranker(input, run);
  RETURN_IF_ERROR(ranker.ReadAnswers());
  ASSIGN_OR_RETURN(Ranking raw, ranker.Under(nullptr, kTuneHubnessNeighbors));
  const Split split = SplitQueries(input.queries.count, options);
  TuneResult result;
  result.tuning_queries = split.tuning.size();
  result.held_out_queries = split.held_out.size();
  result.raw_tuning = QualityOf(Chosen(raw.places, split.tuning));
  const std::vector<double> raw_held_out = Chosen(raw.places, split.held_out);
  result.raw_held_out = QualityOf(raw_held_out);
  result.raw_hubness = HubnessOf(raw, split.held_out, input.gallery.count);
  double best_tuning = -1;
  for (const NormalizerSpec& spec : candidates) {
    ASSIGN_OR_RETURN(
        const GalleryBias bias,
        BiasOfGallery(spec, input.banks, input.similarity, input.gallery, run));
    ASSIGN_OR_RETURN(Ranking under, ranker.Under(&bias, kTuneHubnessNeighbors));
    const std::vector<double> held_out = Chosen(under.places, split.held_out);
    const TuneTrial trial{
        spec, QualityOf(Chosen(under.places, split.tuning)),
        QualityOf(held_out),
        HubnessOf(under, split.held_out, input.gallery.count)};
    if (trial.tuning.mean_reciprocal_rank > best_tuning) {
      best_tuning = trial.tuning.mean_reciprocal_rank;
      const Gain gain = GainOf(raw_held_out, held_out);
      result.gain = gain.mean;
      result.gain_error = gain.error;
    }
    result.trials.push_back(trial);
    if (options.on_trial) {
      options.on_trial(result.trials.size(), candidates.size());
    }
  }
  std::stable_sort(result.trials.begin(), result.trials.end(),
                   [](const TuneTrial& a, const TuneTrial& b) {
                     return a.tuning.mean_reciprocal_rank >
                            b.tuning.mean_reciprocal_rank;
                   });
  Judge(options, result);
  return result;
}

}  // namespace sextant
