// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"

#include "index/metric.h"

namespace sextant {

// An exact set of ordinals of one segment, as compressed bitmaps (CRoaring).
// Set operations work on 64 Ki ordinals at a time.
//
// A value: copied deeply, safe to read from many threads.
class DocumentSet {
 public:
  DocumentSet();  // empty
  DocumentSet(const DocumentSet& other);
  DocumentSet& operator=(const DocumentSet& other);
  DocumentSet(DocumentSet&& other) noexcept;
  DocumentSet& operator=(DocumentSet&& other) noexcept;
  ~DocumentSet();

  static DocumentSet All(uint32_t rows);  // 0 .. rows - 1
  // Ascending and distinct.
  static DocumentSet FromAscending(std::span<const Ordinal> ordinals);
  // One bit an ordinal, least significant first.
  static DocumentSet FromWords(std::span<const uint64_t> words);

  uint64_t count() const;
  bool empty() const;
  // A few nanoseconds; a hot loop over many ordinals wants ToWords().
  bool Contains(Ordinal row) const;

  void And(const DocumentSet& other);
  void Or(const DocumentSet& other);
  void Subtract(const DocumentSet& other);
  // Becomes the members of 0 .. rows - 1 that it did not have. No member may
  // lie at or above `rows`.
  void Complement(uint32_t rows);
  uint64_t CountOfAnd(const DocumentSet& other) const;  // without making it

  // Calls `visit` in ascending order until it returns false.
  void ForEach(absl::FunctionRef<bool(Ordinal)> visit) const;
  std::vector<Ordinal> ToOrdinals() const;  // ascending
  // ceil(rows / 64) words, as FromWords takes them. No member may lie at or
  // above `rows`.
  std::vector<uint64_t> ToWords(uint32_t rows) const;

  // Chooses the smallest form for each part; for sets that are kept.
  void Compress();
  size_t memory_bytes() const;

  friend bool operator==(const DocumentSet& a, const DocumentSet& b);

 private:
  struct Bitmap;
  std::unique_ptr<Bitmap> bitmap_;  // never null, but in what was moved from
};

}  // namespace sextant
