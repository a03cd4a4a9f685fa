// SPDX-License-Identifier: Apache-2.0
#include "bench/window_dataset.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/status_macros.h"
#include "bench/normal_pair.h"
#include "bench/synthetic_dataset.h"
#include "index/distance.h"

namespace sextant {
namespace {

constexpr uint64_t kPermutationSeed = 7;
constexpr uint64_t kQuerySeed = 1;

std::vector<uint32_t> Permutation(uint32_t rows) {
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::mt19937_64 random(kPermutationSeed);
  for (uint32_t i = rows; i > 1; --i) {
    std::swap(order[i - 1], order[random() % i]);
  }
  return order;
}

// A one-dimensional array of little-endian int64 as NumPy writes it.
absl::StatusOr<std::vector<int64_t>> ReadIntegers(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  constexpr size_t kPreamble = 10;
  if (bytes.size() < kPreamble || bytes.substr(1, 5) != "NUMPY") {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no .npy file"));
  }
  const size_t begin =
      kPreamble + LoadLittleEndian<uint16_t>(bytes.data() + kPreamble - 2);
  if (bytes.find("'<i8'") > begin || (bytes.size() - begin) % 8 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not an array of int64"));
  }
  std::vector<int64_t> numbers((bytes.size() - begin) / 8);
  std::memcpy(numbers.data(), bytes.data() + begin, bytes.size() - begin);
  return numbers;
}

std::vector<uint32_t> OrderOf(const std::vector<int64_t>& values) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(
      order.begin(), order.end(),
      [&values](uint32_t a, uint32_t b) { return values[a] < values[b]; });
  return order;
}

WindowSet Adversarial() {
  constexpr uint32_t kRows = 200'000;
  constexpr uint32_t kQueries = 1000;
  constexpr uint32_t kDimension = 100;
  constexpr uint32_t kClusters = 100;
  constexpr double kSpread = 0.6;       // of a Gaussian, against 1 for centres
  constexpr double kLabelNoise = 0.25;  // in Gaussians
  constexpr double kLabelStep = 1e6;
  std::mt19937_64 random(kQuerySeed);
  std::vector<float> centres(size_t{kClusters} * kDimension);
  for (float& x : centres) {
    x = static_cast<float>(NormalPair(random).first);
  }
  WindowSet set;
  AnnDataset& data = set.data;
  data.name = "adversarial";
  data.dimension = kDimension;
  data.rows = kRows;
  data.queries = kQueries;
  std::vector<int64_t> labels;
  const auto draw = [&](uint32_t rows, std::vector<float>& vectors) {
    vectors.reserve(size_t{rows} * kDimension);
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t cluster = static_cast<uint32_t>(random() % kClusters);
      for (uint32_t j = 0; j < kDimension; ++j) {
        vectors.push_back(
            centres[size_t{cluster} * kDimension + j] +
            static_cast<float>(kSpread * NormalPair(random).first));
      }
      Normalize({vectors.data() + vectors.size() - kDimension, kDimension});
      labels.push_back(static_cast<int64_t>(
          kLabelStep * (cluster + kLabelNoise * NormalPair(random).first)));
    }
  };
  draw(kRows, data.base);
  std::vector<int64_t> row_labels = std::exchange(labels, {});
  draw(kQueries, data.query_vectors);
  data.hash = Checksum64({reinterpret_cast<const char*>(data.base.data()),
                          data.base.size() * sizeof(float)},
                         0);
  set.by_rank = OrderOf(row_labels);
  std::sort(row_labels.begin(), row_labels.end());
  for (const int64_t label : labels) {
    set.query_ranks.push_back(static_cast<uint32_t>(
        std::lower_bound(row_labels.begin(), row_labels.end(), label) -
        row_labels.begin()));
  }
  return set;
}

absl::StatusOr<WindowSet> LoadOrdered(absl::string_view name,
                                      const WindowSource& source) {
  WindowSet set;
  if (name == "adversarial") {
    return Adversarial();
  }
  const bool is_glove = name == "glove-rank" || name == "glove-permutation";
  const std::string folder = is_glove                ? source.glove_folder
                             : name == "debian-size" ? source.debian_folder
                                                     : std::string(kSynthetic);
  ASSIGN_OR_RETURN(set.data, ReadDataset({.data = folder,
                                          .cache_folder = source.cache_folder,
                                          .threads = source.threads}));
  if (name == "glove-rank" || name == "debian-size") {
    ASSIGN_OR_RETURN(
        const std::vector<int64_t> values,
        ReadIntegers(folder + (is_glove ? "/rank.npy" : "/size.npy")));
    if (values.size() != set.data.rows) {
      return absl::InvalidArgumentError(
          absl::StrCat(folder, ": ", values.size(), " values for ",
                       set.data.rows, " vectors"));
    }
    set.by_rank = OrderOf(values);
  } else {
    set.by_rank = Permutation(set.data.rows);
  }
  return set;
}

}  // namespace

absl::StatusOr<WindowSet> LoadWindowSet(absl::string_view name,
                                        const WindowSource& source) {
  ASSIGN_OR_RETURN(WindowSet set, LoadOrdered(name, source));
  set.name = std::string(name);
  set.rank_of.resize(set.by_rank.size());
  for (uint32_t rank = 0; rank < set.by_rank.size(); ++rank) {
    set.rank_of[set.by_rank[rank]] = rank;
  }
  return set;
}

std::vector<WindowQuery> MakeWindowQueries(const WindowSet& set, uint32_t rows,
                                           uint32_t count) {
  std::mt19937_64 random(kQuerySeed + rows);
  std::vector<WindowQuery> queries;
  for (uint32_t i = 0; i < count; ++i) {
    WindowQuery query;
    query.count = rows;
    query.first = static_cast<uint32_t>(random() % (set.data.rows - rows + 1));
    auto chosen = static_cast<uint32_t>(random() % set.data.queries);
    // An adversary asks from outside; from where the window is everything,
    // from anywhere.
    constexpr int kTries = 1000;
    for (int t = 0; t < kTries && !set.query_ranks.empty() &&
                    set.query_ranks[chosen] - query.first < rows;
         ++t) {
      chosen = static_cast<uint32_t>(random() % set.data.queries);
    }
    query.vector = set.data.query(chosen);
    queries.push_back(query);
  }
  return queries;
}

}  // namespace sextant
