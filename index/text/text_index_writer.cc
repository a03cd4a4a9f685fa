// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_index_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/status_macros.h"
#include "index/text/text_layout.h"

namespace sextant {
namespace {

uint32_t WidthOf(std::span<const uint32_t> lengths) {
  uint32_t longest = 0;
  for (const uint32_t length : lengths) {
    longest = std::max(longest, length);
  }
  if (longest <= std::numeric_limits<uint8_t>::max()) {
    return 1;
  }
  return longest <= std::numeric_limits<uint16_t>::max() ? 2 : 4;
}

}  // namespace

TextIndexWriter::TextIndexWriter(bool positions, std::vector<uint32_t> lengths)
    : lengths_(std::move(lengths)), postings_(positions, lengths_) {}

void TextIndexWriter::Add(absl::string_view term,
                          const TermPostings& postings) {
  dictionary_.Add(term, postings_.Append(postings));
}

absl::StatusOr<std::string> TextIndexWriter::Finish() && {
  RETURN_IF_ERROR(postings_.status());
  TextHeader header;
  header.kind = kTextKind;
  header.rows = static_cast<uint32_t>(lengths_.size());
  header.terms = dictionary_.terms();
  header.width = WidthOf(lengths_);
  header.term_bytes = dictionary_.bytes().size();
  for (const uint32_t length : lengths_) {
    header.tokens += length;
  }
  postings_.FillHeader(&header);
  std::string bytes;
  AppendTextArray(std::span<const TextHeader>(&header, 1), &bytes);
  for (const uint32_t length : lengths_) {
    bytes.append(reinterpret_cast<const char*>(&length), header.width);
  }
  bytes.append(kLengthPadding, '\0');
  bytes.resize(static_cast<size_t>(PaddedTextSize(bytes.size())));
  AppendTextArray(std::span(dictionary_.group_offsets()), &bytes);
  AppendTextArray(std::span<const char>(dictionary_.bytes()), &bytes);
  postings_.AppendSections(&bytes);
  return bytes;
}

}  // namespace sextant
