// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

#include "clients/cpp/types.h"

namespace sextant::cli {

// What a search asks for, as it stands on the command line.
struct QueryOptions {
  // A JSON array, or "-" for arrays on standard input, one a line.
  std::string vector;
  // .npy, .fvecs, .json (an array, or an array of arrays), "-" as above.
  std::string vector_file;
  absl::optional<uint64_t> row;
  // A text file whose line i tells what row i of vector_file is.
  std::string text_file;
  // Which line to search for.
  std::string text;
};

// Query vectors, read when they are asked for. Owned and used by one thread.
class QuerySource {
 public:
  virtual ~QuerySource() = default;
  // How many queries there are.
  virtual uint64_t size() const = 0;
  // True when one query was asked for, so that its answer is shown alone.
  virtual bool single() const = 0;
  // `index` < size().
  virtual absl::StatusOr<std::vector<float>> Vector(uint64_t index) const = 0;
};

// UsageError when the options do not name exactly one way; InputError for
// what is wrong with a file.
absl::StatusOr<std::unique_ptr<QuerySource>> OpenQuerySource(
    const QueryOptions& options);

// The lines of a text file.
absl::StatusOr<std::vector<std::string>> ReadTexts(const std::string& path);

// Number of the line that is `text`, else of the only line that contains it;
// letters of either case. NOT_FOUND, or UsageError with some of the lines when
// several contain it.
absl::StatusOr<uint64_t> FindText(const std::vector<std::string>& lines,
                                  absl::string_view text);

}  // namespace sextant::cli
