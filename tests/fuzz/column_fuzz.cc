// SPDX-License-Identifier: Apache-2.0
//
// A column with changed bytes: it is refused, or all that is read of it stays
// inside the memory. The first byte chooses the column.

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "index/columns/column_builder.h"
#include "index/columns/field_column.h"

namespace sextant {
namespace {

constexpr uint32_t kRows = 70;

// Of numbers and keywords, with one value a row and with several.
const std::string& Pristine(bool keyword, bool multiple) {
  static const auto* const all = [] {
    auto* const columns = new std::array<std::string, 4>();
    for (size_t i = 0; i < columns->size(); ++i) {
      const FieldType type =
          i / 2 == 1 ? FieldType::kKeyword : FieldType::kInteger;
      ColumnBuilder builder(type, kRows);
      for (uint32_t row = 0; row < kRows; ++row) {
        FieldValues values;
        for (uint32_t j = 0; j <= (i % 2 == 1 ? row % 3 : 0); ++j) {
          const uint32_t value = row * 7 % 31 + j;
          if (type == FieldType::kKeyword) {
            values.emplace_back(absl::StrCat("term", value));
          } else {
            values.emplace_back(NumberKey{value} * 300);
          }
        }
        builder.Add(row, values);
      }
      auto bytes = std::move(builder).Finish();
      CHECK_OK(bytes);
      (*columns)[i] = *std::move(bytes);
    }
    return columns;
  }();
  return (*all)[(keyword ? 2 : 0) + (multiple ? 1 : 0)];
}

void ReadAll(const FieldColumn& column) {
  size_t values = 0;
  for (uint32_t row = 0; row < kRows; ++row) {
    values += column.ValuesOf(row).size();
  }
  CHECK_EQ(values, column.postings().size());
  if (const NumberColumn* numbers = column.number(); numbers != nullptr) {
    for (NumberKey key = 0; key < 10000; key += 77) {
      const PositionRun run =
          numbers->Range(key, std::numeric_limits<NumberKey>::max() - key);
      CHECK_LE(run.last, numbers->size());
      (void)numbers->postings().RowsOf({&run, 1});
    }
  } else {
    const KeywordColumn& keywords = *column.keyword();
    for (uint32_t term = 0; term < keywords.term_count(); ++term) {
      CHECK(keywords.FindTerm(keywords.term(term)) == term);
      const PositionRun run =
          keywords.EntriesOf(keywords.TermsWithPrefix(keywords.term(term)));
      (void)keywords.postings().RowsOf({&run, 1});
    }
  }
}

// Fours: where (two), what (one), one unused.
void ReadDamaged(uint8_t choice, const uint8_t* data, size_t size) {
  const bool keyword = (choice & 1U) != 0;
  // An allocation of just these bytes.
  const std::string& pristine = Pristine(keyword, (choice & 2U) != 0);
  std::vector<char> bytes(pristine.begin(), pristine.end());
  for (size_t i = 0; i + 4 <= size; i += 4) {
    const size_t place = size_t{data[i]} << 8U | data[i + 1];
    bytes[place % bytes.size()] = static_cast<char>(data[i + 2]);
  }
  const auto column =
      FieldColumn::Open(keyword ? FieldType::kKeyword : FieldType::kInteger,
                        {bytes.data(), bytes.size()}, kRows);
  if (column.ok()) {
    ReadAll(*column);
  }
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    sextant::ReadDamaged(data[0], data + 1, size - 1);
  }
  return 0;
}
