// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/formats/input_file.h"
#include "clients/formats/vector_file.h"

namespace sextant {

inline constexpr absl::string_view kNpyMagic = "\x93NUMPY";

// What the numbers of a .npy file are; all little-endian.
enum class NpyType { kFloat16, kFloat32, kFloat64, kInt32, kInt64 };

uint64_t NpyTypeSize(NpyType type);

// The header of a .npy file, format versions 1, 2 and 3.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  // A one-dimensional array of n numbers is one row of n columns.
  uint64_t rows = 0;
  uint64_t columns = 0;
  // Where the numbers start, bytes.
  uint64_t data_offset = 0;
};

// Reads the header at the start of a file and checks it against the file's
// size; nothing is allocated by a number the header holds. INVALID_ARGUMENT
// for what NumPy can write and we cannot read (Fortran order, big-endian,
// other element types, other numbers of axes), DATA_LOSS for what is cut off or
// broken.
absl::StatusOr<NpyHeader> ReadNpyHeader(const InputFile& file);

// Parses the header's text, a Python dictionary like
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }. The result has
// no data_offset.
absl::StatusOr<NpyHeader> ParseNpyDictionary(absl::string_view text);

// A NumPy array of float16, float32 or float64 rows.
class NpyFile final : public VectorFile {
 public:
  static absl::StatusOr<std::unique_ptr<VectorFile>> Open(InputFile file);

  const InputFile& file() const override { return file_; }
  uint64_t rows() const override { return header_.rows; }
  uint64_t dimension() const override { return header_.columns; }
  absl::Status ReadRows(uint64_t first_row,
                        std::span<float> out) const override;

 private:
  NpyFile(InputFile file, const NpyHeader& header)
      : file_(std::move(file)), header_(header) {}

  InputFile file_;
  NpyHeader header_;
};

}  // namespace sextant
