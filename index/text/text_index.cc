// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_index.h"

#include "absl/strings/match.h"

#include "base/status_macros.h"
#include "index/text/packed_integers.h"
#include "index/text/posting_check.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_layout.h"

namespace sextant {

absl::Status TextReader::TakeHeader(TextLayoutKind kind, uint32_t rows,
                                    TextHeader* header) {
  std::span<const TextHeader> taken;
  RETURN_IF_ERROR(Take(1, &taken));
  *header = taken.front();
  if (header->kind != kind) {
    return DamagedText("of another kind");
  }
  if (header->rows != rows) {
    return DamagedText(absl::StrCat("for ", header->rows, " rows, not ", rows));
  }
  if (header->has_positions > 1) {
    return DamagedText("neither with nor without positions");
  }
  return absl::OkStatus();
}

absl::Status TextReader::TakePostings(const TextHeader& header,
                                      PostingStore* store) {
  store->has_positions = header.has_positions != 0;
  const uint64_t blocks = header.blocks;
  RETURN_IF_ERROR(Take(blocks, &store->last_rows));
  RETURN_IF_ERROR(Take(blocks, &store->posting_offsets));
  RETURN_IF_ERROR(
      Take(store->has_positions ? blocks : 0, &store->position_offsets));
  const bool counts = header.kind == kTextKind;
  RETURN_IF_ERROR(Take(counts ? blocks : 0, &store->impacts));
  RETURN_IF_ERROR(Take(counts ? 0 : blocks, &store->weights));
  RETURN_IF_ERROR(
      TakePadded(header.posting_bytes, kPackedPadding, &store->postings));
  RETURN_IF_ERROR(
      TakePadded(header.position_bytes, kPackedPadding, &store->positions));
  return bytes_.empty() ? absl::OkStatus()
                        : DamagedText("longer than its header says");
}

absl::StatusOr<TextIndex> TextIndex::Open(absl::string_view bytes,
                                          uint32_t rows) {
  TextReader reader(bytes);
  TextHeader header;
  RETURN_IF_ERROR(reader.TakeHeader(kTextKind, rows, &header));
  if (header.width != 1 && header.width != 2 && header.width != 4) {
    return DamagedText("lengths of an unknown width");
  }
  std::span<const char> lengths;
  RETURN_IF_ERROR(reader.TakePadded(uint64_t{rows} * header.width,
                                    kLengthPadding, &lengths));
  const uint64_t groups =
      (uint64_t{header.terms} + TermDictionary::kGroupTerms - 1) /
      TermDictionary::kGroupTerms;
  std::span<const uint64_t> group_offsets;
  RETURN_IF_ERROR(reader.Take(groups, &group_offsets));
  std::span<const char> terms;
  RETURN_IF_ERROR(reader.Take(header.term_bytes, &terms));
  TextIndex index;
  RETURN_IF_ERROR(reader.TakePostings(header, &index.postings_));
  index.file_bytes_ = bytes.size();
  index.lengths_ = TextLengths(lengths.data(), header.width, rows);
  for (Ordinal row = 0; row < rows; ++row) {
    const uint32_t length = index.lengths_[row];
    if (length > kRowTokensMax) {
      return DamagedText("a row of too many tokens");
    }
    index.totals_.rows += length > 0 ? 1 : 0;
    index.totals_.tokens += length;
  }
  if (index.totals_.tokens != header.tokens) {
    return DamagedText("lengths that do not add up");
  }
  PostingCheck check(index.postings_, rows, &index.lengths_);
  ASSIGN_OR_RETURN(
      index.dictionary_,
      TermDictionary::Open(header.terms, group_offsets, terms,
                           [&](const TermDictionary::Extent& extent) {
                             return check.List(extent);
                           }));
  RETURN_IF_ERROR(check.Finish());
  return index;
}

PostingList TextIndex::Find(absl::string_view term) const {
  PostingListRecord record;
  if (!dictionary_.Find(term, &record)) {
    return {};
  }
  return postings_.At(record);
}

void TextIndex::VisitFrom(
    absl::string_view first,
    absl::FunctionRef<bool(absl::string_view term, const PostingList& postings)>
        visit) const {
  dictionary_.VisitFrom(
      first, [&](absl::string_view term, const PostingListRecord& record) {
        return visit(term, postings_.At(record));
      });
}

void TextIndex::VisitPrefix(
    absl::string_view prefix,
    absl::FunctionRef<bool(absl::string_view term, const PostingList& postings)>
        visit) const {
  VisitFrom(prefix, [&](absl::string_view term, const PostingList& postings) {
    return absl::StartsWith(term, prefix) && visit(term, postings);
  });
}

}  // namespace sextant
