// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/operating_point.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sextant {
namespace {

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

PrecisionRecallCurve::PrecisionRecallCurve(std::vector<LabelledScore> pairs) {
  std::sort(pairs.begin(), pairs.end(),
            [](const LabelledScore& a, const LabelledScore& b) {
              return a.score > b.score;
            });
  uint64_t kept = 0;
  for (const LabelledScore& pair : pairs) {
    ++kept;
    relevant_ += pair.relevant ? 1U : 0U;
    if (!steps_.empty() && steps_.back().score == pair.score) {
      steps_.back() = {pair.score, kept, relevant_};
    } else {
      steps_.push_back({pair.score, kept, relevant_});
    }
  }
}

OperatingPoint PrecisionRecallCurve::PointOf(size_t step) const {
  const Step& at = steps_[step];
  const double next =
      step + 1 < steps_.size() ? steps_[step + 1].score : at.score - 1;
  return {(at.score + next) / 2, Share(at.relevant, relevant_),
          Share(at.relevant, at.kept), at.kept};
}

OperatingPoint PrecisionRecallCurve::At(double threshold) const {
  const auto end = std::partition_point(
      steps_.begin(), steps_.end(),
      [threshold](const Step& step) { return step.score >= threshold; });
  if (end == steps_.begin()) {
    return {threshold, 0, 0, 0};
  }
  const Step& last = *(end - 1);
  return {threshold, Share(last.relevant, relevant_),
          Share(last.relevant, last.kept), last.kept};
}

std::optional<OperatingPoint> PrecisionRecallCurve::ForRecall(
    double recall) const {
  for (size_t i = 0; i < steps_.size(); ++i) {
    // Of 20 pairs 0.95 are 19, whatever the product is rounded to.
    if (relevant_ > 0 &&
        static_cast<double>(steps_[i].relevant) >=
            recall * static_cast<double>(relevant_) * (1 - 1e-12)) {
      return PointOf(i);
    }
  }
  return std::nullopt;
}

std::optional<OperatingPoint> PrecisionRecallCurve::ForPrecision(
    double precision) const {
  std::optional<OperatingPoint> best;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const OperatingPoint point = PointOf(i);
    if (point.precision >= precision && point.recall > 0 &&
        (!best.has_value() || point.recall > best->recall)) {
      best = point;
    }
  }
  return best;
}

double PrecisionRecallCurve::AveragePrecision() const {
  double sum = 0;
  uint64_t before = 0;
  for (const Step& step : steps_) {
    sum += Share(step.relevant, step.kept) *
           static_cast<double>(step.relevant - before);
    before = step.relevant;
  }
  return relevant_ == 0 ? 0 : sum / static_cast<double>(relevant_);
}

}  // namespace sextant
