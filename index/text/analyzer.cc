// SPDX-License-Identifier: Apache-2.0
#include "index/text/analyzer.h"

#include <libstemmer.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <unicode/utf8.h>

#include "base/errors.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "index/text/stemmer.h"
#include "index/text/stop_words.h"
#include "index/text/term_folding.h"
#include "index/text/word_segmenter.h"

namespace sextant {
namespace {

constexpr uint32_t kGramMax = 32;

// Of text that is not UTF-8.
size_t FirstBadByte(absl::string_view text) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    UChar32 letter = 0;
    U8_NEXT(text.data(), at, text.size(), letter);
    if (letter < 0) {
      return begin;
    }
  }
#pragma GCC diagnostic pop
  return text.size();
}

// What is not thread-safe.
struct Tools {
  std::unique_ptr<WordSegmenter> segmenter;
  std::unique_ptr<Stemmer> stemmer;
  std::string term;
};

// Ends of characters, in bytes, of well-formed UTF-8.
std::vector<uint32_t> CharacterEnds(absl::string_view text) {
  std::vector<uint32_t> ends;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i == text.size() || BeginsUtf8Character(text[i])) {
      ends.push_back(static_cast<uint32_t>(i));
    }
  }
  return ends;
}

}  // namespace

struct Analyzer::Rep {
  AnalyzerSpec spec;
  TermFolding folding;
  absl::flat_hash_set<std::string> stop_words;

  Mutex mutex;
  std::vector<std::unique_ptr<Tools>> idle ABSL_GUARDED_BY(mutex);

  absl::StatusOr<std::unique_ptr<Tools>> Borrow() ABSL_LOCKS_EXCLUDED(mutex);
  void Return(std::unique_ptr<Tools> tools) ABSL_LOCKS_EXCLUDED(mutex);
  absl::Status AddStopWords();
};

namespace {

// One text on its way through an analyser.
class Analysis {
 public:
  Analysis(const AnalyzerSpec& spec, const TermFolding& folding,
           const absl::flat_hash_set<std::string>& stop_words, Tools& tools,
           TokenList& tokens)
      : spec_(spec),
        folding_(folding),
        stop_words_(stop_words),
        tools_(tools),
        tokens_(tokens) {}

  // `whole`: without stop words, stems and grams.
  absl::Status Words(absl::string_view text, bool whole) {
    absl::Status status =
        tools_.segmenter->Visit(text, [&](uint32_t begin, uint32_t end) {
          // A long one in pieces.
          while (begin < end) {
            const absl::string_view word =
                Utf8Prefix(text.substr(begin, end - begin), kWordBytesMax);
            const auto stop = begin + static_cast<uint32_t>(word.size());
            result_ = Word(word, begin, stop, whole);
            if (!result_.ok()) {
              return false;
            }
            begin = stop;
          }
          return true;
        });
    return status.ok() ? result_ : status;
  }

  absl::Status Keyword(absl::string_view text) {
    // Cut first: what is cut off cannot get into the first bytes, but for
    // accents and case of the last character.
    std::string& term = tools_.term;
    RETURN_IF_ERROR(
        folding_.FoldCase(Utf8Prefix(text, 4 * kKeywordBytesMax), &term));
    if (spec_.fold_accents) {
      RETURN_IF_ERROR(folding_.FoldAccents(&term));
    }
    term.resize(Utf8Prefix(term, kKeywordBytesMax).size());
    if (!term.empty()) {
      tokens_.Add({term, 0, 0, static_cast<uint32_t>(text.size())});
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Word(absl::string_view word, uint32_t begin, uint32_t end,
                    bool whole) {
    std::string& term = tools_.term;
    const bool ascii = IsAsciiText(word);
    if (ascii) {
      FoldAsciiCase(word, &term);
    } else {
      RETURN_IF_ERROR(folding_.FoldCase(word, &term));
    }
    if (term.empty()) {
      return absl::OkStatus();  // of characters that Unicode has us ignore
    }
    const bool standard = spec_.kind == AnalyzerKind::kStandard;
    if (!whole && standard) {
      if (!stop_words_.empty() && stop_words_.contains(term)) {
        ++position_;
        return absl::OkStatus();
      }
      if (tools_.stemmer != nullptr) {
        tools_.stemmer->Stem(&term);
      }
    }
    if (!ascii && spec_.fold_accents) {
      RETURN_IF_ERROR(folding_.FoldAccents(&term));
    }
    if (term.size() > kTermBytesMax) {
      term.resize(Utf8Prefix(term, kTermBytesMax).size());
    }
    if (term.empty()) {
      return absl::OkStatus();
    }
    if (whole || standard) {
      return Add(term, begin, end);
    }
    return Grams(term, begin, end);
  }

  absl::Status Grams(absl::string_view word, uint32_t begin, uint32_t end) {
    const std::vector<uint32_t> ends = CharacterEnds(word);
    // Offsets inside the word where folding kept its bytes in place.
    const bool in_place = word.size() == end - begin && IsAsciiText(word);
    const auto size = static_cast<uint32_t>(ends.size());
    const uint32_t starts =
        spec_.kind == AnalyzerKind::kEdgeNgram ? std::min(size, 1U) : size;
    for (uint32_t first = 0; first < starts; ++first) {
      const uint32_t from = first == 0 ? 0 : ends[first - 1];
      for (uint32_t n = spec_.min_gram;
           n <= spec_.max_gram && first + n <= size; ++n) {
        const uint32_t to = ends[first + n - 1];
        RETURN_IF_ERROR(Add(word.substr(from, to - from),
                            in_place ? begin + from : begin,
                            in_place ? begin + to : end));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Add(absl::string_view term, uint32_t begin, uint32_t end) {
    if (tokens_.size() == kTokensMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("text has more than ", kTokensMax, " tokens"));
    }
    tokens_.Add({term, position_++, begin, end});
    return absl::OkStatus();
  }

  const AnalyzerSpec& spec_;
  const TermFolding& folding_;
  const absl::flat_hash_set<std::string>& stop_words_;
  Tools& tools_;
  TokenList& tokens_;
  uint32_t position_ = 0;
  absl::Status result_;
};

absl::Status CheckText(absl::string_view text) {
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "text has ", text.size(), " bytes, at most ", kTextBytesMax));
  }
  if (!IsValidUtf8(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("text is not valid UTF-8 at byte ", FirstBadByte(text)));
  }
  return absl::OkStatus();
}

bool IsStemmerLanguage(const std::string& language) {
  return Stemmer::Create(language) != nullptr;
}

}  // namespace

std::vector<std::string> StemmerLanguages() {
  std::vector<std::string> languages;
  for (const char** name = sb_stemmer_list(); *name != nullptr; ++name) {
    languages.emplace_back(*name);
  }
  std::sort(languages.begin(), languages.end());
  return languages;
}

absl::Status ValidateAnalyzer(const AnalyzerSpec& spec,
                              absl::string_view field) {
  const bool standard = spec.kind == AnalyzerKind::kStandard;
  const bool grams = spec.kind == AnalyzerKind::kNgram ||
                     spec.kind == AnalyzerKind::kEdgeNgram;
  if (!standard && !grams && spec.kind != AnalyzerKind::kKeyword) {
    return InvalidField(absl::StrCat(field, ".kind"), "is unknown");
  }
  if (!spec.language.empty()) {
    if (!standard) {
      return InvalidField(absl::StrCat(field, ".language"),
                          "is for the standard analyzer only");
    }
    // A zero byte would end the name early.
    if (spec.language.size() > 32 || absl::StrContains(spec.language, '\0') ||
        !IsStemmerLanguage(spec.language)) {
      return InvalidField(
          absl::StrCat(field, ".language"),
          absl::StrCat(
              "no stemmer for '", ShownText(spec.language, 32),
              "'; there are: ", absl::StrJoin(StemmerLanguages(), ", ")));
    }
  }
  const std::string stop_words = absl::StrCat(field, ".stop_words");
  if (!spec.stop_words.empty() && !standard) {
    return InvalidField(stop_words, "are for the standard analyzer only");
  }
  if (spec.stop_words.size() > kStopWordsMax) {
    return InvalidField(stop_words,
                        absl::StrCat("more than ", kStopWordsMax, " words"));
  }
  for (size_t i = 0; i < spec.stop_words.size(); ++i) {
    const std::string& word = spec.stop_words[i];
    if (word.empty() || word.size() > kWordBytesMax || !IsValidUtf8(word)) {
      return InvalidField(absl::StrCat(stop_words, "[", i, "]"),
                          absl::StrCat("must be 1 to ", kWordBytesMax,
                                       " bytes of valid UTF-8"));
    }
  }
  if (grams && (spec.min_gram < 1 || spec.max_gram < spec.min_gram ||
                spec.max_gram > kGramMax)) {
    return InvalidField(
        absl::StrCat(field, ".min_gram"),
        absl::StrCat(
            "min_gram and max_gram must be 1 <= min <= max <= ", kGramMax,
            ", not ", spec.min_gram, " and ", spec.max_gram));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Tools>> Analyzer::Rep::Borrow() {
  {
    MutexLock lock(&mutex);
    if (!idle.empty()) {
      std::unique_ptr<Tools> tools = std::move(idle.back());
      idle.pop_back();
      return tools;
    }
  }
  auto tools = std::make_unique<Tools>();
  ASSIGN_OR_RETURN(tools->segmenter, WordSegmenter::Create());
  if (!spec.language.empty()) {
    tools->stemmer = Stemmer::Create(spec.language);
  }
  return tools;
}

void Analyzer::Rep::Return(std::unique_ptr<Tools> tools) {
  MutexLock lock(&mutex);
  idle.push_back(std::move(tools));
}

absl::Status Analyzer::Rep::AddStopWords() {
  std::string folded;
  for (const std::string& word : spec.stop_words) {
    if (word == kEnglishStopWordsName) {
      for (const absl::string_view english : kEnglishStopWords) {
        stop_words.emplace(english);
      }
      continue;
    }
    RETURN_IF_ERROR(folding.FoldCase(word, &folded));
    stop_words.insert(folded);
  }
  return absl::OkStatus();
}

Analyzer::Analyzer(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
Analyzer::~Analyzer() = default;

absl::StatusOr<std::unique_ptr<Analyzer>> Analyzer::Create(
    const AnalyzerSpec& spec) {
  RETURN_IF_ERROR(ValidateAnalyzer(spec, "analyzer"));
  auto rep = std::make_unique<Rep>();
  rep->spec = spec;
  ASSIGN_OR_RETURN(rep->folding, TermFolding::Create());
  RETURN_IF_ERROR(rep->AddStopWords());
  // Says now whether ICU has its data.
  ASSIGN_OR_RETURN(std::unique_ptr<Tools> tools, rep->Borrow());
  rep->Return(std::move(tools));
  return std::unique_ptr<Analyzer>(new Analyzer(std::move(rep)));
}

const AnalyzerSpec& Analyzer::spec() const {
  return rep_->spec;
}

absl::Status Analyzer::Run(absl::string_view text, bool whole,
                           TokenList& tokens) const {
  tokens.Clear();
  RETURN_IF_ERROR(CheckText(text));
  ASSIGN_OR_RETURN(std::unique_ptr<Tools> tools, rep_->Borrow());
  Analysis analysis(rep_->spec, rep_->folding, rep_->stop_words, *tools,
                    tokens);
  absl::Status status = rep_->spec.kind == AnalyzerKind::kKeyword
                            ? analysis.Keyword(text)
                            : analysis.Words(text, whole);
  rep_->Return(std::move(tools));
  return status;
}

absl::Status Analyzer::Analyze(absl::string_view text,
                               TokenList& tokens) const {
  return Run(text, false, tokens);
}

absl::Status Analyzer::AnalyzePrefix(absl::string_view text,
                                     TokenList& tokens) const {
  return Run(text, true, tokens);
}

}  // namespace sextant
