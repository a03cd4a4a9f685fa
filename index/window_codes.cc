// SPDX-License-Identifier: Apache-2.0
#include "index/window_codes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace sextant {
namespace {

constexpr uint32_t kMagic = 0x43575853;  // "SXWC"
constexpr size_t kBlockTailBytes = 2 * kBlockRows * sizeof(float);

size_t ChunksOf(const CodesHeader& header) {
  return (CodesLayout::CodeBytes(header) + 3) / 4;
}

size_t BlockBytes(const CodesHeader& header) {
  return ChunksOf(header) * kChunkBytes + kBlockTailBytes;
}

uint64_t BlocksOf(uint64_t ranks) {
  return (ranks + kBlockRows - 1) / kBlockRows;
}

uint64_t TotalBytes(const CodesHeader& header) {
  return CodesLayout::RowsAt(header.dimension) +
         BlocksOf(header.nodes) * BlockBytes(header);
}

}  // namespace

absl::StatusOr<WindowCodes> WindowCodes::Open(VectorShape shape, uint32_t ranks,
                                              absl::string_view bytes) {
  WindowCodes codes;
  CodesHeader& header = codes.header_;
  if (bytes.size() < CodesLayout::RowsAt(shape.dimension)) {
    return absl::DataLossError("window codes: shorter than their header");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kMagic || header.version != CodesLayout::kVersion ||
      header.metric != static_cast<uint32_t>(shape.metric) ||
      header.dimension != shape.dimension || header.nodes != ranks ||
      (header.bits != 4 && header.bits != 8) ||
      header.stride != CodesLayout::Stride(header) ||
      bytes.size() != TotalBytes(header)) {
    return absl::DataLossError(absl::StrCat(
        "window codes: ", bytes.size(), " bytes do not fit dimension ",
        shape.dimension, " and ", ranks, " ranks"));
  }
  codes.is_l2_ = shape.metric == Metric::kL2;
  codes.encoder_ = QueryEncoder(
      header,
      reinterpret_cast<const float*>(bytes.data() + CodesLayout::kHeaderBytes));
  codes.blocks_ = {reinterpret_cast<const uint8_t*>(
                       bytes.data() + CodesLayout::RowsAt(shape.dimension)),
                   ChunksOf(header), BlockBytes(header),
                   static_cast<size_t>(BlocksOf(ranks))};
  return codes;
}

void WindowCodes::Distances(const CodedQuery& query, uint32_t first,
                            uint32_t count, float* out) const {
  constexpr uint32_t kStep = 8;  // blocks
  std::array<int32_t, kStep * kBlockRows> products;
  const float factor = query.weight * static_cast<float>(query.factor);
  const float offset = query.weight * static_cast<float>(query.offset);
  for (uint32_t done = 0; done < count; done += kStep) {
    CodeBlocks step = blocks_;
    step.count = std::min(kStep, count - done);
    step.bytes += (uint64_t{first} + done) * step.step;
    if (header_.bits == 8) {
      Kernels().code_dot_blocks(query.codes.data(), step, products.data());
    } else {
      Kernels().nibble_dot_blocks(query.codes.data(), header_.stride, step,
                                  products.data());
    }
    for (size_t block = 0; block < step.count; ++block, out += kBlockRows) {
      const auto* const scales = reinterpret_cast<const float*>(
          step.bytes + block * step.step + step.chunks * kChunkBytes);
      const float* const norms = scales + kBlockRows;
      const int32_t* const product = products.data() + block * kBlockRows;
      for (size_t row = 0; row < kBlockRows; ++row) {
        out[row] =
            query.base +
            scales[row] * (factor * static_cast<float>(product[row]) - offset);
      }
      if (is_l2_) {
        for (size_t row = 0; row < kBlockRows; ++row) {
          out[row] += norms[row];
        }
      }
    }
  }
}

AlignedBytes BuildWindowCodes(const AlignedBytes& codes,
                              std::span<const uint32_t> rows) {
  CodesHeader header;
  CHECK_GE(codes.size(), sizeof(header));
  std::memcpy(&header, codes.data(), sizeof(header));
  CHECK(header.bits == 4 || header.bits == 8) << " bits " << header.bits;
  const uint32_t source_rows = header.nodes;
  const size_t rows_at = CodesLayout::RowsAt(header.dimension);
  const size_t code_bytes = CodesLayout::CodeBytes(header);
  const char* const tails = codes.data() + CodesLayout::TailsAt(header);
  const size_t tail_step = CodesLayout::TailStep(header);

  header.magic = kMagic;
  header.nodes = static_cast<uint32_t>(rows.size());
  AlignedBytes result(TotalBytes(header));
  std::memcpy(result.data(), codes.data(), rows_at);
  std::memcpy(result.data(), &header, sizeof(header));
  for (size_t rank = 0; rank < rows.size(); ++rank) {
    if (rows[rank] == VectorIndex::kNoRow) {
      continue;
    }
    CHECK_LT(rows[rank], source_rows);
    char* const block =
        result.data() + rows_at + rank / kBlockRows * BlockBytes(header);
    const size_t in_block = rank % kBlockRows;
    const char* const row =
        codes.data() + rows_at + uint64_t{rows[rank]} * header.stride;
    for (size_t i = 0; i < code_bytes; i += 4) {
      std::memcpy(block + i / 4 * kChunkBytes + 4 * in_block, row + i,
                  std::min<size_t>(4, code_bytes - i));
    }
    CodesLayout::RowTail tail;
    std::memcpy(&tail, tails + rows[rank] * tail_step, sizeof(tail));
    char* const block_tail = block + ChunksOf(header) * kChunkBytes;
    std::memcpy(block_tail + in_block * sizeof(float), &tail.scale,
                sizeof(float));
    std::memcpy(block_tail + (kBlockRows + in_block) * sizeof(float),
                &tail.squared_norm, sizeof(float));
  }
  return result;
}

}  // namespace sextant
