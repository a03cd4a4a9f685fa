// SPDX-License-Identifier: Apache-2.0
//
// The frozen parts of a growing segment, for text and for sparse vectors alike.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/status_macros.h"
#include "index/metric.h"

namespace sextant {

// An index that owns the bytes it lies in. Errors as Index::Open.
template <typename Index>
absl::StatusOr<std::shared_ptr<const Index>> OwnIndex(std::string&& bytes,
                                                      uint32_t rows) {
  struct Owned {
    std::string bytes;
    Index index;
  };
  auto owned = std::make_shared<Owned>();
  owned->bytes = std::move(bytes);
  ASSIGN_OR_RETURN(owned->index, Index::Open(owned->bytes, rows));
  return std::shared_ptr<const Index>(owned, &owned->index);
}

// Parts of consecutive rows, oldest first. So many of one size become one of
// the next, which keeps them few. `Part` has `first_row` and `rows`.
//
// Writer only.
template <typename Part>
class FrozenParts {
 public:
  static constexpr size_t kMergedParts = 8;
  // The largest parts have kMergedParts ^ this times the rows of the smallest,
  // and stay: a merge stops the writer for its duration.
  static constexpr uint32_t kLargestLevel = 2;

  // What is to become one part.
  struct Merge {
    std::span<const Part> sources;
    std::vector<std::vector<Ordinal>> new_rows;  // by source
  };

  // Adds a part of the smallest size. `fill(merge, &part)` makes the indexes of
  // a part whose rows are set.
  template <typename Fill>
  absl::Status Push(Part part, const Fill& fill) {
    parts_.push_back(std::move(part));
    levels_.push_back(0);
    // Levels descend, so equal ends make all equal.
    while (parts_.size() >= kMergedParts &&
           levels_[levels_.size() - kMergedParts] == levels_.back() &&
           levels_.back() < kLargestLevel) {
      Merge merge;
      merge.sources = std::span<const Part>(parts_).last(kMergedParts);
      Part merged;
      merged.first_row = merge.sources.front().first_row;
      for (const Part& source : merge.sources) {
        std::vector<Ordinal>& rows = merge.new_rows.emplace_back(source.rows);
        std::iota(rows.begin(), rows.end(), merged.rows);
        merged.rows += source.rows;
      }
      RETURN_IF_ERROR(fill(merge, &merged));
      const uint32_t level = levels_.back() + 1;
      parts_.resize(parts_.size() - kMergedParts);
      levels_.resize(parts_.size());
      parts_.push_back(std::move(merged));
      levels_.push_back(level);
    }
    return absl::OkStatus();
  }

  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
  std::vector<uint32_t> levels_;  // by part
};

}  // namespace sextant
