// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/vector_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/formats/fvecs.h"
#include "clients/formats/npy.h"

namespace sextant {

absl::StatusOr<std::unique_ptr<VectorFile>> OpenVectorFile(
    absl::string_view path) {
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  std::array<char, kNpyMagic.size()> start{};
  const size_t start_size = std::min<uint64_t>(start.size(), file.size_bytes());
  RETURN_IF_ERROR(file.ReadAt(0, start.data(), start_size));
  const bool is_npy = absl::string_view(start.data(), start_size) == kNpyMagic;
  if (is_npy || absl::EndsWithIgnoreCase(path, ".npy")) {
    return NpyFile::Open(std::move(file));
  }
  if (absl::EndsWithIgnoreCase(path, ".fvecs")) {
    return FvecsFile::Open(std::move(file));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": not a vector file; expected .npy or .fvecs"));
}

absl::Status CheckRowRange(const VectorFile& file, uint64_t first_row,
                           uint64_t out_size) {
  const uint64_t count = out_size / file.dimension();
  if (out_size % file.dimension() != 0) {
    return absl::InternalError("rows must be read whole");
  }
  if (first_row > file.rows() || count > file.rows() - first_row) {
    return absl::OutOfRangeError(
        absl::StrCat(file.file().path(), ": no row ",
                     first_row + (count > 0 ? count - 1 : 0), ", the file has ",
                     file.rows(), " rows (the first is 0)"));
  }
  return absl::OkStatus();
}

}  // namespace sextant
