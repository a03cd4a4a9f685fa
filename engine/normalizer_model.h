// SPDX-License-Identifier: Apache-2.0
//
// For tests only: corrected scores in float64, by brute force.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/exact_cosine.h"
#include "ranking/hubness/normalizer_spec.h"

namespace sextant::test {

// Points under a cosine, and banks called "queries" and "gallery".
struct NormalizerModel {
  using Numbers = std::vector<float>;
  using Points = std::map<uint64_t, Numbers>;
  using Banks = std::map<std::string, std::vector<Numbers>>;

  const Points* points;
  const Banks* banks;

  uint64_t Nearest(const Numbers& query) const {
    return std::max_element(points->begin(), points->end(),
                            [&](const auto& a, const auto& b) {
                              return ExactCosine(query, a.second) <
                                     ExactCosine(query, b.second);
                            })
        ->first;
  }
  // Whether the point is the nearest of some vector of the bank.
  bool Opens(const std::vector<Numbers>& bank, uint64_t id) const {
    return std::any_of(bank.begin(), bank.end(),
                       [&](const Numbers& row) { return Nearest(row) == id; });
  }
  static double LogSum(const std::vector<Numbers>& bank, const Numbers& item,
                       double beta) {
    double sum = 0;
    for (const Numbers& row : bank) {
      sum += std::exp(beta * ExactCosine(row, item));
    }
    return std::log(sum);
  }
  static double TopMean(const std::vector<Numbers>& bank, const Numbers& item,
                        size_t k) {
    std::vector<double> scores;
    for (const Numbers& row : bank) {
      scores.push_back(ExactCosine(row, item));
    }
    std::sort(scores.rbegin(), scores.rend());
    scores.resize(std::min(k, scores.size()));
    double sum = 0;
    for (const double score : scores) {
      sum += score;
    }
    return sum / static_cast<double>(scores.size());
  }

  // s - b, up to a constant of the query.
  std::map<uint64_t, double> Corrected(const NormalizerSpec& spec,
                                       const Numbers& query) const {
    const std::vector<Numbers>& queries = banks->at("queries");
    const std::vector<Numbers>& gallery = banks->at("gallery");
    const bool dynamic = IsDynamic(spec.method);
    const uint64_t nearest = Nearest(query);
    const bool open = !dynamic || Opens(queries, nearest);
    const bool dual = NeedsGalleryBank(spec.method);
    const bool gallery_open = dual && (!dynamic || Opens(gallery, nearest));
    std::map<uint64_t, double> scores;
    for (const auto& [id, item] : *points) {
      double bias = 0;
      if (spec.method == NormalizerMethod::kCsls ||
          spec.method == NormalizerMethod::kMarginDistance) {
        bias = TopMean(queries, item, spec.k) / 2;
      } else if (spec.method == NormalizerMethod::kNearestNeighbor) {
        bias = spec.alpha * TopMean(queries, item, spec.k);
      } else {
        bias += open ? LogSum(queries, item, spec.beta) : 0;
        bias += gallery_open ? LogSum(gallery, item, spec.gallery_beta) : 0;
        bias /= spec.beta + (dual ? spec.gallery_beta : 0);
      }
      scores[id] = ExactCosine(query, item) - bias;
    }
    return scores;
  }
};

}  // namespace sextant::test
