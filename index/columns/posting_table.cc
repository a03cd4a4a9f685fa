// SPDX-License-Identifier: Apache-2.0
#include "index/columns/posting_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

// Then a bitmap is no larger than the entries.
constexpr uint64_t kDenseShare = 32;
// Fewer entries are sorted; more are cheaper to set as bits, since that touches
// all words.
constexpr uint64_t kSortedShare = 64;

}  // namespace

absl::StatusOr<PostingTable> PostingTable::Read(const ColumnHeader& header,
                                                uint32_t code_limit,
                                                ColumnReader* reader) {
  PostingTable table;
  table.rows_ = header.rows;
  RETURN_IF_ERROR(reader->Take(header.entries, &table.entries_));
  const bool single = header.single != 0;
  if (!single) {
    RETURN_IF_ERROR(reader->Take(uint64_t{header.rows} + 1, &table.offsets_));
  }
  RETURN_IF_ERROR(
      reader->Take(single ? header.rows : header.entries, &table.codes_));
  for (const Ordinal row : table.entries_) {
    if (row >= table.rows_) {
      return DamagedColumn(absl::StrCat("an entry of row ", row));
    }
  }
  RETURN_IF_ERROR(table.CheckOffsets());
  RETURN_IF_ERROR(table.CheckCodes(code_limit));
  table.FindPresent();
  return table;
}

absl::Status PostingTable::CheckOffsets() const {
  if (offsets_.empty()) {
    return absl::OkStatus();
  }
  if (offsets_.front() != 0 || offsets_.back() != size() ||
      !std::is_sorted(offsets_.begin(), offsets_.end())) {
    return DamagedColumn("offsets out of order");
  }
  return absl::OkStatus();
}

absl::Status PostingTable::CheckCodes(uint32_t code_limit) const {
  uint64_t count = 0;
  for (Ordinal row = 0; row < rows_; ++row) {
    const std::span<const uint32_t> codes = this->codes(row);
    for (size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] >= code_limit || (i > 0 && codes[i] <= codes[i - 1])) {
        return DamagedColumn(absl::StrCat("a wrong value of row ", row));
      }
    }
    count += codes.size();
  }
  if (count != entries_.size()) {
    return DamagedColumn(absl::StrCat("expected ", entries_.size(),
                                      " values of rows, got ", count));
  }
  return absl::OkStatus();
}

void PostingTable::FindPresent() {
  std::vector<uint64_t> words((uint64_t{rows_} + 63) / 64);
  for (Ordinal row = 0; row < rows_; ++row) {
    if (!codes(row).empty()) {
      words[row / 64] |= uint64_t{1} << (row % 64);
      ++present_count_;
    }
  }
  present_ = present_count_ == rows_ ? DocumentSet::All(rows_)
                                     : DocumentSet::FromWords(words);
  present_.Compress();
}

void PostingTable::AddValue(PositionRun run) {
  if (run.count() * kDenseShare >= rows_ && run.count() > 0) {
    dense_.push_back({run, DocumentSet::FromAscending(entries(run))});
    dense_.back().rows.Compress();
  }
}

std::vector<PostingTable::DenseValue>::const_iterator PostingTable::DenseFrom(
    uint32_t position) const {
  return std::lower_bound(dense_.begin(), dense_.end(), position,
                          [](const DenseValue& value, uint32_t first) {
                            return value.run.first < first;
                          });
}

template <typename Visit>
void PostingTable::VisitParts(PositionRun run, Visit visit) const {
  auto dense = DenseFrom(run.first);
  uint32_t first = run.first;
  for (; dense != dense_.end() && dense->run.last <= run.last; ++dense) {
    if (first < dense->run.first) {
      visit(nullptr, PositionRun{first, dense->run.first});
    }
    visit(&*dense, dense->run);
    first = dense->run.last;
  }
  if (first < run.last) {
    visit(nullptr, PositionRun{first, run.last});
  }
}

const DocumentSet* PostingTable::Kept(PositionRun run) const {
  if (run == PositionRun{0, size()}) {
    return &present_;
  }
  const auto dense = DenseFrom(run.first);
  return dense != dense_.end() && dense->run == run ? &dense->rows : nullptr;
}

DocumentSet PostingTable::RowsOf(std::span<const PositionRun> runs) const {
  uint64_t count = 0;
  for (const PositionRun run : runs) {
    count += run.count();
  }
  if (count == size()) {
    return present_;
  }
  if (runs.size() == 1) {
    if (const DocumentSet* kept = Kept(runs.front()); kept != nullptr) {
      return *kept;
    }
  }
  if (!is_single() || count <= size() / 2) {
    return Collect(runs);
  }
  // The larger half is all but the smaller.
  std::vector<PositionRun> others;
  uint32_t first = 0;
  for (const PositionRun run : runs) {
    if (first < run.first) {
      others.push_back({first, run.first});
    }
    first = run.last;
  }
  if (first < size()) {
    others.push_back({first, size()});
  }
  DocumentSet result = present_;
  result.Subtract(Collect(others));
  return result;
}

DocumentSet PostingTable::Collect(std::span<const PositionRun> runs) const {
  DocumentSet result;
  std::vector<PositionRun> plain;
  uint64_t count = 0;
  for (const PositionRun run : runs) {
    VisitParts(run, [&](const DenseValue* dense, PositionRun part) {
      if (dense != nullptr) {
        result.Or(dense->rows);
      } else {
        plain.push_back(part);
        count += part.count();
      }
    });
  }
  if (count == 0) {
    return result;
  }
  if (count * kSortedShare >= rows_) {
    std::vector<uint64_t> words((uint64_t{rows_} + 63) / 64);
    for (const PositionRun run : plain) {
      for (const Ordinal row : entries(run)) {
        words[row / 64] |= uint64_t{1} << (row % 64);
      }
    }
    result.Or(DocumentSet::FromWords(words));
    return result;
  }
  std::vector<Ordinal> rows;
  rows.reserve(count);
  for (const PositionRun run : plain) {
    const std::span<const Ordinal> part = entries(run);
    rows.insert(rows.end(), part.begin(), part.end());
  }
  if (!std::is_sorted(rows.begin(), rows.end())) {
    std::sort(rows.begin(), rows.end());
  }
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  result.Or(DocumentSet::FromAscending(rows));
  return result;
}

size_t PostingTable::memory_bytes() const {
  size_t bytes = present_.memory_bytes();
  for (const DenseValue& value : dense_) {
    bytes += sizeof(value) + value.rows.memory_bytes();
  }
  return bytes;
}

}  // namespace sextant
