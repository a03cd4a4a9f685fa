// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/posting_list.h"

namespace sextant {

// The sorted terms of an index and where their postings are, front-coded in
// groups of 16: about 10 bytes a term.
//
//   group:  varint first block, postings' offset, positions' offset;
//           its terms: varint shared bytes, own bytes, the own bytes, varint
//           postings, bytes of postings, bytes of positions
//
// Reads bytes it does not own. Immutable, thread-safe.
class TermDictionary {
 public:
  static constexpr uint32_t kGroupTerms = 16;

  TermDictionary() = default;
  // As TermDictionaryBuilder made them. kDataLoss when the terms do not ascend
  // or do not fit. Calls `check` with each list and the ends of its bytes.
  struct Extent {
    PostingListRecord list;
    uint64_t posting_bytes = 0;
    uint64_t position_bytes = 0;
  };
  static absl::StatusOr<TermDictionary> Open(
      uint32_t terms, std::span<const uint64_t> group_offsets,
      std::span<const char> bytes,
      absl::FunctionRef<absl::Status(const Extent& extent)> check);

  uint32_t size() const { return terms_; }
  // False when there is no such term.
  bool Find(absl::string_view term, PostingListRecord* record) const;
  // From the first term that is not before `first`, ascending, until `visit`
  // returns false.
  void VisitFrom(absl::string_view first,
                 absl::FunctionRef<bool(absl::string_view term,
                                        const PostingListRecord& record)>
                     visit) const;

 private:
  absl::string_view GroupHead(size_t group) const;
  // The last group whose head is not after `term`; 0 if there is none.
  size_t GroupOf(absl::string_view term) const;

  uint32_t terms_ = 0;
  std::span<const uint64_t> group_offsets_;
  std::span<const char> bytes_;
  // The first 8 bytes of each group's first term, which compare as it does:
  // half a byte a term, so that a search stays in cache.
  std::vector<uint64_t> heads_;
};

// Makes those bytes. Terms ascend.
class TermDictionaryBuilder {
 public:
  void Add(absl::string_view term, const TermDictionary::Extent& extent);

  uint32_t terms() const { return terms_; }
  const std::vector<uint64_t>& group_offsets() const { return group_offsets_; }
  const std::string& bytes() const { return bytes_; }

 private:
  uint32_t terms_ = 0;
  std::string last_;
  std::vector<uint64_t> group_offsets_;
  std::string bytes_;
};

}  // namespace sextant
