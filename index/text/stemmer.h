// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

struct sb_stemmer;

namespace sextant {

// A Snowball stemmer, which remembers the words that it has seen. Owned by one
// thread at a time.
class Stemmer {
 public:
  // Null when there is none of this name. libstemmer must know it in UTF-8.
  static std::unique_ptr<Stemmer> Create(const std::string& language);
  ~Stemmer();

  // Replaces a word, folded to lower case, by its stem; the word itself when
  // libstemmer is out of memory.
  void Stem(std::string* word);

 private:
  explicit Stemmer(sb_stemmer* stemmer) : stemmer_(stemmer) {}

  sb_stemmer* stemmer_;
  absl::flat_hash_map<std::string, std::string> known_;
};

}  // namespace sextant
