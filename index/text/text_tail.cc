// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_tail.h"

#define XXH_INLINE_ALL  // no library to link
#include <xxhash.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"

namespace sextant {
namespace {

uint64_t HashOf(absl::string_view term) {
  return XXH3_64bits(term.data(), term.size());
}

}  // namespace

TextTail::TextTail(size_t fields) : memory_bytes_(fields * sizeof(Field)) {
  fields_.reserve(fields);
  for (size_t field = 0; field < fields; ++field) {
    fields_.push_back(std::make_shared<Field>());
  }
}

std::shared_ptr<const TextTail> TextTail::Select(
    std::span<const size_t> fields) const {
  auto selected = std::make_shared<TextTail>(0);
  for (const size_t field : fields) {
    selected->fields_.push_back(fields_[field]);
  }
  return selected;
}

TextTail::Row TextTail::MakeRow(const TokenList& tokens) {
  struct Hashed {
    uint64_t hash;
    uint32_t token;
  };
  std::vector<Hashed> hashed;
  hashed.reserve(tokens.size());
  for (uint32_t i = 0; i < tokens.size(); ++i) {
    hashed.push_back({HashOf(tokens.term(i)), i});
  }
  // Equal terms side by side, in the order of their positions.
  std::sort(
      hashed.begin(), hashed.end(), [&](const Hashed& a, const Hashed& b) {
        if (a.hash != b.hash) {
          return a.hash < b.hash;
        }
        const int order = tokens.term(a.token).compare(tokens.term(b.token));
        return order != 0 ? order < 0 : a.token < b.token;
      });
  Row row;
  for (const Hashed& token : hashed) {
    const absl::string_view term = tokens.term(token.token);
    if (row.entries.empty() || row.entries.back().hash != token.hash ||
        row.term(row.entries.back()) != term) {
      Entry entry;
      entry.hash = token.hash;
      entry.term = static_cast<uint32_t>(row.chars.size());
      entry.term_size = static_cast<uint32_t>(term.size());
      entry.position = static_cast<uint32_t>(row.positions.size());
      row.chars.append(term.data(), term.size());
      row.entries.push_back(entry);
    }
    ++row.entries.back().tf;
    row.positions.push_back(tokens.position(token.token));
  }
  return row;
}

void TextTail::Append(std::span<const TokenList> tokens) {
  for (size_t field = 0; field < fields_.size(); ++field) {
    Row row = MakeRow(tokens[field]);
    memory_bytes_ += row.entries.capacity() * sizeof(Entry) +
                     row.chars.capacity() +
                     row.positions.capacity() * sizeof(uint32_t);
    fields_[field]->rows[rows_] = std::move(row);
    fields_[field]->lengths[rows_] =
        static_cast<uint32_t>(tokens[field].size());
  }
  ++rows_;
}

MemoryPostings TextTail::Find(size_t field, absl::string_view term,
                              uint32_t rows) const {
  const uint64_t hash = HashOf(term);
  MemoryPostings postings;
  for (Ordinal number = 0; number < rows; ++number) {
    const Row& row = fields_[field]->rows[number];
    auto entry = std::lower_bound(
        row.entries.begin(), row.entries.end(), hash,
        [](const Entry& a, uint64_t wanted) { return a.hash < wanted; });
    while (entry != row.entries.end() && entry->hash == hash &&
           row.term(*entry) != term) {
      ++entry;
    }
    if (entry == row.entries.end() || entry->hash != hash) {
      continue;
    }
    postings.rows.push_back(number);
    postings.tfs.push_back(entry->tf);
    const auto first = row.positions.begin() + entry->position;
    postings.positions.insert(postings.positions.end(), first,
                              first + entry->tf);
    postings.position_ends.push_back(
        static_cast<uint32_t>(postings.positions.size()));
  }
  return postings;
}

void TextTail::VisitPrefix(
    size_t field, absl::string_view prefix, uint32_t rows,
    absl::FunctionRef<void(absl::string_view term)> visit) const {
  for (Ordinal number = 0; number < rows; ++number) {
    const Row& row = fields_[field]->rows[number];
    for (const Entry& entry : row.entries) {
      if (absl::StartsWith(row.term(entry), prefix)) {
        visit(row.term(entry));
      }
    }
  }
}

void TextTail::Tokens(size_t field, Ordinal row, TokenList* tokens) const {
  const Row& from = fields_[field]->rows[row];
  std::vector<std::pair<uint32_t, const Entry*>> placed;
  placed.reserve(from.positions.size());
  for (const Entry& entry : from.entries) {
    for (uint32_t i = 0; i < entry.tf; ++i) {
      placed.emplace_back(from.positions[entry.position + i], &entry);
    }
  }
  std::stable_sort(
      placed.begin(), placed.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  tokens->Clear();
  for (const auto& [position, entry] : placed) {
    tokens->Add({from.term(*entry), position, 0, 0});
  }
}

}  // namespace sextant
