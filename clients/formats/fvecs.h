// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/formats/input_file.h"
#include "clients/formats/vector_file.h"

namespace sextant {

// A .fvecs file (the format of the TEXMEX sets): each row is its dimension as
// a little-endian int32, then so many float32. All rows must have
// the same dimension.
class FvecsFile final : public VectorFile {
 public:
  // DATA_LOSS when the file ends inside a row, INVALID_ARGUMENT when the first
  // dimension is not positive.
  static absl::StatusOr<std::unique_ptr<VectorFile>> Open(InputFile file);

  const InputFile& file() const override { return file_; }
  uint64_t rows() const override { return rows_; }
  uint64_t dimension() const override { return dimension_; }
  absl::Status ReadRows(uint64_t first_row,
                        std::span<float> out) const override;

 private:
  FvecsFile(InputFile file, uint64_t rows, uint64_t dimension)
      : file_(std::move(file)), rows_(rows), dimension_(dimension) {}

  InputFile file_;
  uint64_t rows_;
  uint64_t dimension_;
};

}  // namespace sextant
