// SPDX-License-Identifier: Apache-2.0
#include "index/text/part_query.h"

#include <algorithm>
#include <utility>

#include "index/text/phrase_iterator.h"
#include "index/text/text_tail.h"

namespace sextant {
namespace {

PostingList ListOfMemory(const MemoryPostings& memory) {
  PostingList list;
  list.count = static_cast<uint32_t>(memory.rows.size());
  list.memory = &memory;
  return list;
}

}  // namespace

PostingList FindPostings(const TextPart& part, size_t field,
                         absl::string_view term,
                         std::deque<MemoryPostings>* memory) {
  if (part.tail == nullptr) {
    return part.fields[field]->Find(term);
  }
  memory->push_back(part.tail->Find(field, term, part.rows));
  return ListOfMemory(memory->back());
}

PostingList FindPrefix(const TextPart& part, size_t field,
                       std::span<const std::string> terms,
                       std::deque<MemoryPostings>* memory) {
  std::vector<std::pair<Ordinal, uint32_t>> counts;
  for (const std::string& term : terms) {
    std::deque<MemoryPostings> one;
    for (PostingCursor cursor(FindPostings(part, field, term, &one));
         cursor.row() != kEndRow; cursor.Next()) {
      counts.emplace_back(cursor.row(), cursor.tf());
    }
  }
  std::sort(counts.begin(), counts.end());
  MemoryPostings& all = memory->emplace_back();
  for (const auto& [row, tf] : counts) {
    if (all.rows.empty() || all.rows.back() != row) {
      all.rows.push_back(row);
      all.tfs.push_back(0);
    }
    all.tfs.back() += tf;
  }
  return ListOfMemory(all);
}

PartQuery::PartQuery(const BoundTextQuery& query,
                     std::span<const Bm25Scorer> scorers, const TextPart& part)
    : query_(query),
      scorers_(scorers),
      part_(part),
      plain_(CollectDisjunction(query.root(), true)) {}

bool PartQuery::CollectDisjunction(const Node& node, bool is_root) {
  if (node.leaf != Node::kNoLeaf) {
    disjunction_.push_back(node.leaf);
    return query_.leaves()[node.leaf].kind != TextLeaf::Kind::kPhrase;
  }
  if (!node.must.empty() || node.minimum_should_match > 1 ||
      (!is_root && !node.must_not.empty())) {
    return false;
  }
  return std::all_of(
      node.should.begin(), node.should.end(),
      [&](const Node& part) { return CollectDisjunction(part, false); });
}

PostingList PartQuery::ListOf(const TextLeaf& leaf) {
  const size_t field = query_.fields()[leaf.field].number;
  if (leaf.kind == TextLeaf::Kind::kPrefix) {
    return FindPrefix(part_, field, leaf.expansion, &memory_);
  }
  return FindPostings(part_, field, query_.terms()[leaf.terms.front()].text,
                      &memory_);
}

PostingScorer PartQuery::ScorerOf(uint32_t leaf) const {
  PostingScorer scorer;
  scorer.bm25 = scorers_[leaf];
  scorer.lengths =
      part_.lengths(query_.fields()[query_.leaves()[leaf].field].number);
  return scorer;
}

std::deque<ScoredPostings>& PartQuery::TakePostings() {
  for (const uint32_t leaf : disjunction_) {
    const PostingList list = ListOf(query_.leaves()[leaf]);
    if (!list.empty()) {
      postings_.emplace_back(list, ScorerOf(leaf));
    }
  }
  return postings_;
}

RowIteratorPtr PartQuery::MakeExcluded() {
  const std::vector<Node>& must_not = query_.root().must_not;
  return must_not.empty() ? nullptr : MakeDisjunction(MakeNodes(must_not), 1);
}

RowIteratorPtr PartQuery::MakeRoot() {
  return MakeNode(query_.root());
}

std::unique_ptr<RowIterator> PartQuery::MakePhrase(uint32_t leaf_number) {
  const TextLeaf& leaf = query_.leaves()[leaf_number];
  PhraseOptions options;
  const size_t field = query_.fields()[leaf.field].number;
  for (const uint32_t term : leaf.terms) {
    options.lists.push_back(
        FindPostings(part_, field, query_.terms()[term].text, &memory_));
    const PostingList& list = options.lists.back();
    if (list.empty() || (list.memory == nullptr && list.positions == nullptr)) {
      return MakeNothing();
    }
  }
  options.places = leaf.positions;
  options.terms = leaf.terms;
  options.slop = leaf.slop;
  options.scorer = scorers_[leaf_number];
  options.lengths = part_.lengths(field);
  return std::make_unique<PhraseIterator>(std::move(options));
}

RowIteratorPtr PartQuery::MakeNode(const Node& node) {
  if (node.leaf != Node::kNoLeaf) {
    const TextLeaf& leaf = query_.leaves()[node.leaf];
    if (leaf.kind == TextLeaf::Kind::kPhrase) {
      return MakePhrase(node.leaf);
    }
    const PostingList list = ListOf(leaf);
    if (list.empty()) {
      return MakeNothing();
    }
    return MakeLeaf(&tree_postings_.emplace_back(list, ScorerOf(node.leaf)));
  }
  RowIteratorPtr match;
  if (!node.must.empty()) {
    match = MakeConjunction(MakeNodes(node.must));
  }
  if (!node.should.empty()) {
    const bool is_optional = node.minimum_should_match == 0;
    RowIteratorPtr should = MakeDisjunction(
        MakeNodes(node.should), is_optional ? 1 : node.minimum_should_match);
    if (match == nullptr) {
      match = std::move(should);
    } else if (is_optional) {
      match = MakeOptional(std::move(match), std::move(should));
    } else {
      std::vector<RowIteratorPtr> both;
      both.push_back(std::move(match));
      both.push_back(std::move(should));
      match = MakeConjunction(std::move(both));
    }
  }
  if (match == nullptr) {
    return MakeNothing();
  }
  if (!node.must_not.empty()) {
    match = MakeExclusion(std::move(match),
                          MakeDisjunction(MakeNodes(node.must_not), 1));
  }
  return match;
}

std::vector<RowIteratorPtr> PartQuery::MakeNodes(
    const std::vector<Node>& nodes) {
  std::vector<RowIteratorPtr> made;
  made.reserve(nodes.size());
  for (const Node& node : nodes) {
    made.push_back(MakeNode(node));
  }
  return made;
}

PartQuery::LeafMatch PartQuery::MatchLeaf(uint32_t number, Ordinal row) {
  const TextLeaf& leaf = query_.leaves()[number];
  LeafMatch match;
  match.length = part_.lengths(query_.fields()[leaf.field].number)[row];
  RowIteratorPtr phrase;
  if (leaf.kind == TextLeaf::Kind::kPhrase) {
    phrase = MakePhrase(number);
    if (phrase->Advance(row) != row) {
      return match;
    }
    // Only a phrase that was found stands at a row.
    match.tf = dynamic_cast<const PhraseIterator&>(*phrase).tf();
    phrase->AddScore(&match.score);
    return match;
  }
  ScoredPostings postings(ListOf(leaf), ScorerOf(number));
  if (postings.cursor().Advance(row) == row) {
    match.tf = postings.cursor().tf();
    match.score = postings.Score();
  }
  return match;
}

}  // namespace sextant
