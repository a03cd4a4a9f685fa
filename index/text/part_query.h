// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/text/bm25.h"
#include "index/text/bound_text_query.h"
#include "index/text/posting_list.h"
#include "index/text/row_iterator.h"
#include "index/text/scored_postings.h"
#include "index/text/text_part.h"

namespace sextant {

// The postings of a term in one part; `memory` keeps those of a tail.
PostingList FindPostings(const TextPart& part, size_t field,
                         absl::string_view term,
                         std::deque<MemoryPostings>* memory);
// The rows that have any of the terms of a prefix, with the sum of their
// counts.
PostingList FindPrefix(const TextPart& part, size_t field,
                       std::span<const std::string> terms,
                       std::deque<MemoryPostings>* memory);

// A query's leaves opened in one part of a segment. What it makes refers to it.
// Owned by one thread.
class PartQuery {
 public:
  // All of them outlive it; one scorer a leaf.
  PartQuery(const BoundTextQuery& query, std::span<const Bm25Scorer> scorers,
            const TextPart& part);

  // Any one of terms and prefixes, perhaps without some rows.
  bool IsPlainDisjunction() const { return plain_; }
  // Of a plain disjunction: its postings, in the order of the query, and what
  // must not match (null if there is nothing).
  std::deque<ScoredPostings>& TakePostings();
  RowIteratorPtr MakeExcluded();

  // Of any query.
  RowIteratorPtr MakeRoot();

  struct LeafMatch {
    uint32_t tf = 0;  // 0: no match
    uint32_t length = 0;
    float score = 0;
  };
  LeafMatch MatchLeaf(uint32_t number, Ordinal row);  // of a leaf

 private:
  using Node = BoundTextQuery::Node;

  bool CollectDisjunction(const Node& node, bool is_root);
  PostingList ListOf(const TextLeaf& leaf);
  PostingScorer ScorerOf(uint32_t leaf) const;
  std::unique_ptr<RowIterator> MakePhrase(uint32_t leaf);
  RowIteratorPtr MakeNode(const Node& node);
  std::vector<RowIteratorPtr> MakeNodes(const std::vector<Node>& nodes);

  const BoundTextQuery& query_;
  std::span<const Bm25Scorer> scorers_;
  const TextPart& part_;
  std::vector<uint32_t> disjunction_;  // leaves
  bool plain_ = false;
  std::deque<MemoryPostings> memory_;
  std::deque<ScoredPostings> postings_;  // of the disjunction
  std::deque<ScoredPostings> tree_postings_;
};

}  // namespace sextant
