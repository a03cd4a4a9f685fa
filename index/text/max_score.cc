// SPDX-License-Identifier: Apache-2.0
#include "index/text/max_score.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "base/status_macros.h"

namespace sextant {
namespace {

// Scores of a window stay in the nearest cache.
constexpr uint32_t kWindowRows = 4096;

struct WindowScores {
  std::array<float, kWindowRows> sums{};
  std::array<uint64_t, kWindowRows / 64> seen{};
};

class MaxScore {
 public:
  MaxScore(std::deque<ScoredPostings>& leaves, uint32_t rows,
           RowIterator* excluded, RowSink& sink)
      : rows_(rows), excluded_(excluded), sink_(sink) {
    for (ScoredPostings& leaf : leaves) {
      by_bound_.push_back({&leaf, static_cast<uint32_t>(all_.size()), 0, 0});
      all_.push_back(&leaf);
    }
    probes_.resize(all_.size());
    parts_.resize(all_.size());
    SetSlack();
  }

  absl::Status Run(const RequestContext& context) {
    for (Ordinal from = 0; from < rows_;) {
      RETURN_IF_ERROR(context.Check());
      const Ordinal end = from + std::min(rows_ - from, kWindowRows);
      SearchWindow(from, end);
      from = end;
    }
    return absl::OkStatus();
  }

 private:
  struct BoundedLeaf {
    ScoredPostings* postings;
    uint32_t number;  // in the order of the query
    float bound;      // in the window
    double below;     // sum of this and lower bounds
  };

  // A sum of n floats, added in any order, differs from the sum of the numbers
  // by less than (n - 1) 2^-23 of the sum of their magnitudes.
  void SetSlack() {
    const double error = static_cast<double>(all_.size() - 1) * 0x1p-23;
    bool has_negative = false;
    double magnitude = 0;
    for (const ScoredPostings* leaf : all_) {
      has_negative = has_negative || leaf->has_negative();
      magnitude += leaf->magnitude();
    }
    if (has_negative) {
      margin_ = magnitude * error;
    } else {
      slack_ = 1 + error;
    }
  }

  bool IsWanted(double sum) const {
    return sum * slack_ + margin_ >= sink_.wanted();
  }

  // Rows [from, end).
  void SearchWindow(Ordinal from, Ordinal end) {
    for (BoundedLeaf& leaf : by_bound_) {
      leaf.bound = leaf.postings->WindowBound(from, end - 1);
    }
    std::sort(by_bound_.begin(), by_bound_.end(),
              [](const BoundedLeaf& a, const BoundedLeaf& b) {
                return a.bound < b.bound;
              });
    double below = 0;
    first_essential_ = 0;
    for (BoundedLeaf& leaf : by_bound_) {
      below += leaf.bound;
      leaf.below = below;
      if (!IsWanted(below)) {
        ++first_essential_;
      }
    }
    const size_t essential = by_bound_.size() - first_essential_;
    if (essential == 1) {
      SearchOne(from, end);
    } else if (essential > 1) {
      SearchSeveral(from, end);
    }
  }

  double BoundOfRest() const {
    return first_essential_ == 0 ? 0 : by_bound_[first_essential_ - 1].below;
  }

  // One list alone finds the rows.
  void SearchOne(Ordinal from, Ordinal end) {
    const BoundedLeaf& leaf = by_bound_.back();
    PostingCursor& cursor = leaf.postings->cursor();
    const double rest = BoundOfRest();
    for (cursor.SeekBlock(from); cursor.block() < cursor.blocks();) {
      if (IsWanted(rest + leaf.postings->BlockBound(cursor.block()))) {
        cursor.LoadBlock();
        const Ordinal* rows = cursor.rows();
        if (rows[0] >= end) {
          return;
        }
        const float* scores = leaf.postings->BlockScores();
        for (uint32_t i = rows[0] < from ? FindRow(rows, 0, cursor.size(), from)
                                         : 0;
             i < cursor.size() && rows[i] < end; ++i) {
          if (IsWanted(rest + scores[i])) {
            parts_[leaf.number] = scores[i];
            Complete(rows[i], scores[i], leaf.number);
          }
        }
      }
      const Ordinal last = cursor.LastRow(cursor.block());
      if (last >= end - 1) {
        return;
      }
      cursor.SeekBlock(last + 1);
    }
  }

  // Several lists find rows; their scores meet in the window.
  void SearchSeveral(Ordinal from, Ordinal end) {
    for (size_t i = first_essential_; i < by_bound_.size(); ++i) {
      Accumulate(*by_bound_[i].postings, from, end);
    }
    const double rest = BoundOfRest();
    for (size_t word = 0; word < window_->seen.size(); ++word) {
      uint64_t bits = window_->seen[word];
      if (bits == 0) {
        continue;
      }
      window_->seen[word] = 0;
      for (; bits != 0; bits &= bits - 1) {
        const auto at = static_cast<uint32_t>(word * 64) +
                        static_cast<uint32_t>(std::countr_zero(bits));
        const float sum = window_->sums[at];
        window_->sums[at] = 0;
        if (IsWanted(rest + sum)) {
          Complete(from + at, sum, kNoLeaf);
        }
      }
    }
  }

  void Accumulate(ScoredPostings& leaf, Ordinal from, Ordinal end) {
    PostingCursor& cursor = leaf.cursor();
    for (cursor.SeekBlock(from); cursor.block() < cursor.blocks();) {
      cursor.LoadBlock();
      const Ordinal* rows = cursor.rows();
      if (rows[0] >= end) {
        return;
      }
      const float* scores = leaf.BlockScores();
      const uint32_t size = cursor.size();
      uint32_t i = rows[0] < from ? FindRow(rows, 0, size, from) : 0;
      const uint32_t stop =
          rows[size - 1] < end ? size : FindRow(rows, i, size, end);
      for (; i < stop; ++i) {
        const uint32_t at = rows[i] - from;
        window_->sums[at] += scores[i];
        window_->seen[at / 64] |= uint64_t{1} << (at % 64);
      }
      if (stop < size || rows[size - 1] >= end - 1) {
        return;
      }
      cursor.SeekBlock(rows[size - 1] + 1);
    }
  }

  // A row whose essential score is known, of the one list `known` if not
  // kNoLeaf: looks up the others and offers the exact score, unless bounds say
  // before that it is not wanted.
  void Complete(Ordinal row, double sum, uint32_t known) {
    if (!sink_.Allows(row)) {
      return;
    }
    for (size_t i = first_essential_; i-- > 0;) {
      BoundedLeaf& leaf = by_bound_[i];
      if (!IsWanted(sum + leaf.below)) {
        return;
      }
      float& part = parts_[leaf.number];
      part = 0;
      if (leaf.postings->cursor().Advance(row) == row) {
        part = leaf.postings->Score();
        sum += part;
      }
    }
    if (!IsWanted(sum)) {
      return;
    }
    if (known == kNoLeaf) {
      for (size_t i = first_essential_; i < by_bound_.size(); ++i) {
        parts_[by_bound_[i].number] = Probe(by_bound_[i].number, row);
      }
    }
    float score = 0;
    for (const float part : parts_) {
      score += part;
    }
    if (score >= sink_.wanted() &&
        (excluded_ == nullptr || excluded_->Advance(row) != row)) {
      sink_.Offer(score, row);
    }
  }

  // The score of a list whose own cursor is past the row already.
  float Probe(uint32_t number, Ordinal row) {
    std::unique_ptr<ScoredPostings>& probe = probes_[number];
    if (probe == nullptr) {
      probe = all_[number]->Clone();
    }
    return probe->cursor().Advance(row) == row ? probe->Score() : 0;
  }

  static constexpr uint32_t kNoLeaf = ~uint32_t{0};

  uint32_t rows_;
  RowIterator* excluded_;
  RowSink& sink_;
  double slack_ = 1;
  double margin_ = 0;
  std::vector<ScoredPostings*> all_;  // in the order of the query
  std::vector<std::unique_ptr<ScoredPostings>> probes_;
  std::vector<BoundedLeaf> by_bound_;
  size_t first_essential_ = 0;
  std::vector<float> parts_;  // of the row at hand, in the order of the query
  std::unique_ptr<WindowScores> window_ = std::make_unique<WindowScores>();
};

}  // namespace

absl::Status SearchMaxScore(std::deque<ScoredPostings>& leaves, uint32_t rows,
                            RowIterator* excluded,
                            const RequestContext& context, RowSink& sink) {
  if (leaves.empty()) {
    return absl::OkStatus();
  }
  return MaxScore(leaves, rows, excluded, sink).Run(context);
}

}  // namespace sextant
