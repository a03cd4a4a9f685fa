// SPDX-License-Identifier: Apache-2.0
#include "bench/ann_dataset.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/status_macros.h"
#include "clients/formats/vector_file.h"

namespace sextant {
namespace {

struct Matrix {
  uint64_t rows = 0;
  uint64_t columns = 0;
  std::vector<float> numbers;
};

absl::StatusOr<Matrix> ReadMatrix(const std::string& path, uint64_t max_rows) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorFile> file,
                   OpenVectorFile(path));
  Matrix matrix;
  matrix.columns = file->dimension();
  matrix.rows = max_rows == 0 ? file->rows() : std::min(max_rows, file->rows());
  matrix.numbers.resize(matrix.rows * matrix.columns);
  RETURN_IF_ERROR(file->ReadRows(0, std::span(matrix.numbers)));
  return matrix;
}

// The exact k-th score of one query by brute force.
float KthScore(const AnnDataset& dataset, uint32_t query, uint32_t k) {
  std::vector<float> scores(dataset.rows);
  for (uint32_t row = 0; row < dataset.rows; ++row) {
    scores[row] = static_cast<float>(ExactProduct(
        dataset.query(query), dataset.row(row), dataset.dimension));
  }
  std::nth_element(scores.begin(), scores.begin() + (k - 1), scores.end(),
                   std::greater<>());
  return scores[k - 1];
}

uint64_t HashFloats(const std::vector<float>& numbers, uint64_t seed) {
  return Checksum64({reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(float)},
                    seed);
}

}  // namespace

double ExactProduct(const float* a, const float* b, uint32_t dimension) {
  double sum = 0;
  for (uint32_t i = 0; i < dimension; ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

absl::StatusOr<AnnDataset> ReadAnnDataset(absl::string_view folder, uint32_t k,
                                          uint32_t max_rows) {
  const std::filesystem::path path{std::string(folder)};
  ASSIGN_OR_RETURN(Matrix base, ReadMatrix(path / "base.npy", max_rows));
  ASSIGN_OR_RETURN(Matrix queries, ReadMatrix(path / "queries.npy", 0));
  if (base.columns != queries.columns || base.rows < k ||
      base.rows > std::numeric_limits<uint32_t>::max() || queries.rows == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": base (", base.rows, " x ", base.columns,
                     ") and queries (", queries.rows, " x ", queries.columns,
                     ") do not fit, or have fewer than ", k, " rows"));
  }
  AnnDataset dataset;
  dataset.name = (path / "").parent_path().filename().string();
  dataset.dimension = static_cast<uint32_t>(base.columns);
  dataset.rows = static_cast<uint32_t>(base.rows);
  dataset.queries = static_cast<uint32_t>(queries.rows);
  dataset.base = std::move(base.numbers);
  dataset.query_vectors = std::move(queries.numbers);
  dataset.hash = HashFloats(dataset.query_vectors, HashFloats(dataset.base, 0));
  if (max_rows != 0) {
    for (uint32_t query = 0; query < dataset.queries; ++query) {
      dataset.kth_scores.push_back(KthScore(dataset, query, k));
    }
    return dataset;
  }
  ASSIGN_OR_RETURN(const Matrix truth, ReadMatrix(path / "gt_scores.npy", 0));
  if (truth.rows != dataset.queries || truth.columns < k) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": gt_scores.npy: expected ", dataset.queries,
                     " rows of at least ", k, " scores"));
  }
  for (uint32_t query = 0; query < dataset.queries; ++query) {
    dataset.kth_scores.push_back(truth.numbers[query * truth.columns + k - 1]);
  }
  return dataset;
}

double TieAwareRecall(const AnnDataset& dataset, uint32_t query,
                      const uint32_t* answers, uint32_t k) {
  uint32_t right = 0;
  for (uint32_t i = 0; i < k; ++i) {
    if (answers[i] < dataset.rows) {
      const double score = ExactProduct(
          dataset.query(query), dataset.row(answers[i]), dataset.dimension);
      right +=
          score >= static_cast<double>(dataset.kth_scores[query]) - kScoreTie
              ? 1U
              : 0U;
    }
  }
  return static_cast<double>(right) / k;
}

}  // namespace sextant
