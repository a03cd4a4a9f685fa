// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/posting_writer.h"
#include "index/text/term_dictionary.h"

namespace sextant {

// Puts the file together from terms in ascending order, each with all its
// postings. Owned by one thread.
class TextIndexWriter {
 public:
  // `lengths`: tokens by row.
  TextIndexWriter(bool positions, std::vector<uint32_t> lengths);

  void Add(absl::string_view term, const TermPostings& postings);
  absl::StatusOr<std::string> Finish() &&;

 private:
  std::vector<uint32_t> lengths_;
  PostingWriter postings_;
  TermDictionaryBuilder dictionary_;
};

}  // namespace sextant
