// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "index/text/token_list.h"

namespace sextant {

// The first eight bytes of a term as a number that compares as the term does,
// where the beginnings differ.
uint64_t TermBeginning(absl::string_view term);

// Numbers distinct terms in the order of their first use. An open hash table
// over one string of all characters: a known term costs two cache misses at
// most. Owned by one thread.
class TermTable {
 public:
  TermTable();

  // The numbers of all tokens; new terms get the next ones in their order. What
  // each needs is fetched while others are looked up.
  void NumbersOf(const TokenList& tokens, std::vector<uint32_t>* numbers);
  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }
  absl::string_view term(uint32_t number) const {
    const size_t begin = number == 0 ? 0 : ends_[number - 1];
    return {chars_.data() + begin, ends_[number] - begin};
  }
  // Whether all of them could be new.
  bool HasRoomFor(const TokenList& tokens) const;
  // Numbers by term, ascending.
  std::vector<uint32_t> Sorted() const;
  size_t memory_bytes() const;

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t number = kFree;
  };
  static constexpr uint32_t kFree = ~uint32_t{0};

  uint32_t NumberOf(absl::string_view term, uint32_t hash);
  void Grow();

  std::vector<Slot> slots_;  // a power of two
  std::vector<uint32_t> ends_;
  std::string chars_;
  std::vector<uint32_t> hashes_;  // of the tokens at hand
};

}  // namespace sextant
