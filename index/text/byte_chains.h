// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace sextant {

// Many growing strings of bytes in one arena, each a chain of slices that
// double in size; how a builder keeps a list a term without an allocation a
// term (Lucene's ByteSlicePool has the idea). Owned by one thread.
class ByteChains {
 public:
  struct Chain {
    uint32_t head = 0;   // 0: empty
    uint32_t next = 0;   // where the next byte goes
    uint32_t left = 0;   // bytes of the slice before its link
    uint32_t slice = 0;  // its size
  };

  ByteChains() { Allocate(kFirstSlice); }  // offset 0 means "none"

  void AppendVarint(Chain* chain, uint32_t value) {
    while (value >= 0x80) {
      Append(chain, static_cast<char>(value | 0x80U));
      value >>= 7U;
    }
    Append(chain, static_cast<char>(value));
  }

  // Bytes allocated; Append past kBytesMax is a bug.
  uint64_t bytes() const { return uint64_t{pages_.size()} * kPageBytes; }
  static constexpr uint64_t kBytesMax = uint64_t{4095} << 20U;

  // Reads a chain from its beginning; the caller knows how much there is.
  class Reader {
   public:
    Reader(const ByteChains& chains, const Chain& chain)
        : chains_(chains), next_(chain.head), left_(kFirstSlice - kLinkBytes) {}

    uint32_t ReadVarint() {
      uint32_t result = 0;
      for (uint32_t shift = 0;; shift += 7) {
        const auto byte = static_cast<uint8_t>(Read());
        result |= uint32_t{byte & 0x7FU} << shift;
        if (byte < 0x80) {
          return result;
        }
      }
    }

   private:
    char Read() {
      if (left_ == 0) {
        std::memcpy(&next_, chains_.At(next_), kLinkBytes);
        slice_ = NextSlice(slice_);
        left_ = slice_ - kLinkBytes;
      }
      --left_;
      return *chains_.At(next_++);
    }

    const ByteChains& chains_;
    uint32_t next_;
    uint32_t left_;
    uint32_t slice_ = kFirstSlice;
  };

 private:
  static constexpr uint32_t kPageBytes = 1U << 20U;
  static constexpr uint32_t kFirstSlice = 12;
  static constexpr uint32_t kLastSlice = 1024;
  static constexpr uint32_t kLinkBytes = sizeof(uint32_t);

  static uint32_t NextSlice(uint32_t slice) {
    return slice * 2 < kLastSlice ? slice * 2 : kLastSlice;
  }

  void Append(Chain* chain, char byte) {
    if (chain->left == 0) {
      Extend(chain);
    }
    *At(chain->next++) = byte;
    --chain->left;
  }
  void Extend(Chain* chain) {
    chain->slice = chain->head == 0 ? kFirstSlice : NextSlice(chain->slice);
    const uint32_t slice = Allocate(chain->slice);
    if (chain->head == 0) {
      chain->head = slice;
    } else {
      std::memcpy(At(chain->next), &slice, kLinkBytes);
    }
    chain->next = slice;
    chain->left = chain->slice - kLinkBytes;
  }
  uint32_t Allocate(uint32_t size) {
    if (pages_.empty() || used_ + size > kPageBytes) {
      pages_.push_back(std::make_unique<char[]>(kPageBytes));
      used_ = 0;
    }
    const auto offset =
        static_cast<uint32_t>((pages_.size() - 1) * kPageBytes) + used_;
    used_ += size;
    return offset;
  }
  char* At(uint32_t offset) {
    return pages_[offset / kPageBytes].get() + offset % kPageBytes;
  }
  const char* At(uint32_t offset) const {
    return pages_[offset / kPageBytes].get() + offset % kPageBytes;
  }

  std::vector<std::unique_ptr<char[]>> pages_;
  uint32_t used_ = 0;
};

}  // namespace sextant
