// SPDX-License-Identifier: Apache-2.0
//
// An obvious scorer of texts, for tests.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"

#include "index/text/bound_text_query.h"

namespace sextant {

// Scores texts one after the other, from the formulas, with everything counted
// anew. One field.
class TextOracle {
 public:
  // Absent: a dead row, which is not counted.
  explicit TextOracle(const std::vector<std::optional<std::string>>& rows) {
    for (const auto& text : rows) {
      std::vector<std::string> words;
      if (text) {
        words = absl::StrSplit(*text, ' ', absl::SkipEmpty());
        n_ += words.empty() ? 0 : 1;
        tokens_ += static_cast<double>(words.size());
        for (const auto& word :
             std::set<std::string>(words.begin(), words.end())) {
          ++df_[word];
        }
      }
      rows_.push_back(std::move(words));
    }
  }

  double n() const { return n_; }
  double tokens() const { return tokens_; }
  double df(const std::string& word) const {
    const auto found = df_.find(word);
    return found == df_.end() ? 0 : found->second;
  }

  // Nothing when the row does not match.
  std::optional<double> Score(const BoundTextQuery& query, size_t row) const {
    return ScoreNode(query, query.root(), row);
  }

 private:
  using Node = BoundTextQuery::Node;

  std::optional<double> ScoreNode(const BoundTextQuery& query, const Node& node,
                                  size_t row) const {
    if (node.leaf != Node::kNoLeaf) {
      return ScoreLeaf(query, query.leaves()[node.leaf], row);
    }
    double sum = 0;
    for (const Node& part : node.must) {
      const auto score = ScoreNode(query, part, row);
      if (!score) {
        return std::nullopt;
      }
      sum += *score;
    }
    uint32_t found = 0;
    for (const Node& part : node.should) {
      const auto score = ScoreNode(query, part, row);
      found += score ? 1U : 0U;
      sum += score ? *score : 0;
    }
    if (found < node.minimum_should_match ||
        (node.must.empty() && node.should.empty())) {
      return std::nullopt;
    }
    for (const Node& part : node.must_not) {
      if (ScoreNode(query, part, row)) {
        return std::nullopt;
      }
    }
    return sum;
  }

  double Idf(double df) const {
    return std::log(1 + (n_ - df + .5) / (df + .5));
  }

  std::optional<double> ScoreLeaf(const BoundTextQuery& query,
                                  const TextLeaf& leaf, size_t row) const {
    const std::vector<std::string>& words = rows_[row];
    double tf = 0;
    double idf = 0;
    if (leaf.kind == TextLeaf::Kind::kPrefix) {
      double df = 0;
      for (const auto& other : rows_) {
        df += CountPrefix(other, leaf.prefix) > 0 ? 1 : 0;
      }
      idf = Idf(df);
      tf = CountPrefix(words, leaf.prefix);
    } else {
      std::vector<std::string> terms;
      for (const uint32_t term : leaf.terms) {
        terms.push_back(query.terms()[term].text);
        idf += Idf(df(terms.back()));
      }
      tf = terms.size() == 1 ? static_cast<double>(std::count(
                                   words.begin(), words.end(), terms[0]))
                             : CountPhraseHere(words, terms, leaf);
    }
    if (tf == 0) {
      return std::nullopt;
    }
    const Bm25Params& params = query.fields()[leaf.field].bm25;
    const double norm =
        params.k1 *
        (1 - params.b +
         params.b * static_cast<double>(words.size()) * n_ / tokens_);
    return leaf.weight * idf * tf / (tf + norm);
  }

  static double CountPrefix(const std::vector<std::string>& words,
                            const std::string& prefix) {
    return static_cast<double>(
        std::count_if(words.begin(), words.end(), [&](const auto& word) {
          return word.compare(0, prefix.size(), prefix) == 0;
        }));
  }

  // Starts at which some word stands in its place and all are found.
  static double CountPhraseHere(const std::vector<std::string>& words,
                                const std::vector<std::string>& terms,
                                const TextLeaf& leaf) {
    double count = 0;
    const auto size = static_cast<int>(words.size());
    for (int start = -static_cast<int>(leaf.positions.back()); start < size;
         ++start) {
      std::vector<int> taken;
      bool found = true;
      bool in_place = false;
      for (size_t i = 0; found && i < terms.size(); ++i) {
        found = false;
        for (uint32_t late = 0; !found && late <= leaf.slop; ++late) {
          const int at = start + static_cast<int>(leaf.positions[i] + late);
          if (at >= 0 && at < size &&
              words[static_cast<size_t>(at)] == terms[i] &&
              std::find(taken.begin(), taken.end(), at) == taken.end()) {
            taken.push_back(at);
            found = true;
          }
        }
        const int own = start + static_cast<int>(leaf.positions[i]);
        in_place = in_place || (own >= 0 && own < size &&
                                words[static_cast<size_t>(own)] == terms[i]);
      }
      count += found && in_place ? 1 : 0;
    }
    return count;
  }

  std::vector<std::vector<std::string>> rows_;
  double n_ = 0;
  double tokens_ = 0;
  std::map<std::string, double> df_;
};

}  // namespace sextant
