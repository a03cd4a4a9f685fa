// SPDX-License-Identifier: Apache-2.0
//
// Random documents and queries, for tests.

#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/check.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_part.h"
#include "index/text/text_query.h"
#include "index/text/token_list.h"

namespace sextant {

// A text of words between spaces; "" has no tokens.
inline TokenList TokensOf(absl::string_view text) {
  TokenList tokens;
  uint32_t position = 0;
  for (const absl::string_view word :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    tokens.Add({word, position++, 0, 0});
  }
  return tokens;
}

// An index with its bytes.
inline std::shared_ptr<const TextIndex> OwnTextIndex(std::string bytes,
                                                     uint32_t rows) {
  struct Owned {
    std::string bytes;
    TextIndex index;
  };
  auto owned = std::make_shared<Owned>();
  owned->bytes = std::move(bytes);
  auto index = TextIndex::Open(owned->bytes, rows);
  CHECK(index.ok()) << index.status().message();
  owned->index = *std::move(index);
  return std::shared_ptr<const TextIndex>(owned, &owned->index);
}

inline std::string TextIndexBytes(const std::vector<std::string>& texts,
                                  bool positions = true) {
  TextIndexBuilder builder({positions});
  for (uint32_t row = 0; row < texts.size(); ++row) {
    CHECK(builder.Add(row, TokensOf(texts[row])).ok());
  }
  auto bytes = std::move(builder).Finish(static_cast<uint32_t>(texts.size()));
  CHECK(bytes.ok());
  return *std::move(bytes);
}

// Words w0, w1, ... of which low numbers are frequent.
class RandomTexts {
 public:
  explicit RandomTexts(uint64_t seed, uint32_t words = 60)
      : random_(seed), words_(words) {}

  std::string Word() {
    const double u = std::uniform_real_distribution<double>(0, 1)(random_);
    return absl::StrCat("w", static_cast<uint32_t>(u * u * u * words_));
  }
  std::string Text(uint32_t longest) {
    std::string text;
    const uint32_t size = Below(longest + 1);
    for (uint32_t i = 0; i < size; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : " ", Word());
    }
    return text;
  }
  uint32_t Below(uint32_t limit) {
    return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random_);
  }

  // Any query over these words.
  TextQuery Query(uint32_t depth = 0) {
    TextQuery query;
    query.boost = static_cast<float>(Below(4)) * 0.5F;
    const uint32_t kind = Below(depth < 3 ? 8 : 4);
    if (kind < 4) {
      query.kind = static_cast<TextQueryKind>(kind + 1);
      query.text = kind == 3 ? absl::StrCat("w", Below(9)) : Word();
      for (uint32_t i = kind == 1 || kind == 3 ? 0 : Below(3); i > 0; --i) {
        absl::StrAppend(&query.text, " ", Word());
      }
      query.slop = kind == 2 ? Below(4) : 0;
      query.all_tokens = Below(3) == 0;
      return query;
    }
    query.kind = TextQueryKind::kBool;
    for (uint32_t i = Below(3); i > 0; --i) {
      query.must.push_back(Query(depth + 1));
    }
    for (uint32_t i = Below(4);
         i > 0 || (query.must.empty() && query.should.empty());) {
      query.should.push_back(Query(depth + 1));
      i = i > 0 ? i - 1 : 0;
    }
    if (Below(4) == 0) {
      query.must_not.push_back(Query(depth + 1));
    }
    query.minimum_should_match =
        Below(static_cast<uint32_t>(query.should.size()) + 1);
    return query;
  }

 private:
  std::mt19937_64 random_;
  uint32_t words_;
};

}  // namespace sextant
