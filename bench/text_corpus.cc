// SPDX-License-Identifier: Apache-2.0
#include "bench/text_corpus.h"

#include <algorithm>
#include <fstream>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "index/text/analyzer.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 1;
constexpr uint32_t kZipfWords = 500'000;

// Not the standard library's distributions, which differ between versions.
uint32_t Below(std::mt19937_64& random, uint64_t limit) {
  return static_cast<uint32_t>(random() % limit);
}

double Unit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11U) * 0x1p-53;
}

// A word of letters for a number, frequent ones short.
std::string ZipfWord(uint32_t number) {
  std::string word = "w";
  for (++number; number > 0; number /= 26) {
    word.push_back(static_cast<char>('a' + number % 26));
  }
  return word;
}

}  // namespace

absl::StatusOr<TextCorpus> ReadPackageTexts(const std::string& folder) {
  std::ifstream file(absl::StrCat(folder, "/docs.jsonl"));
  if (!file) {
    return absl::NotFoundError(absl::StrCat("no docs.jsonl in ", folder));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Analyzer> analyzer,
                   Analyzer::Create({}));
  TextCorpus corpus;
  corpus.name = "debian-packages";
  TokenList tokens;
  for (std::string line; std::getline(file, line);) {
    const auto package = nlohmann::json::parse(line, nullptr, false);
    if (!package.is_object()) {
      return absl::DataLossError("docs.jsonl: a line is not an object");
    }
    RETURN_IF_ERROR(
        analyzer->Analyze(absl::StrCat(package.value("short", ""), "\n",
                                       package.value("long", "")),
                          tokens));
    std::string& text = corpus.texts.emplace_back();
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string word(tokens.term(i));
      // Longer ones would be split when they are analysed again.
      if (word.size() <= kWordBytesMax / 2) {
        std::replace_if(
            word.begin(), word.end(),
            [](char c) {
              return !absl::ascii_isalnum(static_cast<unsigned char>(c));
            },
            'x');
        absl::StrAppend(&text, text.empty() ? "" : " ", word);
        ++corpus.tokens;
      }
    }
  }
  return corpus;
}

TextCorpus ZipfTexts(uint32_t rows) {
  std::vector<double> sums;
  std::vector<std::string> words;
  double sum = 0;
  for (uint32_t i = 0; i < kZipfWords; ++i) {
    sum += 1.0 / (i + 1);
    sums.push_back(sum);
    words.push_back(ZipfWord(i));
  }
  std::mt19937_64 random(kSeed);
  TextCorpus corpus;
  corpus.name = "zipf";
  for (uint32_t row = 0; row < rows; ++row) {
    std::string& text = corpus.texts.emplace_back();
    const uint32_t size = 5 + Below(random, 31);
    for (uint32_t i = 0; i < size; ++i) {
      const auto at =
          std::lower_bound(sums.begin(), sums.end(), Unit(random) * sum) -
          sums.begin();
      absl::StrAppend(
          &text, i == 0 ? "" : " ",
          words[std::min<size_t>(static_cast<size_t>(at), kZipfWords - 1)]);
    }
    corpus.tokens += size;
  }
  return corpus;
}

std::vector<BenchTextQuery> TextQueries(const TextCorpus& corpus,
                                        TextQueryForm form, size_t count) {
  std::mt19937_64 random(kSeed + static_cast<uint64_t>(form));
  std::vector<BenchTextQuery> queries;
  while (queries.size() < count) {
    const std::string& text = corpus.texts[Below(random, corpus.texts.size())];
    std::vector<std::string> words =
        absl::StrSplit(text, ' ', absl::SkipEmpty());
    const size_t size = 2 + Below(random, 3);
    if (words.size() < size) {
      continue;
    }
    BenchTextQuery query;
    query.form = form;
    if (form == TextQueryForm::kPhrase) {
      const size_t first = Below(random, words.size() - size + 1);
      const auto begin = words.begin() + static_cast<std::ptrdiff_t>(first);
      query.words.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    } else {
      for (size_t tries = 0; query.words.size() < size && tries < 50; ++tries) {
        const std::string& word = words[Below(random, words.size())];
        if (std::find(query.words.begin(), query.words.end(), word) ==
            query.words.end()) {
          query.words.push_back(word);
        }
      }
    }
    if (query.words.size() == size) {
      queries.push_back(std::move(query));
    }
  }
  return queries;
}

}  // namespace sextant
