// SPDX-License-Identifier: Apache-2.0
#include "index/columns/keyword_column.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/first_not.h"
#include "base/status_macros.h"
#include "index/columns/column_layout.h"

namespace sextant {
absl::StatusOr<KeywordColumn> KeywordColumn::Open(absl::string_view bytes,
                                                  uint32_t rows) {
  ColumnReader reader(bytes);
  ColumnHeader header;
  RETURN_IF_ERROR(reader.TakeHeader(kKeywordKind, rows, &header));
  KeywordColumn column;
  column.term_count_ = header.width_or_terms;
  if (column.term_count_ > header.entries) {
    return DamagedColumn("more terms than entries");
  }
  ASSIGN_OR_RETURN(column.postings_,
                   PostingTable::Read(header, column.term_count_, &reader));
  RETURN_IF_ERROR(
      reader.Take(uint64_t{column.term_count_} + 1, &column.starts_));
  RETURN_IF_ERROR(reader.Take(column.term_count_, &column.text_ends_));
  std::span<const char> texts;
  RETURN_IF_ERROR(reader.Take(header.base_or_text_bytes, &texts));
  RETURN_IF_ERROR(reader.Finish());
  column.texts_ = {texts.data(), texts.size()};
  RETURN_IF_ERROR(column.CheckTerms());
  RETURN_IF_ERROR(column.CheckEntries());
  for (uint32_t i = 0; i < column.term_count_; ++i) {
    column.postings_.AddValue(column.EntriesOf({i, i + 1}));
  }
  return column;
}

absl::Status KeywordColumn::CheckTerms() const {
  if (starts_.front() != 0 || starts_.back() != postings_.size()) {
    return DamagedColumn("terms do not share out the entries");
  }
  uint64_t previous = 0;
  for (uint32_t i = 0; i < term_count_; ++i) {
    if (text_ends_[i] < previous || text_ends_[i] > texts_.size() ||
        starts_[i] >= starts_[i + 1]) {
      return DamagedColumn(absl::StrCat("term ", i, " is out of order"));
    }
    previous = text_ends_[i];
  }
  if (previous != texts_.size()) {
    return DamagedColumn("text left over after the last term");
  }
  for (uint32_t i = 1; i < term_count_; ++i) {
    if (term(i - 1) >= term(i)) {
      return DamagedColumn(absl::StrCat("term ", i, " is out of order"));
    }
  }
  return absl::OkStatus();
}

// Going through the rows meets the entries of each term one after another.
absl::Status KeywordColumn::CheckEntries() const {
  std::vector<uint32_t> next(starts_.begin(), starts_.end());
  for (Ordinal row = 0; row < rows(); ++row) {
    for (const uint32_t term : TermsOf(row)) {
      if (next[term] >= starts_[term + 1] ||
          postings_.entries()[next[term]] != row) {
        return DamagedColumn(absl::StrCat("no entry of row ", row));
      }
      ++next[term];
    }
  }
  return absl::OkStatus();
}

absl::string_view KeywordColumn::term(uint32_t number) const {
  const uint64_t begin = number == 0 ? 0 : text_ends_[number - 1];
  return texts_.substr(begin, text_ends_[number] - begin);
}

std::optional<uint32_t> KeywordColumn::FindTerm(absl::string_view text) const {
  const uint32_t number = FirstNot(
      0U, term_count_, [&](uint32_t middle) { return term(middle) < text; });
  if (number == term_count_ || term(number) != text) {
    return std::nullopt;
  }
  return number;
}

TermRange KeywordColumn::TermsWithPrefix(absl::string_view prefix) const {
  const uint32_t first = FirstNot(
      0U, term_count_, [&](uint32_t middle) { return term(middle) < prefix; });
  const uint32_t last = FirstNot(first, term_count_, [&](uint32_t middle) {
    return absl::StartsWith(term(middle), prefix);
  });
  return {first, last};
}

FieldValues KeywordColumn::ValuesOf(Ordinal row) const {
  FieldValues values;
  for (const uint32_t number : TermsOf(row)) {
    values.emplace_back(std::string(term(number)));
  }
  return values;
}

}  // namespace sextant
