// SPDX-License-Identifier: Apache-2.0
//
// A text index or an index of sparse vectors with changed bytes: it is refused,
// or all that is read of it stays inside the memory. The first byte chooses.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "index/text/posting_cursor.h"
#include "index/text/sparse_index_builder.h"
#include "index/text/text_index.h"
#include "index/text/text_index_builder.h"

namespace sextant {
namespace {

constexpr uint32_t kRows = 300;

std::string TextBytes(bool positions) {
  TextIndexBuilder builder({positions});
  for (uint32_t row = 0; row < kRows; ++row) {
    TokenList tokens;
    for (uint32_t i = 0; i < row % 9; ++i) {
      tokens.Add(
          {i % 2 == 0 ? "every" : absl::StrCat("t", row * i % 37), i, 0, 0});
    }
    CHECK(builder.Add(row, tokens).ok());
  }
  return *std::move(builder).Finish(kRows);
}

std::string SparseBytes() {
  SparseIndexBuilder builder;
  for (uint32_t row = 0; row < kRows; ++row) {
    std::vector<SparseEntry> entries = {{0, 1}, {1 + row % 13, -2}};
    CHECK(builder.Add(row, entries).ok());
  }
  return *std::move(builder).Finish(kRows);
}

void ReadList(const PostingList& list, bool counts, bool positions) {
  std::vector<uint32_t> found;
  for (PostingCursor cursor(list); cursor.row() != kEndRow; cursor.Next()) {
    CHECK_LT(cursor.row(), kRows);
    if (counts) {
      CHECK_GT(cursor.tf(), 0);
    } else {
      (void)cursor.weight();
    }
    if (positions) {
      cursor.AppendPositions(&found);
    }
  }
}

void ReadText(absl::string_view bytes) {
  const auto index = TextIndex::Open(bytes, kRows);
  if (!index.ok()) {
    return;
  }
  index->VisitFrom("", [&](absl::string_view term, const PostingList& list) {
    CHECK_EQ(index->Find(term).count, list.count);
    ReadList(list, true, index->has_positions());
    return true;
  });
}

void ReadSparse(absl::string_view bytes) {
  const auto index = SparseIndex::Open(bytes, kRows);
  if (!index.ok()) {
    return;
  }
  for (const uint32_t at : index->indexes()) {
    ReadList(index->Find(at), false, false);
  }
}

}  // namespace
}  // namespace sextant

// Fours: where (two), what (one), one unused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const pristine = new std::vector<std::string>{
      sextant::TextBytes(true), sextant::TextBytes(false),
      sextant::SparseBytes()};
  if (size == 0) {
    return 0;
  }
  const size_t choice = data[0] % pristine->size();
  // An allocation of just these bytes.
  std::vector<char> bytes((*pristine)[choice].begin(),
                          (*pristine)[choice].end());
  for (size_t i = 1; i + 4 <= size; i += 4) {
    const size_t place = size_t{data[i]} << 8U | data[i + 1];
    bytes[place % bytes.size()] = static_cast<char>(data[i + 2]);
  }
  const absl::string_view view(bytes.data(), bytes.size());
  if (choice == 2) {
    sextant::ReadSparse(view);
  } else {
    sextant::ReadText(view);
  }
  return 0;
}
