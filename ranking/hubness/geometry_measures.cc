// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/geometry_measures.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "ranking/hubness/bank_statistics.h"
#include "ranking/hubness/rescoring.h"

// LAPACK, which OpenBLAS brings: eigenvalues, ascending, and eigenvectors of a
// symmetric matrix.
extern "C" void dsyev_(const char* jobz, const char* uplo, const int* n,
                       double* a, const int* lda, double* w, double* work,
                       const int* lwork, int* info);

namespace sextant {
namespace {

// Of a symmetric matrix of n x n; vectors are its rows, one after the other.
struct Eigen {
  std::vector<double> values;
  std::vector<double> vectors;
};

Eigen Decompose(std::vector<double> matrix, size_t n) {
  Eigen found;
  found.values.resize(n);
  const int order = static_cast<int>(n);
  const int work_size = std::max(1, 34 * order);
  std::vector<double> work(static_cast<size_t>(work_size));
  int info = 0;
  dsyev_("V", "U", &order, matrix.data(), &order, found.values.data(),
         work.data(), &work_size, &info);
  CHECK_EQ(info, 0) << "eigenvalues of a finite symmetric matrix";
  found.vectors = std::move(matrix);
  return found;
}

// Sum over the rows of (x - center)(x - center)^T.
std::vector<double> Scatter(const VectorRows& items,
                            const std::vector<double>& center) {
  const size_t d = items.dimension;
  std::vector<double> sums(d * d, 0);
  std::vector<double> off(d);
  for (size_t row = 0; row < items.count; ++row) {
    for (size_t i = 0; i < d; ++i) {
      off[i] = static_cast<double>(items.row(row)[i]) - center[i];
    }
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        sums[i * d + j] += off[i] * off[j];
      }
    }
  }
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j < i; ++j) {
      sums[j * d + i] = sums[i * d + j];
    }
  }
  return sums;
}

std::vector<double> Mean(const VectorRows& items) {
  std::vector<double> mean(items.dimension, 0);
  for (size_t row = 0; row < items.count; ++row) {
    for (size_t i = 0; i < mean.size(); ++i) {
      mean[i] += static_cast<double>(items.row(row)[i]);
    }
  }
  for (double& value : mean) {
    value /= static_cast<double>(items.count);
  }
  return mean;
}

// log sum_x exp(sign * a x).
double LogPartition(const VectorRows& items, const double* a, double sign) {
  std::vector<double> products(items.count);
  double most = -std::numeric_limits<double>::infinity();
  for (size_t row = 0; row < items.count; ++row) {
    double product = 0;
    for (size_t i = 0; i < items.dimension; ++i) {
      product += a[i] * static_cast<double>(items.row(row)[i]);
    }
    products[row] = sign * product;
    most = std::max(most, products[row]);
  }
  double sum = 0;
  for (const double product : products) {
    sum += std::exp(product - most);
  }
  return most + std::log(sum);
}

}  // namespace

double LocalIntrinsicDimension(std::span<const double> distances) {
  double greatest = 0;
  for (const double distance : distances) {
    greatest = std::max(greatest, distance);
  }
  double sum = 0;
  size_t count = 0;
  for (const double distance : distances) {
    if (distance > 0) {
      sum += std::log(distance / greatest);
      ++count;
    }
  }
  // Not -0: so that the quotient is +infinity.
  return sum < 0 ? -static_cast<double>(count) / sum
                 : std::numeric_limits<double>::infinity();
}

IntrinsicDimension SummarizeDimensions(std::vector<double> dimensions) {
  IntrinsicDimension found;
  found.left_out = std::erase_if(
      dimensions, [](double dimension) { return !std::isfinite(dimension); });
  if (!dimensions.empty()) {
    for (const double dimension : dimensions) {
      found.mean += dimension;
    }
    found.mean /= static_cast<double>(dimensions.size());
    const auto middle =
        dimensions.begin() + static_cast<std::ptrdiff_t>(dimensions.size() / 2);
    std::nth_element(dimensions.begin(), middle, dimensions.end());
    found.median = *middle;
  }
  return found;
}

absl::StatusOr<IntrinsicDimension> MeasureIntrinsicDimension(
    const VectorRows& items, size_t k, const PassRun& run) {
  const NearestOptions options{.k = k, .same_rows = true};
  const size_t count = NeighborsOf(items, options);
  std::vector<Neighbor> nearest(items.count * count);
  RETURN_IF_ERROR(NearestOfItems(items, items, Similarity::kNegativeSquares,
                                 options, run, nearest));
  std::vector<double> dimensions;
  std::vector<double> distances(count);
  for (size_t i = 0; i < items.count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      distances[j] = DistanceOf(nearest[i * count + j].similarity,
                                Similarity::kNegativeSquares);
    }
    dimensions.push_back(LocalIntrinsicDimension(distances));
  }
  return SummarizeDimensions(std::move(dimensions));
}

double Alignment(const VectorRows& a, const VectorRows& b) {
  CHECK_EQ(a.count, b.count) << "pairs have two sides";
  CHECK_EQ(a.dimension, b.dimension) << "of one dimension";
  double sum = 0;
  for (size_t row = 0; row < a.count; ++row) {
    for (size_t i = 0; i < a.dimension; ++i) {
      const double off = static_cast<double>(a.row(row)[i]) -
                         static_cast<double>(b.row(row)[i]);
      sum += off * off;
    }
  }
  return a.count == 0 ? 0 : sum / static_cast<double>(a.count);
}

absl::StatusOr<double> Uniformity(const VectorRows& items, const PassRun& run) {
  constexpr double kTemperature = 2;
  if (items.count < 2) {
    return 0.0;
  }
  // By item, so that the sum has one order whoever computes it.
  std::vector<double> sums(items.count, 0);
  RETURN_IF_ERROR(ForEachBankBlocks(
      items, items, Similarity::kNegativeSquares, run, [&](BankBlocks& blocks) {
        for (SimilarityBlock block; blocks.Next(&block);) {
          for (size_t i = 0; i < block.items; ++i) {
            const size_t own = block.first_item + i;
            for (size_t j = 0; j < block.bank_rows; ++j) {
              if (block.first_bank_row + j != own) {
                sums[own] += std::exp(kTemperature *
                                      static_cast<double>(block.row(i)[j]));
              }
            }
          }
        }
      }));
  double sum = 0;
  for (const double own : sums) {
    sum += own;
  }
  const auto n = static_cast<double>(items.count);
  // Not -infinity where every pair is too far for exp.
  return std::log(std::max(sum, std::numeric_limits<double>::min()) / n /
                  (n - 1));
}

double IsoScore(const VectorRows& items) {
  const auto d = static_cast<double>(items.dimension);
  if (items.count == 0) {
    return 0;
  }
  const Eigen eigen = Decompose(Scatter(items, Mean(items)), items.dimension);
  double squares = 0;
  for (const double value : eigen.values) {
    squares += value * value;
  }
  if (squares == 0) {
    return 0;
  }
  if (items.dimension == 1) {
    return 1;
  }
  double away = 0;
  for (const double value : eigen.values) {
    const double off = std::sqrt(d) * value / std::sqrt(squares) - 1;
    away += off * off;
  }
  const double defect = std::sqrt(away / (2 * (d - std::sqrt(d))));
  const double spread = d - defect * defect * (d - std::sqrt(d));
  const double phi = spread * spread / (d * d);
  return std::clamp((d * phi - 1) / (d - 1), 0.0, 1.0);
}

double PartitionIsotropy(const VectorRows& items) {
  if (items.count == 0) {
    return 1;
  }
  const size_t d = items.dimension;
  const Eigen eigen = Decompose(Scatter(items, std::vector<double>(d, 0)), d);
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (size_t i = 0; i < d; ++i) {
    for (const double sign : {1.0, -1.0}) {
      const double z = LogPartition(items, eigen.vectors.data() + i * d, sign);
      least = std::min(least, z);
      greatest = std::max(greatest, z);
    }
  }
  return std::exp(least - greatest);
}

}  // namespace sextant
