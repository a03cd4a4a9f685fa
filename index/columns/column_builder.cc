// SPDX-License-Identifier: Apache-2.0
#include "index/columns/column_builder.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/columns/column_layout.h"
#include "index/columns/posting_table.h"

namespace sextant {
namespace {

constexpr uint64_t kEntriesMax = PostingTable::kAbsent - 1;

template <typename Value>
using Entries = std::vector<std::pair<Value, Ordinal>>;

template <typename Value>
absl::Status SortEntries(Entries<Value>* entries) {
  std::sort(entries->begin(), entries->end());
  entries->erase(std::unique(entries->begin(), entries->end()), entries->end());
  if (entries->size() > kEntriesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a column of ", entries->size(), " values; ", kEntriesMax,
                     " are allowed"));
  }
  return absl::OkStatus();
}

// Where each row's codes begin; rows + 1 of them.
template <typename Value>
std::vector<uint32_t> RowOffsets(const Entries<Value>& entries, uint32_t rows) {
  std::vector<uint32_t> offsets(size_t{rows} + 1);
  for (const auto& [value, row] : entries) {
    ++offsets[row + 1];
  }
  for (size_t row = 0; row < rows; ++row) {
    offsets[row + 1] += offsets[row];
  }
  return offsets;
}

// The header and the postings. `code_of(position)` as posting_table.h has it.
template <typename Value, typename CodeOf>
std::string PostingBytes(ColumnHeader header, const Entries<Value>& entries,
                         CodeOf code_of) {
  std::vector<uint32_t> offsets = RowOffsets(entries, header.rows);
  header.entries = static_cast<uint32_t>(entries.size());
  header.single = 1;
  for (size_t row = 0; row < header.rows; ++row) {
    if (offsets[row + 1] - offsets[row] > 1) {
      header.single = 0;
    }
  }
  std::string bytes;
  AppendColumnArray(std::span<const ColumnHeader>(&header, 1), &bytes);
  std::vector<uint32_t> ordinals;
  ordinals.reserve(entries.size());
  for (const auto& [value, row] : entries) {
    ordinals.push_back(row);
  }
  AppendColumnArray(std::span<const uint32_t>(ordinals), &bytes);
  std::vector<uint32_t> codes(header.single != 0 ? header.rows : header.entries,
                              PostingTable::kAbsent);
  if (header.single != 0) {
    for (uint32_t i = 0; i < header.entries; ++i) {
      codes[ordinals[i]] = code_of(i);
    }
  } else {
    AppendColumnArray(std::span<const uint32_t>(offsets), &bytes);
    for (uint32_t i = 0; i < header.entries; ++i) {
      codes[offsets[ordinals[i]]++] = code_of(i);
    }
  }
  AppendColumnArray(std::span<const uint32_t>(codes), &bytes);
  return bytes;
}

uint32_t WidthOf(uint64_t distance) {
  return distance <= 0xFFU         ? 1
         : distance <= 0xFFFFU     ? 2
         : distance <= 0xFFFFFFFFU ? 4
                                   : 8;
}

absl::StatusOr<std::string> NumberBytes(uint32_t rows,
                                        Entries<NumberKey> entries) {
  RETURN_IF_ERROR(SortEntries(&entries));
  const NumberKey base = entries.empty() ? 0 : entries.front().first;
  const uint64_t reach = entries.empty() ? 0 : entries.back().first - base;
  const uint32_t width = WidthOf(reach);
  std::string bytes =
      PostingBytes({.kind = kNumberKind,
                    .rows = rows,
                    .width_or_terms = width,
                    .base_or_text_bytes = base},
                   entries, [](uint32_t position) { return position; });
  std::string packed(entries.size() * width, '\0');
  char* place = packed.data();
  for (const auto& [key, row] : entries) {
    const uint64_t distance = key - base;
    std::memcpy(place, &distance, width);  // little-endian
    place += width;
  }
  AppendColumnArray(std::span<const char>(packed), &bytes);
  return bytes;
}

}  // namespace

void ColumnBuilder::Add(Ordinal row, const FieldValues& values) {
  CHECK_LT(row, rows_);
  for (const FieldValue& value : values) {
    if (type_ == FieldType::kKeyword) {
      const auto* text = std::get_if<std::string>(&value);
      CHECK(text != nullptr) << "a number in a keyword column";
      const auto number = static_cast<uint32_t>(term_numbers_.size());
      terms_.emplace_back(
          term_numbers_.try_emplace(*text, number).first->second, row);
    } else {
      const auto* key = std::get_if<NumberKey>(&value);
      CHECK(key != nullptr) << "a text in a number column";
      numbers_.emplace_back(*key, row);
    }
  }
}

absl::StatusOr<std::string> ColumnBuilder::Finish() && {
  if (type_ != FieldType::kKeyword) {
    return NumberBytes(rows_, std::move(numbers_));
  }
  return std::move(*this).KeywordBytes();
}

absl::StatusOr<std::string> ColumnBuilder::KeywordBytes() && {
  // From the order of first use to the order of their texts.
  std::vector<std::pair<absl::string_view, uint32_t>> dictionary;
  dictionary.reserve(term_numbers_.size());
  uint64_t text_bytes = 0;
  for (const auto& [text, number] : term_numbers_) {
    dictionary.emplace_back(text, number);
    text_bytes += text.size();
  }
  std::sort(dictionary.begin(), dictionary.end());
  std::vector<uint32_t> sorted_numbers(dictionary.size());
  for (uint32_t i = 0; i < dictionary.size(); ++i) {
    sorted_numbers[dictionary[i].second] = i;
  }
  for (auto& [number, row] : terms_) {
    number = sorted_numbers[number];
  }
  RETURN_IF_ERROR(SortEntries(&terms_));
  std::string bytes = PostingBytes(
      {.kind = kKeywordKind,
       .rows = rows_,
       .width_or_terms = static_cast<uint32_t>(dictionary.size()),
       .base_or_text_bytes = text_bytes},
      terms_, [&](uint32_t position) { return terms_[position].first; });
  std::vector<uint32_t> starts(dictionary.size() + 1);
  for (const auto& [number, row] : terms_) {
    ++starts[number + 1];
  }
  for (size_t i = 0; i < dictionary.size(); ++i) {
    starts[i + 1] += starts[i];
  }
  AppendColumnArray(std::span<const uint32_t>(starts), &bytes);
  std::vector<uint64_t> text_ends;
  std::string texts;
  texts.reserve(text_bytes);
  for (const auto& [text, number] : dictionary) {
    texts.append(text.data(), text.size());
    text_ends.push_back(texts.size());
  }
  AppendColumnArray(std::span<const uint64_t>(text_ends), &bytes);
  AppendColumnArray(std::span<const char>(texts), &bytes);
  return bytes;
}

}  // namespace sextant
