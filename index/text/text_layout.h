// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a TextIndex or SparseIndex: little-endian, a header, then
// arrays, each beginning at a multiple of 8.
//
//   text:    lengths   tokens by row, `width` bytes each, 3 bytes more
//            u64 group_offsets[ceil(terms / 16)], terms (term_dictionary.h)
//   sparse:  u32 indexes[terms], ListRecord lists[terms]
//   both:    u32 last_rows[blocks]          posting_list.h says what the
//            u32 posting_offsets[blocks]    entries of blocks are
//            u32 position_offsets[blocks]   with positions
//            ImpactSet impacts[blocks]      text
//            WeightRange ranges[blocks]     sparse
//            postings, positions            16 bytes more each
//
// The postings of a block: u8 bits of the gaps between rows, u8 bits of the
// counts; the gaps less 1, the counts less 1 (packed_integers.h), or float
// weights. Its positions: u8 bits; for each posting the first position, then
// the distances.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "index/text/posting_list.h"

namespace sextant {

enum TextLayoutKind : uint32_t {
  kTextKind = 0x31545854,    // "TXT1"
  kSparseKind = 0x31525053,  // "SPR1"
};

struct TextHeader {
  uint32_t kind = 0;
  uint32_t rows = 0;
  uint32_t terms = 0;
  uint32_t blocks = 0;
  uint32_t width = 0;  // text: of lengths
  uint32_t has_positions = 0;
  uint64_t tokens = 0;  // text; sparse: entries
  uint64_t term_bytes = 0;
  uint64_t posting_bytes = 0;
  uint64_t position_bytes = 0;
};
static_assert(sizeof(TextHeader) == 56);

inline constexpr size_t kTextAlignment = 8;
inline constexpr size_t kLengthPadding = 3;

// Entries of a list in the arrays of blocks: one a block and one for all.
inline uint32_t BlockEntries(uint32_t count) {
  return count <= kBlockPostings ? 0 : (count - 1) / kBlockPostings + 2;
}

inline absl::Status DamagedText(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("text index: ", what));
}

inline constexpr uint64_t PaddedTextSize(uint64_t size) {
  return (size + kTextAlignment - 1) / kTextAlignment * kTextAlignment;
}

// Appends an array and the padding after it.
template <typename T>
void AppendTextArray(std::span<const T> values, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(values.data()),
                values.size_bytes());
  bytes->resize(static_cast<size_t>(PaddedTextSize(bytes->size())));
}

// Takes arrays off the front of bytes that begin at a multiple of 8.
class TextReader {
 public:
  explicit TextReader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  absl::Status Take(uint64_t count, std::span<const T>* values) {
    if (count > bytes_.size() / sizeof(T) ||
        PaddedTextSize(count * sizeof(T)) > bytes_.size()) {
      return DamagedText("shorter than its header says");
    }
    *values = {reinterpret_cast<const T*>(bytes_.data()),
               static_cast<size_t>(count)};
    bytes_.remove_prefix(
        static_cast<size_t>(PaddedTextSize(count * sizeof(T))));
    return absl::OkStatus();
  }
  // Bytes that end in `padding` more.
  absl::Status TakePadded(uint64_t count, size_t padding,
                          std::span<const char>* values) {
    if (count > bytes_.size()) {
      return DamagedText("shorter than its header says");
    }
    std::span<const char> padded;
    if (absl::Status status = Take(count + padding, &padded); !status.ok()) {
      return status;
    }
    *values = padded.first(static_cast<size_t>(count));
    return absl::OkStatus();
  }
  // Of this kind and for this many rows.
  absl::Status TakeHeader(TextLayoutKind kind, uint32_t rows,
                          TextHeader* header);
  // What both kinds end with.
  absl::Status TakePostings(const TextHeader& header, PostingStore* store);

 private:
  absl::string_view bytes_;
};

}  // namespace sextant
