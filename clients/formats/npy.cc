// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/npy.h"

#include <fp16.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

// NumPy itself refuses headers above 10,000 bytes.
constexpr uint64_t kHeaderBytesMax = 65'536;
constexpr size_t kReadNumbersMax = 65'536;

// Reads the little of Python's literals that the format uses.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : text_(text) {}

  void SkipSpace() {
    while (at_ < text_.size() && absl::ascii_isspace(Byte())) {
      ++at_;
    }
  }

  bool Take(absl::string_view token) {
    SkipSpace();
    if (text_.substr(at_, token.size()) != token) {
      return false;
    }
    at_ += token.size();
    return true;
  }

  // A quoted string without escapes.
  absl::optional<absl::string_view> TakeString() {
    SkipSpace();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      return absl::nullopt;
    }
    const size_t end = text_.find(text_[at_], at_ + 1);
    if (end == absl::string_view::npos) {
      return absl::nullopt;
    }
    const absl::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }

  absl::optional<uint64_t> TakeNumber() {
    SkipSpace();
    uint64_t value = 0;
    const size_t start = at_;
    for (; at_ < text_.size() && absl::ascii_isdigit(Byte()); ++at_) {
      const uint64_t digit = static_cast<uint64_t>(text_[at_] - '0');
      if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10) {
        return absl::nullopt;
      }
      value = value * 10 + digit;
    }
    if (at_ == start) {
      return absl::nullopt;
    }
    return value;
  }

  size_t position() const { return at_; }

 private:
  unsigned char Byte() const { return static_cast<unsigned char>(text_[at_]); }

  absl::string_view text_;
  size_t at_ = 0;
};

absl::Status Broken(const Cursor& cursor, absl::string_view expected) {
  return absl::DataLossError(absl::StrCat("broken .npy header: expected ",
                                          expected, " at byte ",
                                          cursor.position(), " of its text"));
}

absl::Status ParseType(absl::string_view descr, NpyHeader* header) {
  if (descr == "<f2") {
    header->type = NpyType::kFloat16;
  } else if (descr == "<f4") {
    header->type = NpyType::kFloat32;
  } else if (descr == "<f8") {
    header->type = NpyType::kFloat64;
  } else if (descr == "<i4") {
    header->type = NpyType::kInt32;
  } else if (descr == "<i8") {
    header->type = NpyType::kInt64;
  } else if (!descr.empty() && descr[0] == '>') {
    return absl::InvalidArgumentError(absl::StrCat(
        "element type '", descr, "' is big-endian; save it with .astype('<",
        descr.substr(1), "')"));
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("element type '", descr,
                     "' is not supported; save it as float16, "
                     "float32 or float64"));
  }
  return absl::OkStatus();
}

absl::Status ParseDescr(Cursor* cursor, NpyHeader* header) {
  if (cursor->Take("[")) {
    return absl::InvalidArgumentError(
        "structured element types are not supported; save plain float16, "
        "float32 or float64");
  }
  const absl::optional<absl::string_view> descr = cursor->TakeString();
  if (!descr.has_value()) {
    return Broken(*cursor, "an element type");
  }
  return ParseType(*descr, header);
}

absl::Status ParseOrder(Cursor* cursor) {
  if (cursor->Take("True")) {
    return absl::InvalidArgumentError(
        "the array is in Fortran order; save it with "
        "numpy.ascontiguousarray");
  }
  return cursor->Take("False") ? absl::OkStatus()
                               : Broken(*cursor, "True or False");
}

absl::Status ParseShape(Cursor* cursor, NpyHeader* header) {
  if (!cursor->Take("(")) {
    return Broken(*cursor, "a shape");
  }
  std::array<uint64_t, 2> axes{};
  size_t count = 0;
  bool closed = cursor->Take(")");
  while (!closed) {
    const absl::optional<uint64_t> axis = cursor->TakeNumber();
    if (!axis.has_value()) {
      return Broken(*cursor, "a number in the shape");
    }
    if (count < axes.size()) {
      axes[count] = *axis;
    }
    ++count;
    const bool comma = cursor->Take(",");
    closed = cursor->Take(")");
    if (!comma && !closed) {
      return Broken(*cursor, "',' or ')' in the shape");
    }
  }
  if (count != 1 && count != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("the array has ", count,
                     " axes; expected 2 (rows of vectors) or 1 (one vector)"));
  }
  header->rows = count == 2 ? axes[0] : 1;
  header->columns = count == 2 ? axes[1] : axes[0];
  return absl::OkStatus();
}

// Checks the promised size against the real one without overflowing.
absl::Status CheckSize(const InputFile& file, const NpyHeader& header) {
  if (header.columns == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": its rows have no numbers"));
  }
  if (header.rows == 0) {
    return absl::OkStatus();
  }
  const uint64_t present = file.size_bytes() - header.data_offset;
  const uint64_t item = NpyTypeSize(header.type);
  if (header.columns > present / item) {
    return absl::DataLossError(absl::StrCat(
        file.path(), ": truncated: the header promises rows of ",
        header.columns, " numbers of ", item, " bytes from offset ",
        header.data_offset, ", the file ends at byte ", file.size_bytes()));
  }
  const uint64_t row = header.columns * item;
  if (header.rows > present / row) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": truncated: the header promises ",
                     header.rows, " rows of ", row, " bytes from offset ",
                     header.data_offset, ", the file ends at byte ",
                     file.size_bytes(), " in row ", present / row));
  }
  return absl::OkStatus();
}

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// Numbers too big for a float become infinite, which the server refuses.
float Narrow(double number) {
  if (std::fabs(number) > std::numeric_limits<float>::max()) {
    return std::copysign(std::numeric_limits<float>::infinity(),
                         static_cast<float>(number > 0 ? 1 : -1));
  }
  return static_cast<float>(number);
}

void Widen(NpyType type, const char* from, std::span<float> out) {
  switch (type) {
    case NpyType::kFloat16:
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = fp16_ieee_to_fp32_value(Load<uint16_t>(from + 2 * i));
      }
      break;
    case NpyType::kFloat64:
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = Narrow(Load<double>(from + 8 * i));
      }
      break;
    default:
      std::memcpy(out.data(), from, out.size_bytes());
      break;
  }
}

}  // namespace

uint64_t NpyTypeSize(NpyType type) {
  switch (type) {
    case NpyType::kFloat16:
      return 2;
    case NpyType::kFloat32:
    case NpyType::kInt32:
      return 4;
    case NpyType::kFloat64:
    case NpyType::kInt64:
      return 8;
  }
  return 8;
}

absl::StatusOr<NpyHeader> ParseNpyDictionary(absl::string_view text) {
  NpyHeader header;
  bool has_type = false;
  bool has_shape = false;
  bool has_order = false;
  Cursor cursor(text);
  if (!cursor.Take("{")) {
    return Broken(cursor, "'{'");
  }
  bool closed = cursor.Take("}");
  while (!closed) {
    const absl::optional<absl::string_view> key = cursor.TakeString();
    if (!key.has_value() || !cursor.Take(":")) {
      return Broken(cursor, "a key and ':'");
    }
    if (*key == "descr") {
      RETURN_IF_ERROR(ParseDescr(&cursor, &header));
      has_type = true;
    } else if (*key == "fortran_order") {
      RETURN_IF_ERROR(ParseOrder(&cursor));
      has_order = true;
    } else if (*key == "shape") {
      RETURN_IF_ERROR(ParseShape(&cursor, &header));
      has_shape = true;
    } else {
      return Broken(cursor, "the key descr, fortran_order or shape");
    }
    const bool comma = cursor.Take(",");
    closed = cursor.Take("}");
    if (!comma && !closed) {
      return Broken(cursor, "',' or '}'");
    }
  }
  if (!has_type || !has_shape || !has_order) {
    return Broken(cursor, "descr, fortran_order and shape");
  }
  return header;
}

absl::StatusOr<NpyHeader> ReadNpyHeader(const InputFile& file) {
  // Magic, version, and a length of 2 bytes (version 1) or 4 (2 and 3).
  std::array<unsigned char, 12> start{};
  if (file.size_bytes() < start.size()) {
    return absl::DataLossError(absl::StrCat(
        file.path(), ": truncated: a .npy header has at least ", start.size(),
        " bytes, the file ends at byte ", file.size_bytes()));
  }
  RETURN_IF_ERROR(file.ReadAt(0, start.data(), start.size()));
  if (std::memcmp(start.data(), kNpyMagic.data(), kNpyMagic.size()) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.path(), ": not a .npy file: no NumPy magic at offset 0"));
  }
  const int version = start[6];
  if (version < 1 || version > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": .npy format version ", version,
                     " is not supported, 1 to 3 are"));
  }
  uint64_t text_size = start[8] | (uint64_t{start[9]} << 8);
  uint64_t text_offset = 10;
  if (version > 1) {
    text_size |= (uint64_t{start[10]} << 16) | (uint64_t{start[11]} << 24);
    text_offset = 12;
  }
  if (text_size > file.size_bytes() - text_offset) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": truncated: the header's text has ",
                     text_size, " bytes from offset ", text_offset,
                     ", the file ends at byte ", file.size_bytes()));
  }
  if (text_size > kHeaderBytesMax) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": broken .npy header: ", text_size,
                     " bytes of text, limit ", kHeaderBytesMax));
  }
  std::string text(text_size, '\0');
  RETURN_IF_ERROR(file.ReadAt(text_offset, text.data(), text.size()));
  ASSIGN_OR_RETURN_WITH(NpyHeader header, ParseNpyDictionary(text),
                        file.path());
  header.data_offset = text_offset + text_size;
  RETURN_IF_ERROR(CheckSize(file, header));
  return header;
}

absl::StatusOr<std::unique_ptr<VectorFile>> NpyFile::Open(InputFile file) {
  ASSIGN_OR_RETURN(const NpyHeader header, ReadNpyHeader(file));
  if (header.type == NpyType::kInt32 || header.type == NpyType::kInt64) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(),
                     ": holds integers, not vectors; expected "
                     "float16, float32 or float64"));
  }
  return std::unique_ptr<VectorFile>(new NpyFile(std::move(file), header));
}

absl::Status NpyFile::ReadRows(uint64_t first_row, std::span<float> out) const {
  RETURN_IF_ERROR(CheckRowRange(*this, first_row, out.size()));
  const uint64_t item = NpyTypeSize(header_.type);
  uint64_t offset = header_.data_offset + first_row * header_.columns * item;
  std::vector<char> bytes(std::min(out.size(), kReadNumbersMax) * item);
  while (!out.empty()) {
    const size_t count = std::min(out.size(), kReadNumbersMax);
    RETURN_IF_ERROR(file_.ReadAt(offset, bytes.data(), count * item));
    Widen(header_.type, bytes.data(), out.first(count));
    out = out.subspan(count);
    offset += count * item;
  }
  return absl::OkStatus();
}

}  // namespace sextant
