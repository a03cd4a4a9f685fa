// SPDX-License-Identifier: Apache-2.0
#include "index/text/highlight.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "index/text/phrase_iterator.h"

namespace sextant {
namespace {

// A token that matches: of which term of the query, and where.
struct Match {
  uint32_t term = 0;
  TextRange range;
};

// Finds the tokens of one text that a query asks for.
class MatchFinder {
 public:
  MatchFinder(const BoundTextQuery& query, size_t field,
              const TokenList& tokens)
      : query_(query), tokens_(tokens), term_of_(tokens.size(), kNoTerm) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      by_term_[tokens.term(i)].push_back(static_cast<uint32_t>(i));
    }
    for (size_t i = 0; i < query.leaves().size(); ++i) {
      const TextLeaf& leaf = query.leaves()[i];
      if (leaf.field == field && leaf.is_scored) {
        Mark(leaf, static_cast<uint32_t>(query.terms().size() + i));
      }
    }
  }

  // Ascending; of overlapping tokens (n-grams) each for itself.
  std::vector<Match> Matches() const {
    std::vector<Match> matches;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (term_of_[i] != kNoTerm) {
        matches.push_back({term_of_[i], {tokens_[i].begin, tokens_[i].end}});
      }
    }
    return matches;
  }

 private:
  static constexpr uint32_t kNoTerm = ~uint32_t{0};

  // `number`: of the leaf, above those of terms.
  void Mark(const TextLeaf& leaf, uint32_t number) {
    switch (leaf.kind) {
      case TextLeaf::Kind::kTerm:
        for (const uint32_t token : TokensOf(leaf.terms.front())) {
          term_of_[token] = leaf.terms.front();
        }
        break;
      case TextLeaf::Kind::kPrefix:
        for (size_t i = 0; i < tokens_.size(); ++i) {
          if (absl::StartsWith(tokens_.term(i), leaf.prefix)) {
            term_of_[i] = number;
          }
        }
        break;
      case TextLeaf::Kind::kPhrase:
        MarkPhrase(leaf);
        break;
    }
  }

  void MarkPhrase(const TextLeaf& leaf) {
    std::vector<std::vector<uint32_t>> positions(leaf.terms.size());
    for (size_t word = 0; word < leaf.terms.size(); ++word) {
      for (const uint32_t token : TokensOf(leaf.terms[word])) {
        positions[word].push_back(tokens_.position(token));
      }
    }
    std::vector<uint32_t> found;
    CountPhrase(positions, leaf.positions, leaf.terms, leaf.slop, &found);
    for (size_t i = 0; i < found.size(); ++i) {
      const uint32_t term = leaf.terms[i % leaf.terms.size()];
      for (const uint32_t token : TokensOf(term)) {
        if (tokens_.position(token) == found[i]) {
          term_of_[token] = term;
        }
      }
    }
  }

  const std::vector<uint32_t>& TokensOf(uint32_t term) const {
    static const std::vector<uint32_t>& none = *new std::vector<uint32_t>();
    const auto found = by_term_.find(query_.terms()[term].text);
    return found == by_term_.end() ? none : found->second;
  }

  const BoundTextQuery& query_;
  const TokenList& tokens_;
  std::vector<uint32_t> term_of_;  // by token
  absl::flat_hash_map<absl::string_view, std::vector<uint32_t>> by_term_;
};

// The matches [first, last] that fit a fragment with the most distinct terms,
// then the most matches, then the earliest.
std::pair<size_t, size_t> BestRun(const std::vector<Match>& matches,
                                  size_t bytes) {
  absl::flat_hash_map<uint32_t, size_t> counts;
  std::pair<size_t, size_t> best = {0, 0};
  std::pair<size_t, size_t> best_value = {0, 0};
  size_t first = 0;
  for (size_t last = 0; last < matches.size(); ++last) {
    ++counts[matches[last].term];
    while (first < last &&
           matches[last].range.end - matches[first].range.begin > bytes) {
      const auto count = counts.find(matches[first].term);
      if (--count->second == 0) {
        counts.erase(count);
      }
      ++first;
    }
    const std::pair<size_t, size_t> value = {counts.size(), last - first + 1};
    if (value > best_value) {
      best_value = value;
      best = {first, last};
    }
  }
  return best;
}

// Whole tokens around a run of matches, as many as fit, by turns on both sides.
TextRange FragmentAround(TextRange run, const TokenList& tokens,
                         absl::string_view text, size_t bytes) {
  if (run.end - run.begin > bytes) {
    run.end = run.begin +
              static_cast<uint32_t>(
                  Utf8Prefix(text.substr(run.begin, run.end - run.begin), bytes)
                      .size());
    return run;
  }
  size_t left = 0;
  while (left < tokens.size() && tokens[left].begin < run.begin) {
    ++left;
  }
  size_t right = left;
  while (right < tokens.size() && tokens[right].end <= run.end) {
    ++right;
  }
  for (bool grows = true; grows;) {
    grows = false;
    if (left > 0 && run.end - tokens[left - 1].begin <= bytes) {
      run.begin = std::min(run.begin, tokens[--left].begin);
      grows = true;
    }
    if (right < tokens.size() && tokens[right].end - run.begin <= bytes) {
      run.end = std::max(run.end, tokens[right++].end);
      grows = true;
    }
  }
  // The ends of the text have their signs.
  if (left == 0 && run.end <= bytes) {
    run.begin = 0;
  }
  if (right == tokens.size() && text.size() - run.begin <= bytes) {
    run.end = static_cast<uint32_t>(text.size());
  }
  return run;
}

}  // namespace

absl::StatusOr<Highlight> HighlightText(const BoundTextQuery& query,
                                        size_t field, absl::string_view text,
                                        const HighlightOptions& options) {
  if (options.fragment_bytes > kFragmentBytesMax) {
    return InvalidField("highlight.fragment_bytes",
                        absl::StrCat("must be at most ", kFragmentBytesMax));
  }
  TokenList tokens;
  RETURN_IF_ERROR(query.fields()[field].analyzer->Analyze(text, tokens));
  const std::vector<Match> matches =
      MatchFinder(query, field, tokens).Matches();
  Highlight highlight;
  if (matches.empty()) {
    return highlight;
  }
  if (options.fragment_bytes == 0) {
    highlight.fragment = {0, static_cast<uint32_t>(text.size())};
  } else {
    const auto [first, last] = BestRun(matches, options.fragment_bytes);
    highlight.fragment =
        FragmentAround({matches[first].range.begin, matches[last].range.end},
                       tokens, text, options.fragment_bytes);
  }
  for (const Match& match : matches) {
    if (match.range.begin < highlight.fragment.begin ||
        match.range.end > highlight.fragment.end) {
      continue;
    }
    std::vector<TextRange>& ranges = highlight.matches;
    if (!ranges.empty() && match.range.begin < ranges.back().end) {
      ranges.back().end = std::max(ranges.back().end, match.range.end);
    } else if (ranges.size() < options.matches_max) {
      ranges.push_back(match.range);
    }
  }
  return highlight;
}

}  // namespace sextant
