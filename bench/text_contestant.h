// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sextant {

// Texts whose words are single spaces apart, of letters and digits of ASCII
// only: every engine sees the same tokens, whatever its tokenizer.
struct TextCorpus {
  std::string name;
  std::vector<std::string> texts;
  uint64_t tokens = 0;
};

enum class TextQueryForm { kAny, kAll, kPhrase };

struct BenchTextQuery {
  TextQueryForm form = TextQueryForm::kAny;
  std::vector<std::string> words;
};

// An engine that is measured. One thread.
class TextContestant {
 public:
  virtual ~TextContestant() = default;
  virtual std::string name() const = 0;
  // Indexes all texts, with positions, from the texts themselves or, where the
  // engine takes them, from their words. This is timed.
  virtual void Build(const TextCorpus& corpus) = 0;
  // Makes the index as fast to read as it gets. This is not timed.
  virtual void Optimize() {}
  virtual uint64_t index_bytes() const = 0;
  // The numbers of the best ten texts.
  virtual std::vector<uint32_t> Search(const BenchTextQuery& query) = 0;
};

std::unique_ptr<TextContestant> MakeSextantText();
// Null where the library was not there to build with.
std::unique_ptr<TextContestant> MakeFts5Text();
// `folder`: for its database, of which it makes one of its own and removes it.
std::unique_ptr<TextContestant> MakeXapianText(const std::string& folder);

}  // namespace sextant
