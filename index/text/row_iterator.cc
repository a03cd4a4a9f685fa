// SPDX-License-Identifier: Apache-2.0
#include "index/text/row_iterator.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace sextant {
namespace {

class Leaf final : public RowIterator {
 public:
  explicit Leaf(ScoredPostings* postings) : postings_(*postings) {
    row_ = postings_.cursor().row();
  }

  Ordinal Advance(Ordinal target) override {
    return row_ = postings_.cursor().Advance(target);
  }
  void AddScore(float* score) override { *score += postings_.Score(); }
  void AddBound(Ordinal from, Ordinal* end, float* bound) override {
    const uint32_t block = postings_.cursor().SeekBlock(from);
    if (block < postings_.cursor().blocks()) {
      *end = std::min(*end, postings_.cursor().LastRow(block));
      *bound += postings_.BlockBound(block);
    }
  }
  uint64_t cost() const override { return postings_.cursor().count(); }

 private:
  ScoredPostings& postings_;
};

class Conjunction final : public RowIterator {
 public:
  explicit Conjunction(std::vector<RowIteratorPtr> parts)
      : parts_(std::move(parts)) {
    for (const RowIteratorPtr& part : parts_) {
      by_cost_.push_back(part.get());
    }
    std::stable_sort(by_cost_.begin(), by_cost_.end(),
                     [](const RowIterator* a, const RowIterator* b) {
                       return a->cost() < b->cost();
                     });
  }

  Ordinal Advance(Ordinal target) override {
    Ordinal row = by_cost_.front()->Advance(target);
    for (size_t i = 1; i < by_cost_.size() && row != kEndRow;) {
      const Ordinal other = by_cost_[i]->Advance(row);
      if (other == row) {
        ++i;
      } else {
        row = other == kEndRow ? kEndRow : by_cost_.front()->Advance(other);
        i = 1;
      }
    }
    return row_ = row;
  }
  void AddScore(float* score) override {
    for (const RowIteratorPtr& part : parts_) {
      part->AddScore(score);
    }
  }
  void AddBound(Ordinal from, Ordinal* end, float* bound) override {
    for (const RowIteratorPtr& part : parts_) {
      part->AddBound(from, end, bound);
    }
  }
  uint64_t cost() const override { return by_cost_.front()->cost(); }

 private:
  std::vector<RowIteratorPtr> parts_;
  std::vector<RowIterator*> by_cost_;
};

class Disjunction final : public RowIterator {
 public:
  Disjunction(std::vector<RowIteratorPtr> parts, uint32_t minimum)
      : parts_(std::move(parts)), minimum_(minimum) {}

  Ordinal Advance(Ordinal target) override {
    for (;; ++target) {
      Ordinal row = kEndRow;
      uint32_t matches = 0;
      for (const RowIteratorPtr& part : parts_) {
        const Ordinal next = part->Advance(target);
        matches = next < row ? 1 : matches + (next == row ? 1 : 0);
        row = std::min(row, next);
      }
      if (row == kEndRow || matches >= minimum_) {
        return row_ = row;
      }
      target = row;
    }
  }
  void AddScore(float* score) override {
    for (const RowIteratorPtr& part : parts_) {
      if (part->row() == row_) {
        part->AddScore(score);
      }
    }
  }
  void AddBound(Ordinal from, Ordinal* end, float* bound) override {
    for (const RowIteratorPtr& part : parts_) {
      part->AddBound(from, end, bound);
    }
  }
  uint64_t cost() const override {
    uint64_t cost = 0;
    for (const RowIteratorPtr& part : parts_) {
      cost += part->cost();
    }
    return cost;
  }

 private:
  std::vector<RowIteratorPtr> parts_;
  uint32_t minimum_;
};

class Optional final : public RowIterator {
 public:
  Optional(RowIteratorPtr must, RowIteratorPtr should)
      : must_(std::move(must)), should_(std::move(should)) {}

  Ordinal Advance(Ordinal target) override {
    return row_ = must_->Advance(target);
  }
  void AddScore(float* score) override {
    must_->AddScore(score);
    if (should_->Advance(row_) == row_) {
      should_->AddScore(score);
    }
  }
  void AddBound(Ordinal from, Ordinal* end, float* bound) override {
    must_->AddBound(from, end, bound);
    should_->AddBound(from, end, bound);
  }
  uint64_t cost() const override { return must_->cost(); }

 private:
  RowIteratorPtr must_;
  RowIteratorPtr should_;
};

class Exclusion final : public RowIterator {
 public:
  Exclusion(RowIteratorPtr match, RowIteratorPtr excluded)
      : match_(std::move(match)), excluded_(std::move(excluded)) {}

  Ordinal Advance(Ordinal target) override {
    Ordinal row = match_->Advance(target);
    while (row != kEndRow && excluded_->Advance(row) == row) {
      row = match_->Advance(row + 1);
    }
    return row_ = row;
  }
  void AddScore(float* score) override { match_->AddScore(score); }
  void AddBound(Ordinal from, Ordinal* end, float* bound) override {
    match_->AddBound(from, end, bound);
  }
  uint64_t cost() const override { return match_->cost(); }

 private:
  RowIteratorPtr match_;
  RowIteratorPtr excluded_;
};

class Nothing final : public RowIterator {
 public:
  Nothing() { row_ = kEndRow; }
  Ordinal Advance(Ordinal /*target*/) override { return kEndRow; }
  void AddScore(float* /*score*/) override {}
  void AddBound(Ordinal /*from*/, Ordinal* /*end*/, float* /*bound*/) override {
  }
  uint64_t cost() const override { return 0; }
};

}  // namespace

RowIteratorPtr MakeLeaf(ScoredPostings* postings) {
  return std::make_unique<Leaf>(postings);
}

RowIteratorPtr MakeConjunction(std::vector<RowIteratorPtr> parts) {
  if (parts.size() == 1) {
    return std::move(parts.front());
  }
  return std::make_unique<Conjunction>(std::move(parts));
}

RowIteratorPtr MakeDisjunction(std::vector<RowIteratorPtr> parts,
                               uint32_t minimum) {
  if (minimum > parts.size()) {
    return MakeNothing();
  }
  if (minimum == parts.size()) {
    return MakeConjunction(std::move(parts));
  }
  return std::make_unique<Disjunction>(std::move(parts), minimum);
}

RowIteratorPtr MakeOptional(RowIteratorPtr must, RowIteratorPtr should) {
  return std::make_unique<Optional>(std::move(must), std::move(should));
}

RowIteratorPtr MakeExclusion(RowIteratorPtr match, RowIteratorPtr excluded) {
  return std::make_unique<Exclusion>(std::move(match), std::move(excluded));
}

RowIteratorPtr MakeNothing() {
  return std::make_unique<Nothing>();
}

absl::Status SearchRows(RowIterator& root, const RequestContext& context,
                        RowSink& sink) {
  constexpr uint32_t kRowsPerCheck = 1024;
  Ordinal target = 0;
  Ordinal bounded_to = 0;  // the bound was looked at for rows up to here
  bool is_bounded = false;
  for (uint32_t steps = 1;; ++steps) {
    if (steps % kRowsPerCheck == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    if (!is_bounded || target > bounded_to) {
      is_bounded = true;
      bounded_to = kEndRow;
      float bound = 0;
      root.AddBound(target, &bounded_to, &bound);
      if (bound < sink.wanted()) {
        if (bounded_to == kEndRow) {
          return absl::OkStatus();
        }
        target = bounded_to + 1;
        is_bounded = false;
        continue;
      }
    }
    root.SetWanted(sink.wanted());
    const Ordinal row = root.Advance(target);
    if (row == kEndRow) {
      return absl::OkStatus();
    }
    if (row > bounded_to) {
      target = row;  // its bound may be too low
      continue;
    }
    if (sink.Allows(row)) {
      float score = 0;
      root.AddScore(&score);
      sink.Offer(score, row);
    }
    target = row + 1;
  }
}

}  // namespace sextant
