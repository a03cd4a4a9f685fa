// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/formats/input_file.h"

namespace sextant {

// A file of vectors of one dimension, read as float rows. Owned by its reader;
// const calls are safe from many threads. Opening checks that the file is as
// long as it says, so that a cut file fails before anything is sent.
class VectorFile {
 public:
  virtual ~VectorFile() = default;

  virtual const InputFile& file() const = 0;
  virtual uint64_t rows() const = 0;
  // At least 1.
  virtual uint64_t dimension() const = 0;

  // Reads whole rows from `first_row` on, widened to float; out.size() is a
  // multiple of the dimension. OUT_OF_RANGE past the last row, DATA_LOSS for
  // what is broken.
  virtual absl::Status ReadRows(uint64_t first_row,
                                std::span<float> out) const = 0;
};

// Opens `path` by what it holds: NumPy's magic bytes, else the name's end
// (.fvecs). INVALID_ARGUMENT for any other file.
absl::StatusOr<std::unique_ptr<VectorFile>> OpenVectorFile(
    absl::string_view path);

// Shared by the formats: OUT_OF_RANGE unless the rows are inside the file.
absl::Status CheckRowRange(const VectorFile& file, uint64_t first_row,
                           uint64_t out_size);

}  // namespace sextant
