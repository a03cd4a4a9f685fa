// SPDX-License-Identifier: Apache-2.0
#include "index/columns/document_set.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "roaring/roaring.hh"

#include "base/check.h"
#include "base/coding.h"

namespace sextant {

struct DocumentSet::Bitmap {
  Roaring roaring;
};

namespace {

// Bits go in and out by CRoaring's portable format, which is specified (Roaring
// bitmap format specification, github.com/RoaringBitmap/RoaringFormatSpec) and
// takes whole blocks of 64 Ki bits at once, where its functions take one member
// after the other.
constexpr uint32_t kCookie = 12347;  // number of blocks in the same word
constexpr uint32_t kCookieWithoutRuns = 12346;  // number of blocks in the next
constexpr uint32_t kBlocksWithOffsets = 4;      // so many, when there are runs
constexpr size_t kBlockWords = 1024;
constexpr size_t kArrayMax = 4096;  // members; more are stored as bits
constexpr size_t kBitsBytes = kBlockWords * sizeof(uint64_t);

uint16_t Load16(const char* place) {
  return LoadLittleEndian<uint16_t>(place);
}

uint32_t CountBits(std::span<const uint64_t> words) {
  uint32_t count = 0;
  for (const uint64_t word : words) {
    count += static_cast<uint32_t>(std::popcount(word));
  }
  return count;
}

void AppendBlock(std::span<const uint64_t> words, uint32_t count,
                 std::string* bytes) {
  if (count > kArrayMax) {
    bytes->append(reinterpret_cast<const char*>(words.data()),
                  words.size_bytes());
    bytes->append(kBitsBytes - words.size_bytes(), '\0');
    return;
  }
  for (size_t i = 0; i < words.size(); ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) {
      const auto bit = static_cast<size_t>(std::countr_zero(word));
      AppendLittleEndian(bytes, static_cast<uint16_t>(i * 64 + bit));
    }
  }
}

std::string PortableBytes(std::span<const uint64_t> words) {
  struct Block {
    size_t number;
    uint32_t count;
  };
  const auto block_words = [&](size_t number) {
    const size_t first = number * kBlockWords;
    return words.subspan(first, std::min(kBlockWords, words.size() - first));
  };
  std::vector<Block> blocks;
  for (size_t i = 0; i * kBlockWords < words.size(); ++i) {
    if (const uint32_t count = CountBits(block_words(i)); count > 0) {
      blocks.push_back({i, count});
    }
  }
  std::string bytes;
  size_t offset = 8 + blocks.size() * 8;
  bytes.reserve(offset + blocks.size() * kBitsBytes);
  AppendLittleEndian(&bytes, kCookieWithoutRuns);
  AppendLittleEndian(&bytes, static_cast<uint32_t>(blocks.size()));
  for (const Block& block : blocks) {
    AppendLittleEndian(&bytes, static_cast<uint16_t>(block.number));
    AppendLittleEndian(&bytes, static_cast<uint16_t>(block.count - 1));
  }
  for (const Block& block : blocks) {
    AppendLittleEndian(&bytes, static_cast<uint32_t>(offset));
    offset += block.count > kArrayMax ? kBitsBytes : size_t{block.count} * 2;
  }
  for (const Block& block : blocks) {
    AppendBlock(block_words(block.number), block.count, &bytes);
  }
  return bytes;
}

void SetBit(uint64_t* words, size_t bit) {
  words[bit / 64] |= uint64_t{1} << (bit % 64);
}

void SetBits(uint64_t* words, size_t first, size_t last) {
  for (; first < last && first % 64 != 0; ++first) {
    SetBit(words, first);
  }
  for (; first + 64 <= last; first += 64) {
    words[first / 64] = ~uint64_t{0};
  }
  for (; first < last; ++first) {
    SetBit(words, first);
  }
}

// Copies a block of runs; returns the place after it.
const char* CopyRuns(const char* place, uint64_t* words) {
  const uint32_t runs = Load16(place);
  place += 2;
  for (uint32_t i = 0; i < runs; ++i, place += 4) {
    const size_t first = Load16(place);
    SetBits(words, first, first + Load16(place + 2) + 1);
  }
  return place;
}

// `bytes` come from CRoaring itself; `words` begin as zeros.
void CopyPortable(absl::string_view bytes, std::span<uint64_t> words) {
  const auto cookie = LoadLittleEndian<uint32_t>(bytes.data());
  const bool with_runs = (cookie & 0xFFFFU) == kCookie;
  const uint32_t blocks = with_runs
                              ? (cookie >> 16U) + 1
                              : LoadLittleEndian<uint32_t>(bytes.data() + 4);
  const char* run_flags = bytes.data() + 4;
  const char* heads = bytes.data() + (with_runs ? 4 + (blocks + 7) / 8 : 8);
  const bool with_offsets = !with_runs || blocks >= kBlocksWithOffsets;
  const char* place = heads + size_t{blocks} * (with_offsets ? 8 : 4);
  for (uint32_t i = 0; i < blocks; ++i) {
    const size_t number = Load16(heads + size_t{i} * 4);
    const size_t count = size_t{Load16(heads + size_t{i} * 4 + 2)} + 1;
    const size_t first = number * kBlockWords;
    CHECK_LT(first, words.size()) << "a member past the rows";
    uint64_t* block = words.data() + first;
    const auto flag = static_cast<uint8_t>(with_runs ? run_flags[i / 8] : 0);
    if (((flag >> (i % 8)) & 1U) != 0) {
      place = CopyRuns(place, block);
    } else if (count > kArrayMax) {
      std::memcpy(
          block, place,
          std::min(kBitsBytes, (words.size() - first) * sizeof(uint64_t)));
      place += kBitsBytes;
    } else {
      for (size_t j = 0; j < count; ++j, place += 2) {
        SetBit(block, Load16(place));
      }
    }
  }
}

}  // namespace

DocumentSet::DocumentSet() : bitmap_(std::make_unique<Bitmap>()) {}
DocumentSet::DocumentSet(const DocumentSet& other)
    : bitmap_(std::make_unique<Bitmap>(*other.bitmap_)) {}
DocumentSet& DocumentSet::operator=(const DocumentSet& other) {
  if (this != &other) {
    bitmap_ = std::make_unique<Bitmap>(*other.bitmap_);
  }
  return *this;
}
DocumentSet::DocumentSet(DocumentSet&& other) noexcept = default;
DocumentSet& DocumentSet::operator=(DocumentSet&& other) noexcept = default;
DocumentSet::~DocumentSet() = default;

DocumentSet DocumentSet::All(uint32_t rows) {
  DocumentSet result;
  if (rows > 0) {
    result.bitmap_->roaring.addRange(0, rows);
  }
  return result;
}

DocumentSet DocumentSet::FromAscending(std::span<const Ordinal> ordinals) {
  DocumentSet result;
  result.bitmap_->roaring.addMany(ordinals.size(), ordinals.data());
  return result;
}

DocumentSet DocumentSet::FromWords(std::span<const uint64_t> words) {
  DocumentSet result;
  const std::string bytes = PortableBytes(words);
  result.bitmap_->roaring = Roaring::readSafe(bytes.data(), bytes.size());
  return result;
}

uint64_t DocumentSet::count() const {
  return bitmap_->roaring.cardinality();
}
bool DocumentSet::empty() const {
  return bitmap_->roaring.isEmpty();
}
bool DocumentSet::Contains(Ordinal row) const {
  return bitmap_->roaring.contains(row);
}

void DocumentSet::And(const DocumentSet& other) {
  bitmap_->roaring &= other.bitmap_->roaring;
}
void DocumentSet::Or(const DocumentSet& other) {
  bitmap_->roaring |= other.bitmap_->roaring;
}
void DocumentSet::Subtract(const DocumentSet& other) {
  bitmap_->roaring -= other.bitmap_->roaring;
}
void DocumentSet::Complement(uint32_t rows) {
  bitmap_->roaring.flip(0, rows);
}
uint64_t DocumentSet::CountOfAnd(const DocumentSet& other) const {
  return bitmap_->roaring.and_cardinality(other.bitmap_->roaring);
}

void DocumentSet::ForEach(absl::FunctionRef<bool(Ordinal)> visit) const {
  bitmap_->roaring.iterate(
      [](uint32_t row, void* visitor) {
        return (*static_cast<absl::FunctionRef<bool(Ordinal)>*>(visitor))(row);
      },
      &visit);
}

std::vector<Ordinal> DocumentSet::ToOrdinals() const {
  std::vector<Ordinal> ordinals(count());
  bitmap_->roaring.toUint32Array(ordinals.data());
  return ordinals;
}

std::vector<uint64_t> DocumentSet::ToWords(uint32_t rows) const {
  std::vector<uint64_t> words((uint64_t{rows} + 63) / 64);
  std::string bytes(bitmap_->roaring.getSizeInBytes(), '\0');
  bitmap_->roaring.write(bytes.data());
  // A block of runs or of single members may reach past the last word only if
  // a member does.
  CHECK(empty() || bitmap_->roaring.maximum() < rows)
      << "a member past the rows";
  CopyPortable(bytes, words);
  return words;
}

void DocumentSet::Compress() {
  bitmap_->roaring.runOptimize();
  bitmap_->roaring.shrinkToFit();
}

size_t DocumentSet::memory_bytes() const {
  return sizeof(Bitmap) + bitmap_->roaring.getSizeInBytes();
}

bool operator==(const DocumentSet& a, const DocumentSet& b) {
  return a.bitmap_->roaring == b.bitmap_->roaring;
}

}  // namespace sextant
