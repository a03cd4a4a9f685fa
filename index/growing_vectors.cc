// SPDX-License-Identifier: Apache-2.0
#include "index/growing_vectors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/status_macros.h"
#include "index/aligned_array.h"
#include "index/distance.h"
#include "index/scan.h"

namespace sextant {
namespace {

// Chunk c holds kFirstRows << c rows.
constexpr uint32_t kFirstRows = 8;
constexpr uint32_t kChunks = 30;

struct Chunk {
  AlignedArray<float> vectors;
  AlignedArray<Ordinal> ordinals;
};

struct Place {
  uint32_t chunk = 0;
  uint32_t row = 0;  // inside the chunk
};

// First row of a chunk.
constexpr uint64_t ChunkBegin(uint32_t chunk) {
  return uint64_t{kFirstRows} * ((uint64_t{1} << chunk) - 1);
}

Place Locate(uint32_t row) {
  const auto chunk =
      static_cast<uint32_t>(std::bit_width(row / kFirstRows + 1U) - 1);
  return {chunk, static_cast<uint32_t>(row - ChunkBegin(chunk))};
}

}  // namespace

struct GrowingVectors::Rep {
  VectorShape shape;
  uint32_t max_rows;
  size_t stride;
  // Readers touch only chunks of rows that were published to them, so the
  // array itself never moves and needs no lock.
  std::array<Chunk, kChunks> chunks;
  uint32_t rows = 0;  // writer only
  uint64_t size_bytes = 0;
};

GrowingVectors::GrowingVectors(VectorShape shape, uint32_t max_rows)
    : rep_(std::make_unique<Rep>(Rep{.shape = shape,
                                     .max_rows = max_rows,
                                     .stride = PaddedStride(shape.dimension),
                                     .chunks = {},
                                     .rows = 0,
                                     .size_bytes = sizeof(Rep)})) {}

GrowingVectors::~GrowingVectors() = default;

void GrowingVectors::Append(std::span<const float> vector, Ordinal ordinal) {
  Rep& rep = *rep_;
  CHECK_LT(rep.rows, rep.max_rows) << "the growing segment is full";
  CHECK_EQ(vector.size(), rep.shape.dimension);
  const Place place = Locate(rep.rows);
  CHECK_LT(place.chunk, kChunks);
  Chunk& chunk = rep.chunks[place.chunk];
  if (chunk.vectors.size() == 0) {
    const uint64_t rows =
        std::min<uint64_t>(uint64_t{kFirstRows} << place.chunk,
                           rep.max_rows - ChunkBegin(place.chunk));
    chunk.vectors = AlignedArray<float>::Uninitialized(rows * rep.stride);
    chunk.ordinals = AlignedArray<Ordinal>::Uninitialized(rows);
    rep.size_bytes += chunk.vectors.size_bytes() + chunk.ordinals.size_bytes();
  }
  float* const row = chunk.vectors.data() + place.row * rep.stride;
  std::memcpy(row, vector.data(), vector.size_bytes());
  std::fill(row + vector.size(), row + rep.stride, 0.0F);
  chunk.ordinals.data()[place.row] = ordinal;
  ++rep.rows;
}

uint32_t GrowingVectors::dimension() const {
  return rep_->shape.dimension;
}

uint32_t GrowingVectors::rows() const {
  return rep_->rows;
}

const float* GrowingVectors::row_vector(uint32_t row) const {
  const Place place = Locate(row);
  return rep_->chunks[place.chunk].vectors.data() + place.row * rep_->stride;
}

std::vector<float> GrowingVectors::CopyVectors(uint32_t first,
                                               uint32_t count) const {
  const uint32_t dimension = rep_->shape.dimension;
  std::vector<float> numbers(size_t{count} * dimension);
  for (uint32_t i = 0; i < count; ++i) {
    std::memcpy(numbers.data() + size_t{i} * dimension, row_vector(first + i),
                dimension * sizeof(float));
  }
  return numbers;
}

Ordinal GrowingVectors::row_ordinal(uint32_t row) const {
  const Place place = Locate(row);
  return rep_->chunks[place.chunk].ordinals.data()[place.row];
}

uint64_t GrowingVectors::size_bytes() const {
  return rep_->size_bytes;
}

absl::Status GrowingVectors::Scan(const VectorQuery& query,
                                  uint32_t visible_rows,
                                  const RowFilter& filter,
                                  const RequestContext& context, TopK& top,
                                  SearchWork& work) const {
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  for (uint32_t c = 0; c < kChunks && ChunkBegin(c) < visible_rows; ++c) {
    const Chunk& chunk = rep_->chunks[c];
    const uint64_t rows = std::min<uint64_t>(uint64_t{kFirstRows} << c,
                                             visible_rows - ChunkBegin(c));
    ScanRequest request{rep_->shape, query.vector, filter, context, query.bias};
    if (request.bias.is_set()) {
      request.bias.by_row += ChunkBegin(c);
    }
    RETURN_IF_ERROR(ScanBlock(request,
                              {chunk.vectors.data(), chunk.ordinals.data(),
                               static_cast<uint32_t>(rows)},
                              top, work));
  }
  return absl::OkStatus();
}

}  // namespace sextant
