// SPDX-License-Identifier: Apache-2.0
#include "index/text/posting_block.h"

#include <array>

namespace sextant {
namespace {

using BlockValues = std::array<uint32_t, kBlockPostings>;

void AppendValues(const BlockValues& values, uint32_t count, uint32_t bits,
                  std::string* out) {
  if (count == kBlockPostings) {
    AppendPackedBlock(values.data(), bits, out);
  } else {
    AppendPackedRun(std::span(values).first(count), bits, out);
  }
}

void ReadValues(const char* in, uint32_t count, uint32_t bits,
                uint32_t* values) {
  if (count == kBlockPostings) {
    UnpackBlock(in, bits, values);
    return;
  }
  for (uint32_t i = 0; i < count; ++i) {
    values[i] = PackedRunAt(in, bits, i);
  }
}

}  // namespace

void AppendBlock(const BlockOfPostings& block, Ordinal before,
                 std::string* out) {
  const auto count = static_cast<uint32_t>(block.rows.size());
  BlockValues gaps{};
  for (uint32_t i = 0; i < count; ++i) {
    gaps[i] = block.rows[i] - before - 1;
    before = block.rows[i];
  }
  BlockValues counts{};
  for (uint32_t i = 0; i < block.tfs.size(); ++i) {
    counts[i] = block.tfs[i] - 1;
  }
  const uint32_t gap_bits = BitWidthOf(std::span(gaps).first(count));
  const uint32_t count_bits = BitWidthOf(std::span(counts).first(count));
  out->push_back(static_cast<char>(gap_bits));
  out->push_back(static_cast<char>(count_bits));
  AppendValues(gaps, count, gap_bits, out);
  if (block.weights.empty()) {
    AppendValues(counts, count, count_bits, out);
  } else {
    out->append(reinterpret_cast<const char*>(block.weights.data()),
                block.weights.size_bytes());
  }
}

void AppendBlockPositions(std::span<const uint32_t> tfs,
                          std::span<const uint32_t> positions,
                          std::string* out) {
  uint32_t all = 0;
  size_t i = 0;
  for (const uint32_t tf : tfs) {
    uint32_t before = 0;
    for (const size_t end = i + tf; i < end; ++i) {
      all |= positions[i] - before;
      before = positions[i];
    }
  }
  const uint32_t bits = BitWidth(all);
  out->push_back(static_cast<char>(bits));
  uint64_t pending = 0;
  uint32_t held = 0;
  i = 0;
  for (const uint32_t tf : tfs) {
    uint32_t before = 0;
    for (const size_t end = i + tf; i < end; ++i) {
      pending |= uint64_t{positions[i] - before} << held;
      before = positions[i];
      for (held += bits; held >= 8; held -= 8) {
        out->push_back(static_cast<char>(pending));
        pending >>= 8U;
      }
    }
  }
  if (held > 0) {
    out->push_back(static_cast<char>(pending));
  }
}

void ReadBlockRows(const char* block, uint32_t count, Ordinal before,
                   Ordinal* rows) {
  ReadValues(block + kBlockHeaderBytes, count, GapBits(block), rows);
  if (count == kBlockPostings) {
    RowsFromGaps(before, rows);
    return;
  }
  for (uint32_t i = 0; i < count; ++i) {
    before += rows[i] + 1;
    rows[i] = before;
  }
}

void ReadBlockCounts(const char* block, uint32_t count, uint32_t* tfs) {
  const uint32_t bits = CountBits(block);
  ReadValues(block + kBlockHeaderBytes + PackedBytes(count, GapBits(block)),
             count, bits, tfs);
  for (uint32_t i = 0; i < count; ++i) {
    ++tfs[i];
  }
}

}  // namespace sextant
