// SPDX-License-Identifier: Apache-2.0
#include "tests/recall/exact_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_map>

#include "base/status_macros.h"
#include "clients/formats/vector_file.h"

namespace sextant {
namespace {

constexpr double kTie = 1e-6;

}  // namespace

absl::StatusOr<Matrix> ReadMatrix(const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, OpenVectorFile(path));
  Matrix matrix = {
      .rows = file->rows(), .dimension = file->dimension(), .numbers = {}};
  matrix.numbers.resize(matrix.rows * matrix.dimension);
  RETURN_IF_ERROR(file->ReadRows(0, matrix.numbers));
  return matrix;
}

// In several sums, which need not wait for each other.
double Dot(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kSums = 8;
  std::array<double, kSums> sums{};
  size_t i = 0;
  for (; i + kSums <= a.size(); i += kSums) {
    for (size_t j = 0; j < kSums; ++j) {
      sums[j] += double{a[i + j]} * double{b[i + j]};
    }
  }
  for (; i < a.size(); ++i) {
    sums[0] += double{a[i]} * double{b[i]};
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  return Dot(a, b) / std::sqrt(Dot(a, a) * Dot(b, b));
}

std::vector<double> KthCosines(const Matrix& matrix,
                               const std::vector<ExactPoint>& points,
                               const Matrix& queries, uint64_t count,
                               uint64_t k) {
  std::vector<double> lengths;
  lengths.reserve(points.size());
  for (const ExactPoint& point : points) {
    const std::span<const float> row = matrix.Row(point.row);
    lengths.push_back(std::sqrt(Dot(row, row)));
  }
  std::vector<double> kth;
  std::vector<double> scores(points.size());
  for (uint64_t i = 0; i < count; ++i) {
    const std::span<const float> query = queries.Row(i);
    const double length = std::sqrt(Dot(query, query));
    for (size_t p = 0; p < points.size(); ++p) {
      scores[p] = Dot(query, matrix.Row(points[p].row)) / (length * lengths[p]);
    }
    const auto at = scores.begin() + static_cast<int64_t>(k - 1);
    std::nth_element(scores.begin(), at, scores.end(), std::greater<>());
    kth.push_back(*at);
  }
  return kth;
}

double TieAwareRecall(const Matrix& matrix,
                      const std::vector<ExactPoint>& points,
                      std::span<const float> query,
                      const std::vector<uint64_t>& answer, uint64_t k) {
  std::unordered_map<uint64_t, double> score_of;
  std::vector<double> scores;
  scores.reserve(points.size());
  const double length = std::sqrt(Dot(query, query));
  for (const ExactPoint& point : points) {
    const std::span<const float> row = matrix.Row(point.row);
    scores.push_back(Dot(query, row) / (length * std::sqrt(Dot(row, row))));
    score_of[point.id] = scores.back();
  }
  k = std::min<uint64_t>(k, scores.size());
  if (k == 0) {
    return 1;
  }
  std::nth_element(scores.begin(), scores.begin() + static_cast<int64_t>(k - 1),
                   scores.end(), std::greater<>());
  const double floor = scores[k - 1] - kTie;
  uint64_t right = 0;
  for (size_t i = 0; i < std::min<size_t>(answer.size(), k); ++i) {
    const auto found = score_of.find(answer[i]);
    if (found != score_of.end() && found->second >= floor) {
      ++right;
      score_of.erase(found);  // the same id does not count twice
    }
  }
  return static_cast<double>(right) / static_cast<double>(k);
}

}  // namespace sextant
