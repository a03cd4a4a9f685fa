// SPDX-License-Identifier: Apache-2.0
#include "index/text/term_table.h"

#define XXH_INLINE_ALL  // no library to link
#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/coding.h"

namespace sextant {
namespace {

constexpr size_t kFirstSlots = 256;

uint32_t HashOf(absl::string_view term) {
  return static_cast<uint32_t>(XXH3_64bits(term.data(), term.size()));
}

}  // namespace

uint64_t TermBeginning(absl::string_view term) {
  char bytes[sizeof(uint64_t)] = {};
  std::copy_n(term.data(), std::min(term.size(), sizeof(bytes)), bytes);
  return LoadBigEndian<uint64_t>(bytes);
}

TermTable::TermTable() : slots_(kFirstSlots) {}

void TermTable::NumbersOf(const TokenList& tokens,
                          std::vector<uint32_t>* numbers) {
  hashes_.clear();
  numbers->clear();
  for (size_t i = 0; i < tokens.size(); ++i) {
    hashes_.push_back(HashOf(tokens.term(i)));
    __builtin_prefetch(&slots_[hashes_.back() & (slots_.size() - 1)]);
  }
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < tokens.size() + kAhead; ++i) {
    if (i < tokens.size()) {
      const Slot& slot = slots_[hashes_[i] & (slots_.size() - 1)];
      if (slot.number != kFree) {
        __builtin_prefetch(&ends_[slot.number]);
      }
    }
    if (i >= kAhead) {
      const size_t token = i - kAhead;
      numbers->push_back(NumberOf(tokens.term(token), hashes_[token]));
    }
  }
}

uint32_t TermTable::NumberOf(absl::string_view term, uint32_t hash) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].number != kFree) {
    const Slot slot = slots_[at];
    if (slot.hash == hash && this->term(slot.number) == term) {
      return slot.number;
    }
    at = (at + 1) & mask;
  }
  const uint32_t number = size();
  slots_[at] = {hash, number};
  chars_.append(term.data(), term.size());
  ends_.push_back(static_cast<uint32_t>(chars_.size()));
  if (size_t{number} * 2 > slots_.size()) {
    Grow();
  }
  return number;
}

void TermTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.number != kFree) {
      size_t at = slot.hash & mask;
      while (slots_[at].number != kFree) {
        at = (at + 1) & mask;
      }
      slots_[at] = slot;
    }
  }
}

bool TermTable::HasRoomFor(const TokenList& tokens) const {
  return chars_.size() + tokens.chars() <= std::numeric_limits<uint32_t>::max();
}

std::vector<uint32_t> TermTable::Sorted() const {
  std::vector<std::pair<uint64_t, uint32_t>> keys;
  keys.reserve(size());
  for (uint32_t number = 0; number < size(); ++number) {
    keys.emplace_back(TermBeginning(term(number)), number);
  }
  std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : term(a.second) < term(b.second);
  });
  std::vector<uint32_t> numbers;
  numbers.reserve(keys.size());
  for (const auto& [key, number] : keys) {
    numbers.push_back(number);
  }
  return numbers;
}

size_t TermTable::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) +
         ends_.capacity() * sizeof(uint32_t) + chars_.capacity();
}

}  // namespace sextant
