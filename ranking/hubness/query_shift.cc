// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/query_shift.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "ranking/hubness/bank_statistics.h"

namespace sextant {
namespace {

constexpr double kChance = 0.001;

// `count` rows, evenly spaced.
std::vector<float> SomeRows(const VectorRows& rows, size_t count) {
  std::vector<float> some;
  some.reserve(count * rows.dimension);
  for (size_t i = 0; i < count; ++i) {
    const float* const row = rows.row(i * rows.count / count);
    some.insert(some.end(), row, row + rows.dimension);
  }
  return some;
}

double Mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

// The greatest F_a - F_b.
double OneSidedDistance(const std::vector<float>& a,
                        const std::vector<float>& b) {
  double greatest = 0;
  size_t j = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (i + 1 < a.size() && a[i + 1] == a[i]) {
      continue;  // at the last of equal ones
    }
    while (j < b.size() && b[j] <= a[i]) {
      ++j;
    }
    greatest = std::max(
        greatest, static_cast<double>(i + 1) / static_cast<double>(a.size()) -
                      static_cast<double>(j) / static_cast<double>(b.size()));
  }
  return greatest;
}

}  // namespace

absl::StatusOr<QueryShift> MeasureQueryShift(const VectorRows& bank,
                                             const VectorRows& queries,
                                             Similarity similarity,
                                             const PassRun& run) {
  if (queries.count < kShiftQueriesMin || bank.count < kShiftBankRowsMin) {
    return absl::FailedPreconditionError(absl::StrCat(
        "needs ", kShiftQueriesMin, " queries and ", kShiftBankRowsMin,
        " rows of a bank, got ", queries.count, " and ", bank.count));
  }
  QueryShift shift;
  shift.queries = queries.count;
  shift.bank_rows = std::min(bank.count, kShiftBankRowsMax);
  const std::vector<float> numbers = SomeRows(bank, shift.bank_rows);
  const VectorRows rows{numbers.data(), shift.bank_rows, bank.dimension,
                        bank.dimension};
  std::vector<Neighbor> nearest(queries.count);
  RETURN_IF_ERROR(
      NearestOfItems(queries, rows, similarity, {.k = 1}, run, nearest));
  std::vector<float> of_queries;
  for (const Neighbor& neighbor : nearest) {
    of_queries.push_back(neighbor.similarity);
  }

  // A row's two nearest, since it may be its own.
  const size_t references = std::min(shift.bank_rows, kShiftReferencesMax);
  const std::vector<float> reference_numbers = SomeRows(rows, references);
  std::vector<Neighbor> pairs(references * 2);
  RETURN_IF_ERROR(NearestOfItems(
      {reference_numbers.data(), references, bank.dimension, bank.dimension},
      rows, similarity, {.k = 2}, run, pairs));
  std::vector<float> of_bank;
  for (size_t i = 0; i < references; ++i) {
    const bool own = pairs[2 * i].row == i * rows.count / references;
    of_bank.push_back(pairs[2 * i + (own ? 1 : 0)].similarity);
  }
  shift.query_similarity = Mean(of_queries);
  shift.bank_similarity = Mean(of_bank);
  std::sort(of_queries.begin(), of_queries.end());
  std::sort(of_bank.begin(), of_bank.end());
  shift.distance = OneSidedDistance(of_queries, of_bank);
  const auto n = static_cast<double>(queries.count);
  const auto m = static_cast<double>(references);
  shift.critical = std::sqrt(-std::log(kChance) / 2 * (n + m) / (n * m));
  return shift;
}

}  // namespace sextant
