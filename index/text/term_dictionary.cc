// SPDX-License-Identifier: Apache-2.0
#include "index/text/term_dictionary.h"

#include <algorithm>

#include "base/status_macros.h"
#include "index/text/term_table.h"
#include "index/text/text_layout.h"
#include "index/text/varint.h"

namespace sextant {
namespace {

// Walks the terms of checked groups.
class GroupReader {
 public:
  explicit GroupReader(const char* bytes)
      : next_(bytes),
        first_block_(static_cast<uint32_t>(ReadVarint(&next_))),
        posting_offset_(ReadVarint(&next_)),
        position_offset_(ReadVarint(&next_)) {}

  // Reads the next term; what it shares with the last one is kept.
  void ReadTerm(std::string* term) {
    const auto shared = static_cast<size_t>(ReadVarint(&next_));
    const auto own = static_cast<size_t>(ReadVarint(&next_));
    term->resize(shared);
    term->append(next_, own);
    next_ += own;
  }
  PostingListRecord ReadRecord() {
    PostingListRecord record;
    record.count = static_cast<uint32_t>(ReadVarint(&next_));
    record.first_block = first_block_;
    record.posting_offset = posting_offset_;
    record.position_offset = position_offset_;
    first_block_ += BlockEntries(record.count);
    posting_offset_ += ReadVarint(&next_);
    position_offset_ += ReadVarint(&next_);
    return record;
  }

 private:
  const char* next_;
  uint32_t first_block_;
  uint64_t posting_offset_;
  uint64_t position_offset_;
};

// Checks one group after the other, in the order of the bytes.
class DictionaryCheck {
 public:
  explicit DictionaryCheck(std::span<const char> bytes)
      : bytes_(bytes.data(), bytes.size()), size_(bytes.size()) {}

  size_t offset() const { return size_ - bytes_.size(); }
  bool at_end() const { return bytes_.empty(); }

  absl::Status Group() {
    uint64_t first_block = 0;
    uint64_t posting_offset = 0;
    uint64_t position_offset = 0;
    if (!ConsumeVarint(&bytes_, &first_block) ||
        !ConsumeVarint(&bytes_, &posting_offset) ||
        !ConsumeVarint(&bytes_, &position_offset)) {
      return DamagedText("a group of terms is cut off");
    }
    if (first_block != first_block_ || posting_offset != posting_offset_ ||
        position_offset != position_offset_) {
      return DamagedText("a group of terms has other offsets than its lists");
    }
    return absl::OkStatus();
  }

  absl::Status Term(bool first_of_group, TermDictionary::Extent* extent) {
    uint64_t shared = 0;
    uint64_t own = 0;
    if (!ConsumeVarint(&bytes_, &shared) || !ConsumeVarint(&bytes_, &own) ||
        own > bytes_.size() || shared > term_.size() ||
        (first_of_group && shared != 0)) {
      return DamagedText("a term is cut off");
    }
    const absl::string_view suffix = bytes_.substr(0, static_cast<size_t>(own));
    // What follows the shared part decides.
    const absl::string_view last =
        absl::string_view(term_).substr(static_cast<size_t>(shared));
    if (!is_first_ && suffix <= last) {
      return DamagedText("terms do not ascend");
    }
    is_first_ = false;
    term_.resize(static_cast<size_t>(shared));
    term_.append(suffix.data(), suffix.size());
    bytes_.remove_prefix(suffix.size());
    uint64_t count = 0;
    if (!ConsumeVarint(&bytes_, &count) ||
        !ConsumeVarint(&bytes_, &extent->posting_bytes) ||
        !ConsumeVarint(&bytes_, &extent->position_bytes) || count == 0 ||
        count >= kEndRow) {
      return DamagedText("the list of a term is cut off");
    }
    extent->list.count = static_cast<uint32_t>(count);
    extent->list.first_block = static_cast<uint32_t>(first_block_);
    extent->list.posting_offset = posting_offset_;
    extent->list.position_offset = position_offset_;
    return absl::OkStatus();
  }

  // After the list was checked against the sizes of the file.
  void Advance(const TermDictionary::Extent& extent) {
    first_block_ += BlockEntries(extent.list.count);
    posting_offset_ += extent.posting_bytes;
    position_offset_ += extent.position_bytes;
  }

 private:
  absl::string_view bytes_;
  size_t size_;
  bool is_first_ = true;
  std::string term_;
  uint64_t first_block_ = 0;
  uint64_t posting_offset_ = 0;
  uint64_t position_offset_ = 0;
};

}  // namespace

absl::StatusOr<TermDictionary> TermDictionary::Open(
    uint32_t terms, std::span<const uint64_t> group_offsets,
    std::span<const char> bytes,
    absl::FunctionRef<absl::Status(const Extent& extent)> check) {
  DictionaryCheck reader(bytes);
  for (uint32_t i = 0; i < terms; ++i) {
    const bool first_of_group = i % kGroupTerms == 0;
    if (first_of_group) {
      if (group_offsets[i / kGroupTerms] != reader.offset()) {
        return DamagedText("a group of terms is elsewhere");
      }
      RETURN_IF_ERROR(reader.Group());
    }
    Extent extent;
    RETURN_IF_ERROR(reader.Term(first_of_group, &extent));
    RETURN_IF_ERROR(check(extent));
    reader.Advance(extent);
  }
  if (!reader.at_end()) {
    return DamagedText("bytes after the last term");
  }
  TermDictionary dictionary;
  dictionary.terms_ = terms;
  dictionary.group_offsets_ = group_offsets;
  dictionary.bytes_ = bytes;
  for (size_t group = 0; group < group_offsets.size(); ++group) {
    dictionary.heads_.push_back(TermBeginning(dictionary.GroupHead(group)));
  }
  return dictionary;
}

absl::string_view TermDictionary::GroupHead(size_t group) const {
  const char* next = bytes_.data() + group_offsets_[group];
  for (int i = 0; i < 4; ++i) {  // the group's three numbers, 0 shared bytes
    ReadVarint(&next);
  }
  const auto size = static_cast<size_t>(ReadVarint(&next));
  return {next, size};
}

size_t TermDictionary::GroupOf(absl::string_view term) const {
  const uint64_t beginning = TermBeginning(term);
  const auto [low, high] =
      std::equal_range(heads_.begin(), heads_.end(), beginning);
  // Groups from `first` on are not known to be after the term or not; the one
  // before them is not.
  auto first = static_cast<size_t>(low - heads_.begin());
  auto count = static_cast<size_t>(high - low);
  while (count > 0) {
    const size_t half = count / 2;
    if (GroupHead(first + half) <= term) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first == 0 ? 0 : first - 1;
}

bool TermDictionary::Find(absl::string_view term,
                          PostingListRecord* record) const {
  bool found = false;
  VisitFrom(term, [&](absl::string_view seen, const PostingListRecord& at) {
    found = seen == term;
    *record = at;
    return false;
  });
  return found;
}

void TermDictionary::VisitFrom(
    absl::string_view first,
    absl::FunctionRef<bool(absl::string_view term,
                           const PostingListRecord& record)>
        visit) const {
  if (terms_ == 0) {
    return;
  }
  std::string term;
  for (size_t group = GroupOf(first); group < group_offsets_.size(); ++group) {
    GroupReader reader(bytes_.data() + group_offsets_[group]);
    const auto begin = static_cast<uint32_t>(group * kGroupTerms);
    const uint32_t end = std::min(terms_, begin + kGroupTerms);
    for (uint32_t i = begin; i < end; ++i) {
      reader.ReadTerm(&term);
      const PostingListRecord record = reader.ReadRecord();
      if (term >= first && !visit(term, record)) {
        return;
      }
    }
  }
}

void TermDictionaryBuilder::Add(absl::string_view term,
                                const TermDictionary::Extent& extent) {
  size_t shared = 0;
  if (terms_ % TermDictionary::kGroupTerms == 0) {
    group_offsets_.push_back(bytes_.size());
    AppendVarint(extent.list.first_block, &bytes_);
    AppendVarint(extent.list.posting_offset, &bytes_);
    AppendVarint(extent.list.position_offset, &bytes_);
  } else {
    const size_t limit = std::min(term.size(), last_.size());
    while (shared < limit && term[shared] == last_[shared]) {
      ++shared;
    }
  }
  AppendVarint(shared, &bytes_);
  AppendVarint(term.size() - shared, &bytes_);
  bytes_.append(term.data() + shared, term.size() - shared);
  AppendVarint(extent.list.count, &bytes_);
  AppendVarint(extent.posting_bytes, &bytes_);
  AppendVarint(extent.position_bytes, &bytes_);
  last_.assign(term.data(), term.size());
  ++terms_;
}

}  // namespace sextant
