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

// Matches that fit a fragment, from the first to the last.
struct Run {
  size_t first = 0;
  size_t last = 0;
  size_t terms = 0;  // distinct; 0: there is no run

  size_t matches() const { return last - first + 1; }
  bool IsBetterThan(const Run& other) const {
    return terms != other.terms ? terms > other.terms
                                : terms > 0 && matches() > other.matches();
  }
};

// A part of the text without a fragment yet, and the matches inside it.
struct Gap {
  TextRange range;
  size_t first = 0;
  size_t end = 0;
};

// That with the most distinct terms, then the most matches, then the earliest.
Run BestRun(const std::vector<Match>& matches, const Gap& gap, size_t bytes) {
  absl::flat_hash_map<uint32_t, size_t> counts;
  Run best;
  size_t first = gap.first;
  for (size_t last = gap.first; last < gap.end; ++last) {
    ++counts[matches[last].term];
    while (first < last &&
           matches[last].range.end - matches[first].range.begin > bytes) {
      const auto count = counts.find(matches[first].term);
      if (--count->second == 0) {
        counts.erase(count);
      }
      ++first;
    }
    const Run run{first, last, counts.size()};
    if (run.IsBetterThan(best)) {
      best = run;
    }
  }
  return best;
}

// Whole tokens around a run of matches, as many as fit, by turns on both sides.
TextRange FragmentAround(TextRange run, const TokenList& tokens,
                         absl::string_view text, TextRange gap, size_t bytes) {
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
    if (left > 0 && tokens[left - 1].begin >= gap.begin &&
        run.end - tokens[left - 1].begin <= bytes) {
      run.begin = std::min(run.begin, tokens[--left].begin);
      grows = true;
    }
    if (right < tokens.size() && tokens[right].end <= gap.end &&
        tokens[right].end - run.begin <= bytes) {
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

std::vector<TextRange> MatchesIn(TextRange fragment,
                                 const std::vector<Match>& matches,
                                 size_t matches_max) {
  std::vector<TextRange> ranges;
  for (const Match& match : matches) {
    if (match.range.begin < fragment.begin || match.range.end > fragment.end) {
      continue;
    }
    if (!ranges.empty() && match.range.begin < ranges.back().end) {
      ranges.back().end = std::max(ranges.back().end, match.range.end);
    } else if (ranges.size() < matches_max) {
      ranges.push_back(match.range);
    }
  }
  return ranges;
}

// What is left of a gap on both sides of a fragment.
void Split(const Gap& gap, TextRange fragment,
           const std::vector<Match>& matches, std::vector<Gap>* gaps) {
  Gap before{{gap.range.begin, fragment.begin}, gap.first, gap.first};
  while (before.end < gap.end &&
         matches[before.end].range.end <= fragment.begin) {
    ++before.end;
  }
  Gap after{{fragment.end, gap.range.end}, gap.end, gap.end};
  while (after.first > gap.first &&
         matches[after.first - 1].range.begin >= fragment.end) {
    --after.first;
  }
  gaps->push_back(before);
  gaps->push_back(after);
}

}  // namespace

absl::StatusOr<std::vector<Highlight>> HighlightText(
    const BoundTextQuery& query, size_t field, absl::string_view text,
    const HighlightOptions& options) {
  if (options.fragment_bytes > kFragmentBytesMax) {
    return InvalidField("highlight.fragment_bytes",
                        absl::StrCat("must be at most ", kFragmentBytesMax));
  }
  TokenList tokens;
  RETURN_IF_ERROR(query.fields()[field].analyzer->Analyze(text, tokens));
  const std::vector<Match> matches =
      MatchFinder(query, field, tokens).Matches();
  const TextRange whole = {0, static_cast<uint32_t>(text.size())};
  const size_t bytes =
      options.fragment_bytes == 0 ? text.size() : options.fragment_bytes;
  std::vector<Highlight> highlights;
  std::vector<Gap> gaps = {{whole, 0, matches.size()}};
  while (highlights.size() < options.fragments_max) {
    Run best;
    size_t best_gap = 0;
    for (size_t i = 0; i < gaps.size(); ++i) {
      const Run run = BestRun(matches, gaps[i], bytes);
      if (run.IsBetterThan(best)) {
        best = run;
        best_gap = i;
      }
    }
    if (best.terms == 0) {
      break;
    }
    Highlight& highlight = highlights.emplace_back();
    highlight.terms = best.terms;
    const Gap gap = gaps[best_gap];
    highlight.fragment = options.fragment_bytes == 0
                             ? whole
                             : FragmentAround({matches[best.first].range.begin,
                                               matches[best.last].range.end},
                                              tokens, text, gap.range, bytes);
    highlight.matches =
        MatchesIn(highlight.fragment, matches, options.matches_max);
    gaps.erase(gaps.begin() + static_cast<std::ptrdiff_t>(best_gap));
    Split(gap, highlight.fragment, matches, &gaps);
    // The earlier of equal ones wins.
    std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) {
      return a.range.begin < b.range.begin;
    });
  }
  return highlights;
}

}  // namespace sextant
