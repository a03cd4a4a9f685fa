// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

#include "index/metric.h"
#include "index/text/posting_list.h"
#include "index/text/token_list.h"

namespace sextant {

// The newest rows of a growing segment, each as the sorted list of its terms. A
// search looks a term up in every row, so there are few.
//
// One writer appends. Readers look at rows below a count that was published to
// them after those were appended.
class TextTail {
 public:
  static constexpr uint32_t kRows = 128;

  explicit TextTail(size_t fields);

  // Writer; rows() < kRows. One list a field.
  void Append(std::span<const TokenList> tokens);
  uint32_t rows() const { return rows_; }                // writer only
  size_t memory_bytes() const { return memory_bytes_; }  // writer only

  // The postings of a term among the first `rows` rows.
  MemoryPostings Find(size_t field, absl::string_view term,
                      uint32_t rows) const;
  // Calls `visit` for the terms that begin with `prefix`, row after row.
  void VisitPrefix(size_t field, absl::string_view prefix, uint32_t rows,
                   absl::FunctionRef<void(absl::string_view term)> visit) const;
  TextLengths lengths(size_t field, uint32_t rows) const {
    return {reinterpret_cast<const char*>(fields_[field]->lengths.data()),
            sizeof(uint32_t), rows};
  }
  // Some of the fields, in this order, of the rows so far. Shares them; nothing
  // is appended to it.
  std::shared_ptr<const TextTail> Select(std::span<const size_t> fields) const;
  // The tokens of a row again, in the order of positions; for freezing.
  void Tokens(size_t field, Ordinal row, TokenList* tokens) const;

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t term = 0;  // where it begins in chars
    uint32_t term_size = 0;
    uint32_t position = 0;  // of the first, in positions
    uint32_t tf = 0;
  };
  // A row's tokens in one field, entries by hash.
  struct Row {
    std::vector<Entry> entries;
    std::string chars;
    std::vector<uint32_t> positions;

    absl::string_view term(const Entry& entry) const {
      return absl::string_view(chars).substr(entry.term, entry.term_size);
    }
  };

  // A field of all rows.
  struct Field {
    std::array<Row, kRows> rows;
    std::array<uint32_t, kRows> lengths{};
  };

  static Row MakeRow(const TokenList& tokens);

  uint32_t rows_ = 0;
  size_t memory_bytes_ = 0;
  // Rows past a reader's count may be written meanwhile.
  std::vector<std::shared_ptr<Field>> fields_;
};

}  // namespace sextant
