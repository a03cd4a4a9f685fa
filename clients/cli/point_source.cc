// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/point_source.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"
#include "clients/formats/json_point.h"
#include "clients/formats/line_reader.h"
#include "clients/formats/vector_file.h"

namespace sextant::cli {
namespace {

constexpr uint64_t kReadNumbers = uint64_t{256} << 10U;

// The rows of a vector file in order, read in blocks.
class RowReader {
 public:
  explicit RowReader(std::unique_ptr<VectorFile> file)
      : file_(std::move(file)) {}

  const VectorFile& file() const { return *file_; }
  uint64_t position() const { return position_; }
  void Seek(uint64_t row) { position_ = row; }

  absl::StatusOr<std::vector<float>> Next() {
    const uint64_t dimension = file_->dimension();
    if (position_ < block_first_ || position_ >= block_first_ + block_rows_) {
      block_first_ = position_;
      block_rows_ =
          std::min(std::max<uint64_t>(1, kReadNumbers / dimension),
                   file_->rows() - std::min(position_, file_->rows()));
      block_.resize(block_rows_ * dimension);
      RETURN_IF_ERROR(file_->ReadRows(position_, block_));
    }
    const float* row = block_.data() + (position_ - block_first_) * dimension;
    ++position_;
    return std::vector<float>(row, row + dimension);
  }

 private:
  std::unique_ptr<VectorFile> file_;
  uint64_t position_ = 0;
  uint64_t block_first_ = 0;
  uint64_t block_rows_ = 0;
  std::vector<float> block_;
};

// A .npy or .fvecs file: ids are row numbers.
class VectorSource final : public PointSource {
 public:
  VectorSource(std::unique_ptr<VectorFile> file, uint64_t first_id)
      : rows_(std::move(file)), first_id_(first_id) {
    identity_.size_bytes = rows_.file().file().size_bytes();
    identity_.modified_ns = rows_.file().file().modified_ns();
    shape_.fields = {{"", rows_.file().dimension()}};
  }

  const SourceShape& shape() const override { return shape_; }
  const SourceIdentity& identity() const override { return identity_; }

  absl::StatusOr<bool> Next(client::Point* point) override {
    if (rows_.position() == rows_.file().rows()) {
      return false;
    }
    point->id = first_id_ + rows_.position();
    ASSIGN_OR_RETURN(std::vector<float> vector, rows_.Next());
    point->vectors.clear();
    point->sparse_vectors.clear();
    point->vectors.emplace("", std::move(vector));
    point->payload.clear();
    return true;
  }

  absl::Status Skip(uint64_t count) override {
    rows_.Seek(std::min(rows_.position() + count, rows_.file().rows()));
    return absl::OkStatus();
  }

  std::string where() const override {
    return absl::StrCat(rows_.file().file().path(), " row ",
                        rows_.position() - 1);
  }
  uint64_t total() const override { return rows_.file().rows(); }
  double fraction() const override { return -1; }

 private:
  RowReader rows_;
  const uint64_t first_id_;
  SourceShape shape_;
  SourceIdentity identity_;
};

// JSON lines, joined with the rows of a vector file if there is one. Empty
// lines are passed over.
class JsonSource final : public PointSource {
 public:
  JsonSource(LineReader lines, absl::optional<RowReader> rows,
             std::string id_field)
      : lines_(std::move(lines)),
        rows_(std::move(rows)),
        id_field_(std::move(id_field)) {
    identity_.size_bytes = lines_.size_bytes();
    identity_.modified_ns = lines_.modified_ns();
    if (rows_.has_value()) {
      identity_.vectors_size_bytes = rows_->file().file().size_bytes();
      identity_.vectors_modified_ns = rows_->file().file().modified_ns();
    }
  }

  // Reads the first point, which tells the shape.
  absl::Status Start() {
    first_.emplace();
    ASSIGN_OR_RETURN(const bool any, Read(&*first_));
    if (!any) {
      first_.reset();
      return absl::OkStatus();
    }
    if (std::holds_alternative<std::string>(first_->id)) {
      shape_.id_kind = client::IdKind::kString;
    }
    for (const auto& [name, vector] : first_->vectors) {
      shape_.fields.emplace_back(name, vector.size());
    }
    for (const auto& [name, vector] : first_->sparse_vectors) {
      shape_.sparse_fields.push_back(name);
    }
    return absl::OkStatus();
  }

  const SourceShape& shape() const override { return shape_; }
  const SourceIdentity& identity() const override { return identity_; }

  absl::StatusOr<bool> Next(client::Point* point) override {
    if (first_.has_value()) {
      *point = std::move(*first_);
      first_.reset();
      return true;
    }
    return Read(point);
  }

  absl::Status Skip(uint64_t count) override {
    if (count > 0 && first_.has_value()) {
      first_.reset();
      --count;
    }
    absl::string_view line;
    for (; count > 0; --count) {
      ASSIGN_OR_RETURN(const bool more, NextLine(&line));
      if (!more) {
        break;
      }
      ++points_read_;
    }
    if (rows_.has_value()) {
      rows_->Seek(points_read_);
    }
    return absl::OkStatus();
  }

  std::string where() const override {
    return absl::StrCat(lines_.name(), ":", lines_.line_number());
  }
  uint64_t total() const override {
    return rows_.has_value() ? rows_->file().rows() : 0;
  }
  double fraction() const override {
    return lines_.size_bytes() == 0
               ? -1
               : static_cast<double>(lines_.bytes_read()) /
                     static_cast<double>(lines_.size_bytes());
  }

 private:
  absl::StatusOr<bool> NextLine(absl::string_view* line) {
    while (true) {
      ASSIGN_OR_RETURN(const bool more, lines_.Next(line));
      if (!more || line->find_first_not_of(" \t") != absl::string_view::npos) {
        return more;
      }
    }
  }

  absl::Status CheckRowsLeft(bool more_lines) const {
    const uint64_t rows = rows_->file().rows();
    if (more_lines && points_read_ == rows) {
      return absl::InvalidArgumentError(
          absl::StrCat(where(), ": ", rows_->file().file().path(),
                       " has no row for this line, only ", rows, " rows"));
    }
    if (!more_lines && points_read_ < rows) {
      return absl::InvalidArgumentError(absl::StrCat(
          lines_.name(), ": ends after ", points_read_, " points, but ",
          rows_->file().file().path(), " has ", rows, " rows"));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Read(client::Point* point) {
    absl::string_view line;
    ASSIGN_OR_RETURN(const bool more, NextLine(&line));
    if (rows_.has_value()) {
      RETURN_IF_ERROR(CheckRowsLeft(more));
    }
    if (!more) {
      return false;
    }
    ASSIGN_OR_RETURN_WITH(JsonPoint json, ParseJsonPoint(line, id_field_),
                          where());
    if (json.id.has_value()) {
      point->id = *std::move(json.id);
    } else if (id_field_ == "id") {
      point->id = points_read_;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat(where(), ": has no key '", id_field_, "' for the id"));
    }
    point->payload = std::move(json.payload);
    point->vectors.clear();
    for (auto& [name, vector] : json.vectors) {
      point->vectors.insert_or_assign(name, std::move(vector));
    }
    point->sparse_vectors.clear();
    for (auto& [name, vector] : json.sparse_vectors) {
      point->sparse_vectors.insert_or_assign(
          name, client::SparseVector{std::move(vector.indices),
                                     std::move(vector.weights)});
    }
    if (rows_.has_value()) {
      ASSIGN_OR_RETURN(std::vector<float> vector, rows_->Next());
      point->vectors.insert_or_assign("", std::move(vector));
    }
    ++points_read_;
    return true;
  }

  LineReader lines_;
  absl::optional<RowReader> rows_;
  const std::string id_field_;
  uint64_t points_read_ = 0;
  absl::optional<client::Point> first_;
  SourceShape shape_;
  SourceIdentity identity_;
};

absl::StatusOr<std::unique_ptr<PointSource>> Open(
    const SourceOptions& options) {
  if (absl::EndsWithIgnoreCase(options.path, ".npy") ||
      absl::EndsWithIgnoreCase(options.path, ".fvecs")) {
    if (!options.vectors_path.empty()) {
      return UsageError("--vectors goes with a file of JSON lines");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<VectorFile> file,
                     OpenVectorFile(options.path));
    if (file->rows() > 0 && options.first_id > UINT64_MAX - file->rows() + 1) {
      return UsageError(absl::StrCat(
          "--first-id ", options.first_id, ": the ids of ", file->rows(),
          " rows would pass the largest one, ", UINT64_MAX));
    }
    return std::make_unique<VectorSource>(std::move(file), options.first_id);
  }
  if (options.first_id != 0) {
    return UsageError(
        "--first-id goes with a .npy or .fvecs file; lines carry their ids");
  }
  absl::optional<RowReader> rows;
  if (!options.vectors_path.empty()) {
    ASSIGN_OR_RETURN(std::unique_ptr<VectorFile> file,
                     OpenVectorFile(options.vectors_path));
    rows.emplace(std::move(file));
  }
  ASSIGN_OR_RETURN(LineReader lines, LineReader::Open(options.path));
  auto source = std::make_unique<JsonSource>(std::move(lines), std::move(rows),
                                             options.id_field);
  RETURN_IF_ERROR(source->Start());
  return source;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PointSource>> OpenPointSource(
    const SourceOptions& options) {
  absl::StatusOr<std::unique_ptr<PointSource>> source = Open(options);
  if (!source.ok() && ExitCodeOf(source.status()) != ExitCode::kUsage) {
    return InputError(source.status());
  }
  return source;
}

}  // namespace sextant::cli
