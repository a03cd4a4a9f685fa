// SPDX-License-Identifier: Apache-2.0
#include "index/text/stemmer.h"

#include <libstemmer.h>

namespace sextant {
namespace {

// Then all are forgotten: a few megabytes.
constexpr size_t kKnownMax = 16'384;
constexpr size_t kKnownBytesMax = 32;

}  // namespace

std::unique_ptr<Stemmer> Stemmer::Create(const std::string& language) {
  sb_stemmer* stemmer = sb_stemmer_new(language.c_str(), "UTF_8");
  return stemmer == nullptr ? nullptr
                            : std::unique_ptr<Stemmer>(new Stemmer(stemmer));
}

Stemmer::~Stemmer() {
  sb_stemmer_delete(stemmer_);
}

void Stemmer::Stem(std::string* word) {
  const auto found = known_.find(*word);
  if (found != known_.end()) {
    *word = found->second;
    return;
  }
  const sb_symbol* stem = sb_stemmer_stem(
      stemmer_, reinterpret_cast<const sb_symbol*>(word->data()),
      static_cast<int>(word->size()));
  if (stem == nullptr) {
    return;
  }
  std::string result(reinterpret_cast<const char*>(stem),
                     static_cast<size_t>(sb_stemmer_length(stemmer_)));
  if (word->size() <= kKnownBytesMax) {
    if (known_.size() >= kKnownMax) {
      known_.clear();
    }
    known_.emplace(*word, result);
  }
  *word = std::move(result);
}

}  // namespace sextant
