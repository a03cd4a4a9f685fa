// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/hubness_types.h"

namespace sextant::cli {

// {"source":1,"target":2,"score":1.25} and a line end.
std::string MinedLine(const client::MinedPair& pair);

// A file of mined pairs, a line each, and beside it, in FILE.state, how far it
// is: a kill leaves a file that can be continued. Used by one thread.
class MinedFile {
 public:
  // `what` says what is mined, so that nothing else is continued. Without
  // `resume` the file begins anew. With it what stands behind the last recorded
  // line is cut off; an error if there is no state, or that of something else.
  static absl::StatusOr<std::unique_ptr<MinedFile>> Open(
      const std::string& path, const std::string& what, bool resume);
  ~MinedFile();
  MinedFile(const MinedFile&) = delete;
  MinedFile& operator=(const MinedFile&) = delete;

  // Empty at the beginning.
  const std::string& resume_token() const { return token_; }
  uint64_t lines() const { return lines_; }

  // Writes the pairs, then how far it is.
  absl::Status Append(std::span<const client::MinedPair> pairs,
                      absl::string_view resume_token);
  // All is there: removes the state.
  absl::Status Finish();

 private:
  MinedFile(const std::string& path, const std::string& what);
  std::string StatePath() const { return path_ + ".state"; }
  absl::Status LoadState();
  absl::Status SaveState();

  const std::string path_;
  const std::string what_;
  std::FILE* file_ = nullptr;
  std::string token_;
  uint64_t lines_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace sextant::cli
