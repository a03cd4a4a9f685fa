// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/adapter_training.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr size_t kParametersMax = 3;
using Outputs = std::array<double, kParametersMax>;

// Before anything is known: a = 10, b = -5, p = 1.
constexpr Outputs kFirstOutputs = {10, -5, 0.5413248546129181};

// Adam's state for some numbers.
class Adam {
 public:
  Adam(size_t size, double rate) : rate_(rate), mean_(size), square_(size) {}

  void BeginStep() { ++steps_; }
  // `decay` pulls numbers to 0, apart from the gradient.
  void Update(size_t first, std::span<float> numbers,
              std::span<const float> gradient, double decay) {
    const double mean_scale = 1 / (1 - std::pow(kBeta1, steps_));
    const double square_scale = 1 / (1 - std::pow(kBeta2, steps_));
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto g = static_cast<double>(gradient[i]);
      double& mean = mean_[first + i];
      double& square = square_[first + i];
      mean = kBeta1 * mean + (1 - kBeta1) * g;
      square = kBeta2 * square + (1 - kBeta2) * g * g;
      const double step =
          mean * mean_scale / (std::sqrt(square * square_scale) + 1e-8);
      const auto old = static_cast<double>(numbers[i]);
      numbers[i] = static_cast<float>(old - rate_ * (step + decay * old));
    }
  }

 private:
  static constexpr double kBeta1 = 0.9;
  static constexpr double kBeta2 = 0.999;

  const double rate_;
  double steps_ = 0;
  std::vector<double> mean_;
  std::vector<double> square_;
};

// A part of the training set by query.
struct PairRange {
  size_t first = 0;
  size_t end = 0;
};

struct Loss {
  double sum = 0;
  Outputs gradient = {};  // of the sum, by output
};

// Of the pairs of one query, whose network says `outputs`.
Loss LossOf(AdapterFamily family, const Outputs& outputs,
            std::span<const LabelledPair> pairs) {
  const AdapterCurve curve = AdapterCurve::Of(family, outputs);
  const std::array<double, 2> slopes = {Sigmoid(outputs[0]),
                                        Sigmoid(outputs[2])};
  Loss loss;
  for (const LabelledPair& pair : pairs) {
    const auto cosine = static_cast<double>(pair.cosine);
    const double z = curve.Logit(cosine);
    loss.sum += Softplus(z) - (pair.relevant ? z : 0);
    const double dz = Sigmoid(z) - (pair.relevant ? 1 : 0);
    const double c = std::clamp(cosine, 0.0, 1.0);
    const double g = family == AdapterFamily::kPower && c > 0
                         ? std::pow(c, curve.p)
                     : family == AdapterFamily::kSquareRoot ? std::sqrt(c)
                     : family == AdapterFamily::kQuadratic  ? c * c
                                                            : c;
    loss.gradient[0] += dz * g * slopes[0];
    loss.gradient[1] += dz;
    if (family == AdapterFamily::kPower && c > 0) {
      loss.gradient[2] += dz * curve.a * g * std::log(c) * slopes[1];
    }
  }
  return loss;
}

// The network while it learns, for centred and scaled queries. Weights by
// input, so that the inner loops run over consecutive numbers.
class Learner {
 public:
  Learner(const TrainingSet& set, const TrainingOptions& options)
      : set_(set),
        options_(options),
        inputs_(set.queries.dimension),
        hidden_(options.hidden),
        outputs_(ParameterCount(options.family)),
        numbers_(inputs_ * hidden_ + hidden_ + hidden_ * outputs_ + outputs_),
        gradient_(numbers_.size()),
        adam_(numbers_.size(), options.learning_rate),
        active_(hidden_),
        back_(hidden_) {
    FindRanges();
  }

  void Scale(std::span<const uint32_t> queries);
  void Start(std::mt19937_64* random, const Outputs& shared);
  // One step by a batch.
  void Step(std::span<const uint32_t> queries);
  // Mean loss of a pair.
  double MeanLoss(std::span<const uint32_t> queries);
  // The best outputs that do not depend on the query.
  absl::StatusOr<Outputs> FitShared(std::span<const uint32_t> queries,
                                    const RequestContext& context) const;
  double SharedLoss(const Outputs& outputs,
                    std::span<const uint32_t> queries) const;
  size_t PairsOf(std::span<const uint32_t> queries) const;

  const std::vector<float>& numbers() const { return numbers_; }
  // The network `numbers`, for queries as they are.
  Mlp Finished(const std::vector<float>& numbers) const;

 private:
  void FindRanges();
  std::span<const LabelledPair> Pairs(uint32_t query) const {
    const PairRange& range = ranges_[query];
    return set_.pairs.subspan(range.first, range.end - range.first);
  }
  size_t hidden_at() const { return inputs_ * hidden_; }
  size_t second_at() const { return hidden_at() + hidden_; }
  size_t output_at() const { return second_at() + hidden_ * outputs_; }

  void Load(uint32_t query);
  Outputs Forward();
  void Backward(const Outputs& gradient);

  const TrainingSet& set_;
  const TrainingOptions& options_;
  const size_t inputs_;
  const size_t hidden_;
  const size_t outputs_;
  std::vector<PairRange> ranges_;
  std::vector<float> center_;
  float scale_ = 1;
  std::vector<float> numbers_;  // first weights, biases; second, biases
  std::vector<float> gradient_;
  Adam adam_;
  // Of one query.
  std::vector<float> x_;
  std::vector<float> active_;
  std::vector<float> back_;
};

void Learner::FindRanges() {
  ranges_.resize(set_.queries.count);
  for (size_t i = 0; i < set_.pairs.size(); ++i) {
    const uint32_t query = set_.pairs[i].query;
    CHECK_LT(query, ranges_.size()) << "a pair of no query";
    PairRange& range = ranges_[query];
    if (range.end == 0) {
      range.first = i;
    }
    range.end = i + 1;
  }
}

size_t Learner::PairsOf(std::span<const uint32_t> queries) const {
  size_t pairs = 0;
  for (const uint32_t query : queries) {
    pairs += Pairs(query).size();
  }
  return pairs;
}

void Learner::Scale(std::span<const uint32_t> queries) {
  std::vector<double> sums(inputs_);
  double squares = 0;
  for (const uint32_t query : queries) {
    const float* const row = set_.queries.row(query);
    for (size_t i = 0; i < inputs_; ++i) {
      sums[i] += static_cast<double>(row[i]);
      squares += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    }
  }
  const auto count = static_cast<double>(queries.size());
  double variance = squares / count;
  center_.resize(inputs_);
  for (size_t i = 0; i < inputs_; ++i) {
    center_[i] = static_cast<float>(sums[i] / count);
    variance -= sums[i] / count * sums[i] / count;
  }
  // One query, or equal ones, have none.
  scale_ = static_cast<float>(1 / std::sqrt(std::max(variance, 1e-6)));
}

void Learner::Start(std::mt19937_64* random, const Outputs& shared) {
  std::normal_distribution<float> normal(0, std::sqrt(2.0F));
  std::fill(numbers_.begin(), numbers_.end(), 0.0F);
  for (size_t i = 0; i < hidden_at(); ++i) {
    numbers_[i] = normal(*random);
  }
  for (size_t i = 0; i < outputs_; ++i) {
    numbers_[output_at() + i] = static_cast<float>(shared[i]);
  }
}

void Learner::Load(uint32_t query) {
  const float* const row = set_.queries.row(query);
  x_.resize(inputs_);
  for (size_t i = 0; i < inputs_; ++i) {
    x_[i] = (row[i] - center_[i]) * scale_;
  }
}

Outputs Learner::Forward() {
  std::copy_n(numbers_.begin() + static_cast<std::ptrdiff_t>(hidden_at()),
              hidden_, active_.begin());
  for (size_t i = 0; i < inputs_; ++i) {
    const float* const row = numbers_.data() + i * hidden_;
    for (size_t h = 0; h < hidden_; ++h) {
      active_[h] += x_[i] * row[h];
    }
  }
  Outputs outputs = {};
  for (size_t o = 0; o < outputs_; ++o) {
    outputs[o] = static_cast<double>(numbers_[output_at() + o]);
  }
  for (size_t h = 0; h < hidden_; ++h) {
    active_[h] = std::max(0.0F, active_[h]);
    for (size_t o = 0; o < outputs_; ++o) {
      outputs[o] +=
          static_cast<double>(active_[h]) *
          static_cast<double>(numbers_[second_at() + h * outputs_ + o]);
    }
  }
  return outputs;
}

void Learner::Backward(const Outputs& gradient) {
  for (size_t o = 0; o < outputs_; ++o) {
    gradient_[output_at() + o] += static_cast<float>(gradient[o]);
  }
  for (size_t h = 0; h < hidden_; ++h) {
    double sum = 0;
    for (size_t o = 0; o < outputs_; ++o) {
      const size_t at = second_at() + h * outputs_ + o;
      gradient_[at] +=
          static_cast<float>(gradient[o] * static_cast<double>(active_[h]));
      sum += gradient[o] * static_cast<double>(numbers_[at]);
    }
    back_[h] = active_[h] > 0 ? static_cast<float>(sum) : 0;
    gradient_[hidden_at() + h] += back_[h];
  }
  for (size_t i = 0; i < inputs_; ++i) {
    float* const row = gradient_.data() + i * hidden_;
    for (size_t h = 0; h < hidden_; ++h) {
      row[h] += x_[i] * back_[h];
    }
  }
}

void Learner::Step(std::span<const uint32_t> queries) {
  std::fill(gradient_.begin(), gradient_.end(), 0.0F);
  const auto pairs = static_cast<double>(PairsOf(queries));
  for (const uint32_t query : queries) {
    Load(query);
    Loss loss = LossOf(options_.family, Forward(), Pairs(query));
    for (double& part : loss.gradient) {
      part /= pairs;
    }
    Backward(loss.gradient);
  }
  adam_.BeginStep();
  const auto update = [this](size_t first, size_t end, double decay) {
    adam_.Update(first, std::span<float>(numbers_).subspan(first, end - first),
                 std::span<const float>(gradient_).subspan(first, end - first),
                 decay);
  };
  update(0, hidden_at(), options_.weight_decay);
  update(hidden_at(), second_at(), 0);
  update(second_at(), output_at(), options_.weight_decay);
  update(output_at(), numbers_.size(), 0);
}

double Learner::MeanLoss(std::span<const uint32_t> queries) {
  double sum = 0;
  for (const uint32_t query : queries) {
    Load(query);
    sum += LossOf(options_.family, Forward(), Pairs(query)).sum;
  }
  return sum / static_cast<double>(PairsOf(queries));
}

double Learner::SharedLoss(const Outputs& outputs,
                           std::span<const uint32_t> queries) const {
  double sum = 0;
  for (const uint32_t query : queries) {
    sum += LossOf(options_.family, outputs, Pairs(query)).sum;
  }
  return sum / static_cast<double>(PairsOf(queries));
}

absl::StatusOr<Outputs> Learner::FitShared(
    std::span<const uint32_t> queries, const RequestContext& context) const {
  constexpr int kSteps = 400;
  constexpr double kRate = 0.1;
  const auto pairs = static_cast<double>(PairsOf(queries));
  std::array<float, kParametersMax> outputs = {};
  std::copy(kFirstOutputs.begin(), kFirstOutputs.end(), outputs.begin());
  Adam adam(outputs.size(), kRate);
  for (int step = 0; step < kSteps; ++step) {
    const Outputs now = {static_cast<double>(outputs[0]),
                         static_cast<double>(outputs[1]),
                         static_cast<double>(outputs[2])};
    std::array<float, kParametersMax> gradient = {};
    for (const uint32_t query : queries) {
      RETURN_IF_ERROR(context.Check());
      const Loss loss = LossOf(options_.family, now, Pairs(query));
      for (size_t o = 0; o < outputs_; ++o) {
        gradient[o] += static_cast<float>(loss.gradient[o] / pairs);
      }
    }
    adam.BeginStep();
    adam.Update(0, outputs, gradient, 0);
  }
  return Outputs{static_cast<double>(outputs[0]),
                 static_cast<double>(outputs[1]),
                 static_cast<double>(outputs[2])};
}

Mlp Learner::Finished(const std::vector<float>& numbers) const {
  MlpLayer first{static_cast<uint32_t>(inputs_), static_cast<uint32_t>(hidden_),
                 std::vector<float>(inputs_ * hidden_),
                 std::vector<float>(hidden_)};
  for (size_t h = 0; h < hidden_; ++h) {
    auto bias = static_cast<double>(numbers[hidden_at() + h]);
    for (size_t i = 0; i < inputs_; ++i) {
      const float weight = numbers[i * hidden_ + h] * scale_;
      first.weights[h * inputs_ + i] = weight;
      bias -= static_cast<double>(weight) * static_cast<double>(center_[i]);
    }
    first.biases[h] = static_cast<float>(bias);
  }
  MlpLayer second{
      static_cast<uint32_t>(hidden_), static_cast<uint32_t>(outputs_),
      std::vector<float>(hidden_ * outputs_), std::vector<float>(outputs_)};
  for (size_t o = 0; o < outputs_; ++o) {
    for (size_t h = 0; h < hidden_; ++h) {
      second.weights[o * hidden_ + h] = numbers[second_at() + h * outputs_ + o];
    }
    second.biases[o] = numbers[output_at() + o];
  }
  return {{std::move(first), std::move(second)}};
}

// The generator's numbers are the same everywhere, those of std::shuffle not.
void Shuffle(std::vector<uint32_t>* order, std::mt19937_64* random) {
  for (size_t i = order->size(); i > 1; --i) {
    std::swap((*order)[i - 1], (*order)[(*random)() % i]);
  }
}

}  // namespace

absl::StatusOr<TrainedAdapter> TrainAdapter(const TrainingSet& set,
                                            const TrainingOptions& options,
                                            const RequestContext& context) {
  return TrainAdapter(
      set, options, [](const TrainingEpoch&) { return absl::OkStatus(); },
      context);
}

absl::StatusOr<TrainedAdapter> TrainAdapter(const TrainingSet& set,
                                            const TrainingOptions& options,
                                            OnEpoch on_epoch,
                                            const RequestContext& context) {
  const auto relevant = std::ranges::count_if(
      set.pairs, [](const LabelledPair& pair) { return pair.relevant; });
  if (relevant == 0 || relevant == std::ssize(set.pairs)) {
    return absl::FailedPreconditionError(
        "needs a relevant point and one that is not");
  }
  std::mt19937_64 random(options.seed);
  std::vector<uint32_t> order(set.queries.count);
  std::iota(order.begin(), order.end(), 0U);
  Shuffle(&order, &random);
  auto stopping = static_cast<size_t>(options.stopping_share *
                                      static_cast<double>(order.size()));
  stopping =
      std::clamp<size_t>(stopping, order.size() > 1 ? 1 : 0, order.size() - 1);
  const std::vector<uint32_t> held(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(stopping));
  order.erase(order.begin(),
              order.begin() + static_cast<std::ptrdiff_t>(stopping));
  const std::vector<uint32_t>& judged = held.empty() ? order : held;

  Learner learner(set, options);
  learner.Scale(order);
  ASSIGN_OR_RETURN(const Outputs shared, learner.FitShared(order, context));
  learner.Start(&random, shared);
  TrainedAdapter trained;
  trained.shared_loss = learner.SharedLoss(shared, judged);
  trained.loss = trained.shared_loss;
  std::vector<float> best = learner.numbers();
  for (uint32_t epoch = 1;
       epoch <= options.epochs && epoch - trained.epochs <= options.patience;
       ++epoch) {
    Shuffle(&order, &random);
    for (size_t at = 0; at < order.size(); at += options.batch) {
      RETURN_IF_ERROR(context.Check());
      learner.Step(std::span<const uint32_t>(order).subspan(
          at, std::min<size_t>(options.batch, order.size() - at)));
    }
    const double loss = learner.MeanLoss(judged);
    if (loss < trained.loss) {
      trained.loss = loss;
      trained.epochs = epoch;
      best = learner.numbers();
    }
    RETURN_IF_ERROR(on_epoch({epoch, options.epochs, loss, trained.loss}));
  }
  trained.mlp = learner.Finished(best);
  return trained;
}

}  // namespace sextant
