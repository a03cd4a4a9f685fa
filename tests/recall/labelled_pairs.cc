// SPDX-License-Identifier: Apache-2.0
#include "tests/recall/labelled_pairs.h"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

// Of the nearest points of a query.
constexpr size_t kNearest = 100;

using Relevant = std::vector<std::pair<uint32_t, uint32_t>>;

// Point i is the one that is relevant to query i.
Relevant SameRow(uint64_t rows) {
  Relevant relevant;
  for (uint32_t row = 0; row < rows; ++row) {
    relevant.emplace_back(row, row);
  }
  return relevant;
}

absl::StatusOr<LabelledQueries> ReadCranfield(const std::string& folder) {
  ASSIGN_OR_RETURN(const Matrix queries, ReadMatrix(folder + "/queries.npy"));
  ASSIGN_OR_RETURN(const Matrix points, ReadMatrix(folder + "/base.npy"));
  std::ifstream judgements(folder + "/qrels.tsv");
  Relevant relevant;
  uint32_t query = 0;
  uint32_t point = 0;
  int grade = 0;
  while (judgements >> query >> point >> grade) {
    relevant.emplace_back(query, point);
  }
  if (relevant.empty()) {
    return absl::NotFoundError(folder + "/qrels.tsv");
  }
  std::sort(relevant.begin(), relevant.end());
  return Label("cranfield", queries, points, relevant, kNearest);
}

}  // namespace

LabelledQueries Label(std::string name, const Matrix& queries,
                      const Matrix& points, const Relevant& relevant,
                      size_t nearest) {
  LabelledQueries labelled{std::move(name), queries, {}};
  auto next = relevant.begin();
  std::vector<float> cosines(points.rows);
  for (uint32_t query = 0; query < queries.rows; ++query) {
    std::vector<bool> is_relevant(points.rows);
    for (; next != relevant.end() && next->first == query; ++next) {
      is_relevant[next->second] = true;
    }
    for (uint64_t point = 0; point < points.rows; ++point) {
      cosines[point] =
          static_cast<float>(Cosine(queries.Row(query), points.Row(point)));
    }
    std::vector<uint32_t> order(points.rows);
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&cosines](uint32_t a, uint32_t b) {
      return cosines[a] > cosines[b];
    });
    for (size_t rank = 0; rank < order.size(); ++rank) {
      if (rank < nearest || is_relevant[order[rank]]) {
        labelled.pairs.push_back(
            {query, cosines[order[rank]], is_relevant[order[rank]]});
      }
    }
  }
  return labelled;
}

LabelledQueries LabelledQueries::Chosen(
    const std::vector<uint32_t>& rows) const {
  std::vector<size_t> first(queries.rows + 1, pairs.size());
  for (size_t i = pairs.size(); i > 0; --i) {
    first[pairs[i - 1].query] = i - 1;
  }
  LabelledQueries made{name, {rows.size(), queries.dimension, {}}, {}};
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const std::span<const float> row = queries.Row(rows[i]);
    made.queries.numbers.insert(made.queries.numbers.end(), row.begin(),
                                row.end());
    for (size_t p = first[rows[i]];
         p < pairs.size() && pairs[p].query == rows[i]; ++p) {
      made.pairs.push_back({i, pairs[p].cosine, pairs[p].relevant});
    }
  }
  return made;
}

LabelledQueries LabelledQueries::Part(uint32_t part, uint32_t parts) const {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < queries.rows; ++row) {
    if (row % parts == part) {
      rows.push_back(row);
    }
  }
  return Chosen(rows);
}

LabelledQueries LabelledQueries::Without(uint32_t part, uint32_t parts) const {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < queries.rows; ++row) {
    if (row % parts != part) {
      rows.push_back(row);
    }
  }
  return Chosen(rows);
}

LabelledQueries LabelledQueries::Shuffled(uint64_t seed) const {
  std::vector<uint32_t> rows(queries.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  std::mt19937_64 random(seed);
  for (size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1], rows[random() % i]);
  }
  return Chosen(rows);
}

TrainingSet LabelledQueries::training_set() const {
  const auto dimension = static_cast<uint32_t>(queries.dimension);
  return {{queries.numbers.data(), queries.rows, dimension, dimension}, pairs};
}

std::vector<LabelledScore> LabelledQueries::Cosines() const {
  std::vector<LabelledScore> scores;
  for (const LabelledPair& pair : pairs) {
    scores.push_back({static_cast<double>(pair.cosine), pair.relevant});
  }
  return scores;
}

std::vector<LabelledScore> LabelledQueries::Logits(AdapterFamily family,
                                                   const Mlp& mlp) const {
  std::vector<AdapterCurve> curves;
  for (uint32_t query = 0; query < queries.rows; ++query) {
    curves.push_back(
        AdapterCurve::Of(family, Evaluate(mlp, queries.Row(query))));
  }
  std::vector<LabelledScore> scores;
  for (const LabelledPair& pair : pairs) {
    scores.push_back(
        {curves[pair.query].Logit(static_cast<double>(pair.cosine)),
         pair.relevant});
  }
  return scores;
}

absl::StatusOr<LabelledQueries> ReadLabelledQueries(const std::string& folder,
                                                    const std::string& name) {
  if (name == "cranfield") {
    return ReadCranfield(folder + "/cranfield");
  }
  const std::string base = name == "bitext-de"   ? "/bitext-stsb/en-de."
                           : name == "bitext-ru" ? "/bitext-stsb/en-ru."
                                                 : "/flickr8k-captions/";
  const std::string queries = name == "bitext-de"   ? "de"
                              : name == "bitext-ru" ? "ru"
                                                    : "queries";
  ASSIGN_OR_RETURN(const Matrix asked,
                   ReadMatrix(absl::StrCat(folder, base, queries, ".npy")));
  ASSIGN_OR_RETURN(
      const Matrix points,
      ReadMatrix(absl::StrCat(folder, base,
                              name == "flickr8k" ? "gallery" : "en", ".npy")));
  return Label(name, asked, points, SameRow(asked.rows), kNearest);
}

}  // namespace sextant
