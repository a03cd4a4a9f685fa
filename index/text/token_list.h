// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sextant {

// A token of a text: what is indexed, and where it stood.
struct Token {
  absl::string_view term;
  // Counts words, from 0; a stop word that was left out leaves a gap. N-grams
  // count one by one.
  uint32_t position = 0;
  // Bytes [begin, end) of the original text.
  uint32_t begin = 0;
  uint32_t end = 0;
};

// The tokens of one text, positions ascending. Keeps its memory for the next
// text. Owned by one thread.
class TokenList {
 public:
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  size_t chars() const { return chars_.size(); }  // bytes of all terms
  // Valid until the list changes.
  Token operator[](size_t i) const {
    const Entry& entry = entries_[i];
    return {term(i), entry.position, entry.begin, entry.end};
  }
  absl::string_view term(size_t i) const {
    const size_t start = i == 0 ? 0 : entries_[i - 1].term_end;
    return {chars_.data() + start, entries_[i].term_end - start};
  }
  uint32_t position(size_t i) const { return entries_[i].position; }

  void Clear() {
    chars_.clear();
    entries_.clear();
  }
  // `token.term` may not point into this list.
  void Add(const Token& token) {
    chars_.append(token.term.data(), token.term.size());
    entries_.push_back({chars_.size(), token.position, token.begin, token.end});
  }

 private:
  struct Entry {
    size_t term_end;  // in chars_
    uint32_t position;
    uint32_t begin;
    uint32_t end;
  };
  std::string chars_;
  std::vector<Entry> entries_;
};

}  // namespace sextant
