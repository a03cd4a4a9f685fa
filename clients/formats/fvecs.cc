// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/fvecs.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr uint64_t kReadBytesMax = uint64_t{256} << 10U;

}  // namespace

absl::StatusOr<std::unique_ptr<VectorFile>> FvecsFile::Open(InputFile file) {
  int32_t dimension = 0;
  if (file.size_bytes() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": an empty file has no dimension"));
  }
  RETURN_IF_ERROR(file.ReadAt(0, &dimension, sizeof(dimension)));
  if (dimension <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": not a .fvecs file: dimension ", dimension,
                     " at offset 0"));
  }
  const uint64_t row_bytes = 4 + 4 * static_cast<uint64_t>(dimension);
  const uint64_t rows = file.size_bytes() / row_bytes;
  if (file.size_bytes() % row_bytes != 0) {
    return absl::DataLossError(absl::StrCat(
        file.path(), ": truncated: rows have ", row_bytes, " bytes (dimension ",
        dimension, "), the file ends at byte ", file.size_bytes(), " in row ",
        rows));
  }
  return std::unique_ptr<VectorFile>(
      new FvecsFile(std::move(file), rows, static_cast<uint64_t>(dimension)));
}

absl::Status FvecsFile::ReadRows(uint64_t first_row,
                                 std::span<float> out) const {
  RETURN_IF_ERROR(CheckRowRange(*this, first_row, out.size()));
  const uint64_t row_bytes = 4 + 4 * dimension_;
  const uint64_t count = out.size() / dimension_;
  const uint64_t step = std::max<uint64_t>(1, kReadBytesMax / row_bytes);
  std::vector<char> bytes(std::min(count, step) * row_bytes);
  for (uint64_t done = 0; done < count; done += step) {
    const uint64_t rows = std::min(step, count - done);
    const uint64_t offset = (first_row + done) * row_bytes;
    RETURN_IF_ERROR(file_.ReadAt(offset, bytes.data(), rows * row_bytes));
    for (uint64_t row = 0; row < rows; ++row) {
      const char* from = bytes.data() + row * row_bytes;
      int32_t dimension = 0;
      std::memcpy(&dimension, from, sizeof(dimension));
      if (dimension < 0 || static_cast<uint64_t>(dimension) != dimension_) {
        return absl::DataLossError(absl::StrCat(
            file_.path(), ": row ", first_row + done + row, " at offset ",
            offset + row * row_bytes, " has dimension ", dimension,
            ", the first row has ", dimension_));
      }
      std::memcpy(out.data() + (done + row) * dimension_, from + 4,
                  4 * dimension_);
    }
  }
  return absl::OkStatus();
}

}  // namespace sextant
