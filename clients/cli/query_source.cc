// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/query_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"
#include "clients/formats/json_point.h"
#include "clients/formats/line_reader.h"
#include "clients/formats/vector_file.h"

namespace sextant::cli {
namespace {

constexpr size_t kExamplesMax = 5;

// Vectors that came as JSON.
class ListedQueries final : public QuerySource {
 public:
  ListedQueries(std::vector<std::vector<float>> vectors, bool single)
      : vectors_(std::move(vectors)), single_(single) {}

  uint64_t size() const override { return vectors_.size(); }
  bool single() const override { return single_; }
  absl::StatusOr<std::vector<float>> Vector(uint64_t index) const override {
    return vectors_[index];
  }

 private:
  const std::vector<std::vector<float>> vectors_;
  const bool single_;
};

// All rows of a vector file, or one of them.
class FileQueries final : public QuerySource {
 public:
  FileQueries(std::unique_ptr<VectorFile> file, absl::optional<uint64_t> row)
      : file_(std::move(file)), row_(row) {}

  uint64_t size() const override { return single() ? 1 : file_->rows(); }
  bool single() const override { return row_.has_value(); }
  absl::StatusOr<std::vector<float>> Vector(uint64_t index) const override {
    const uint64_t row = row_.value_or(index);
    // Before the dimension sizes anything.
    RETURN_IF_ERROR(InputError(CheckRowRange(*file_, row, file_->dimension())));
    std::vector<float> vector(file_->dimension());
    RETURN_IF_ERROR(InputError(file_->ReadRows(row, vector)));
    return vector;
  }

 private:
  const std::unique_ptr<VectorFile> file_;
  const absl::optional<uint64_t> row_;
};

absl::StatusOr<std::vector<std::vector<float>>> VectorsOfLines(
    LineReader lines) {
  std::vector<std::vector<float>> vectors;
  absl::string_view line;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) {
      return vectors;
    }
    if (absl::StripAsciiWhitespace(line).empty()) {
      continue;
    }
    ASSIGN_OR_RETURN_WITH(std::vector<float> vector, ParseJsonVector(line),
                          absl::StrCat(lines.name(), ":", lines.line_number()));
    vectors.push_back(std::move(vector));
  }
}

// A .json file may spread over lines, so it is joined first.
absl::StatusOr<std::vector<std::vector<float>>> VectorsOfJson(
    LineReader lines) {
  std::string text;
  absl::string_view line;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) {
      break;
    }
    if (text.size() + line.size() > LineReader::kLineBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(lines.name(), ": over the limit of ",
                       LineReader::kLineBytesMax, " bytes"));
    }
    absl::StrAppend(&text, line, "\n");
  }
  auto vectors = ParseJsonVectors(text);
  RETURN_IF_ERROR_WITH(vectors.status(), lines.name());
  return vectors;
}

absl::StatusOr<std::unique_ptr<QuerySource>> FromJsonInput(
    const std::string& path, absl::optional<uint64_t> row) {
  absl::StatusOr<LineReader> lines = LineReader::Open(path);
  RETURN_IF_ERROR(InputError(lines.status()));
  const bool whole_file = absl::EndsWithIgnoreCase(path, ".json");
  absl::StatusOr<std::vector<std::vector<float>>> vectors =
      whole_file ? VectorsOfJson(*std::move(lines))
                 : VectorsOfLines(*std::move(lines));
  RETURN_IF_ERROR(InputError(vectors.status()));
  if (row.has_value()) {
    if (*row >= vectors->size()) {
      return InputError(absl::OutOfRangeError(
          absl::StrCat(path, ": no row ", *row, ", there are ", vectors->size(),
                       " (the first is 0)")));
    }
    *vectors = {(*vectors)[*row]};
  }
  const bool single = vectors->size() == 1;
  return std::make_unique<ListedQueries>(*std::move(vectors), single);
}

absl::StatusOr<absl::optional<uint64_t>> ChooseRow(
    const QueryOptions& options) {
  if (options.text.empty()) {
    return options.row;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                   ReadTexts(options.text_file));
  absl::StatusOr<uint64_t> row = FindText(lines, options.text);
  RETURN_IF_ERROR_WITH(row.status(), options.text_file);
  return absl::optional<uint64_t>(*row);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadTexts(const std::string& path) {
  absl::StatusOr<LineReader> lines = LineReader::Open(path);
  RETURN_IF_ERROR(InputError(lines.status()));
  std::vector<std::string> texts;
  absl::string_view line;
  while (true) {
    const absl::StatusOr<bool> more = lines->Next(&line);
    RETURN_IF_ERROR(InputError(more.status()));
    if (!*more) {
      return texts;
    }
    texts.emplace_back(line);
  }
}

absl::StatusOr<uint64_t> FindText(const std::vector<std::string>& lines,
                                  absl::string_view text) {
  const std::string wanted = absl::AsciiStrToLower(text);
  std::vector<uint64_t> containing;
  for (uint64_t i = 0; i < lines.size(); ++i) {
    const std::string line = absl::AsciiStrToLower(lines[i]);
    if (line == wanted) {
      return i;
    }
    if (absl::StrContains(line, wanted)) {
      containing.push_back(i);
    }
  }
  if (containing.size() == 1) {
    return containing[0];
  }
  if (containing.empty()) {
    return InputError(absl::NotFoundError(absl::StrCat(
        "no line contains '", text, "'; --list-queries shows all of them")));
  }
  std::string message =
      absl::StrCat(containing.size(), " lines contain '", text, "':");
  for (size_t i = 0; i < std::min(containing.size(), kExamplesMax); ++i) {
    absl::StrAppend(&message, i == 0 ? " '" : ", '", lines[containing[i]], "'");
  }
  return UsageError(message);
}

namespace {

absl::StatusOr<std::unique_ptr<QuerySource>> Open(const std::string& path,
                                                  const QueryOptions& options) {
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> row, ChooseRow(options));
  if (path == "-" || absl::EndsWithIgnoreCase(path, ".json") ||
      absl::EndsWithIgnoreCase(path, ".jsonl")) {
    return FromJsonInput(path, row);
  }
  absl::StatusOr<std::unique_ptr<VectorFile>> file = OpenVectorFile(path);
  RETURN_IF_ERROR(InputError(file.status()));
  return std::make_unique<FileQueries>(*std::move(file), row);
}

}  // namespace

absl::StatusOr<std::unique_ptr<QuerySource>> OpenQuerySource(
    const QueryOptions& options) {
  if (!options.text.empty() &&
      (options.text_file.empty() || options.vector_file.empty())) {
    return UsageError(
        "--query needs --query-text-file and --vector-file: line i of the one "
        "names row i of the other (the server does not turn text into "
        "vectors)");
  }
  if (options.vector.empty() == options.vector_file.empty()) {
    return UsageError(
        "name one of --vector, --vector-file and --id to search for");
  }
  if (!options.vector.empty() && options.vector != "-") {
    const absl::StatusOr<std::vector<float>> vector =
        ParseJsonVector(options.vector);
    if (!vector.ok()) {
      return UsageError(absl::StrCat("--vector: ", vector.status().message()));
    }
    return std::make_unique<ListedQueries>(
        std::vector<std::vector<float>>{*vector}, /*single=*/true);
  }
  const std::string& path =
      options.vector.empty() ? options.vector_file : options.vector;
  ASSIGN_OR_RETURN(std::unique_ptr<QuerySource> queries, Open(path, options));
  if (queries->size() == 0) {
    // In a pipe, most often the sign that what makes the vectors failed.
    return InputError(absl::InvalidArgumentError(
        absl::StrCat(path == "-" ? "standard input" : path,
                     ": holds no vector to search for")));
  }
  return queries;
}

}  // namespace sextant::cli
