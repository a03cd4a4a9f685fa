// SPDX-License-Identifier: Apache-2.0
#include "index/row_set.h"

#include <algorithm>
#include <bit>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace sextant {

RowSet RowSet::With(std::span<const Ordinal> rows, uint32_t capacity) const {
  CHECK_GE(capacity, capacity_) << "a row set never shrinks";
  RowSet result = *this;
  result.capacity_ = capacity;
  result.pages_.resize((uint64_t{capacity} + kPageRows - 1) / kPageRows);
  // Pages copied by this call; the others are shared with other sets.
  std::vector<Page*> owned(result.pages_.size(), nullptr);
  for (const Ordinal row : rows) {
    CHECK_LT(row, capacity) << "row past the capacity of its set";
    const uint32_t page = row / kPageRows;
    if (owned[page] == nullptr) {
      auto copy = result.pages_[page] == nullptr
                      ? std::make_shared<Page>()
                      : std::make_shared<Page>(*result.pages_[page]);
      owned[page] = copy.get();
      result.pages_[page] = std::move(copy);
    }
    const uint32_t bit = row % kPageRows;
    uint64_t& word = (*owned[page])[bit / 64];
    const uint64_t mask = uint64_t{1} << (bit % 64);
    result.count_ += (word & mask) == 0 ? 1 : 0;
    word |= mask;
  }
  return result;
}

std::vector<uint64_t> RowSet::ToWords() const {
  if (empty()) {
    return {};
  }
  std::vector<uint64_t> words((uint64_t{capacity_} + 63) / 64);
  constexpr size_t kPageWords = kPageRows / 64;
  for (size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page] != nullptr) {
      const size_t begin = page * kPageWords;
      std::copy_n(pages_[page]->begin(),
                  std::min(kPageWords, words.size() - begin),
                  words.begin() + static_cast<std::ptrdiff_t>(begin));
    }
  }
  return words;
}

std::string RowSet::ToBytes() const {
  std::string bytes;
  if (empty()) {
    return bytes;
  }
  bytes.resize((uint64_t{capacity_} + 7) / 8, '\0');
  constexpr size_t kPageBytes = kPageRows / 8;
  for (size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page] == nullptr) {
      continue;
    }
    const size_t begin = page * kPageBytes;
    const size_t end = std::min(bytes.size(), begin + kPageBytes);
    for (size_t i = begin; i < end; ++i) {
      const size_t byte = i - begin;
      const uint64_t word = (*pages_[page])[byte / 8];
      bytes[i] = static_cast<char>(word >> (byte % 8 * 8));
    }
  }
  return bytes;
}

absl::StatusOr<RowSet> RowSet::FromBytes(absl::string_view bytes,
                                         uint32_t capacity) {
  RowSet result;
  result.capacity_ = capacity;
  result.pages_.resize((uint64_t{capacity} + kPageRows - 1) / kPageRows);
  if (bytes.empty()) {
    return result;
  }
  const uint64_t expected = (uint64_t{capacity} + 7) / 8;
  if (bytes.size() != expected) {
    return absl::DataLossError(absl::StrCat("row set: expected ", expected,
                                            " bytes for ", capacity,
                                            " rows, got ", bytes.size()));
  }
  const uint32_t used = capacity % 8;
  if (used != 0 && (static_cast<uint8_t>(bytes.back()) >> used) != 0) {
    return absl::DataLossError(
        absl::StrCat("row set: a bit past row ", capacity, " is set"));
  }
  constexpr size_t kPageBytes = kPageRows / 8;
  for (size_t page = 0; page < result.pages_.size(); ++page) {
    const size_t begin = page * kPageBytes;
    const size_t end = std::min(bytes.size(), begin + kPageBytes);
    auto words = std::make_shared<Page>();
    uint32_t members = 0;
    for (size_t i = begin; i < end; ++i) {
      const size_t byte = i - begin;
      const auto value = static_cast<uint8_t>(bytes[i]);
      (*words)[byte / 8] |= uint64_t{value} << (byte % 8 * 8);
      members += static_cast<uint32_t>(std::popcount(value));
    }
    if (members > 0) {
      result.count_ += members;
      result.pages_[page] = std::move(words);
    }
  }
  return result;
}

}  // namespace sextant
