// SPDX-License-Identifier: Apache-2.0
#include "index/text/word_segmenter.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "base/status_macros.h"

namespace sextant {
namespace {

// What UAX 29 makes of ASCII.
enum CharClass : uint8_t {
  kOther,
  kSpace,  // words never reach across
  kLetter,
  kDigit,
  kUnderscore,  // joins letters and digits, is no word alone
  kMidNumber,   // two digits
  kMidBoth,     // either
};

constexpr std::array<uint8_t, 128> MakeClasses() {
  std::array<uint8_t, 128> classes{};
  for (size_t c = 'a'; c <= 'z'; ++c) {
    classes[c] = kLetter;
    classes[c - 'a' + 'A'] = kLetter;
  }
  for (size_t c = '0'; c <= '9'; ++c) {
    classes[c] = kDigit;
  }
  for (const char c : {' ', '\t', '\n', '\r'}) {
    classes[static_cast<unsigned char>(c)] = kSpace;
  }
  classes['_'] = kUnderscore;
  classes[','] = kMidNumber;
  classes[';'] = kMidNumber;
  classes['.'] = kMidBoth;
  classes['\''] = kMidBoth;
  return classes;
}
constexpr std::array<uint8_t, 128> kClasses = MakeClasses();

bool IsAscii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

uint8_t ClassOf(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}

// Where the word that begins at `at` ends; `has_core`: it is one.
size_t AsciiWordEnd(absl::string_view text, size_t at, bool* has_core) {
  *has_core = false;
  while (at < text.size()) {
    const uint8_t kind = ClassOf(text[at]);
    if (kind == kLetter || kind == kDigit) {
      *has_core = true;
      ++at;
      continue;
    }
    if (kind == kUnderscore) {
      ++at;
      continue;
    }
    if (at == 0 || at + 1 >= text.size()) {
      break;
    }
    const uint8_t before = ClassOf(text[at - 1]);
    const uint8_t after = ClassOf(text[at + 1]);
    const bool joins_letters =
        kind == kMidBoth && before == kLetter && after == kLetter;
    const bool joins_digits = (kind == kMidNumber || kind == kMidBoth) &&
                              before == kDigit && after == kDigit;
    if (!joins_letters && !joins_digits) {
      break;
    }
    ++at;
  }
  return at;
}

absl::Status IcuError(absl::string_view what, UErrorCode code) {
  return absl::InternalError(
      absl::StrCat("ICU: ", what, ": ", u_errorName(code)));
}

using Visitor = absl::FunctionRef<bool(uint32_t begin, uint32_t end)>;

}  // namespace

struct WordSegmenter::Rep {
  UBreakIterator* words = nullptr;
  UText opened = UTEXT_INITIALIZER;

  ~Rep() {
    utext_close(&opened);
    ubrk_close(words);
  }

  // Words of ASCII without spaces that begins at `offset`.
  static bool VisitAscii(absl::string_view part, size_t offset, Visitor visit) {
    for (size_t at = 0; at < part.size();) {
      const uint8_t kind = ClassOf(part[at]);
      if (kind != kLetter && kind != kDigit && kind != kUnderscore) {
        ++at;
        continue;
      }
      bool has_core = false;
      const size_t end = AsciiWordEnd(part, at, &has_core);
      if (has_core && !visit(static_cast<uint32_t>(offset + at),
                             static_cast<uint32_t>(offset + end))) {
        return false;
      }
      at = end;
    }
    return true;
  }

  absl::Status VisitParts(absl::string_view text, size_t offset, Visitor visit,
                          bool* go_on);
  absl::Status VisitIcu(absl::string_view part, size_t offset, Visitor visit,
                        bool* go_on) {
    UErrorCode code = U_ZERO_ERROR;
    utext_openUTF8(&opened, part.data(), static_cast<int64_t>(part.size()),
                   &code);
    ubrk_setUText(words, &opened, &code);
    if (U_FAILURE(code)) {
      return IcuError("cannot read a text", code);
    }
    int32_t begin = ubrk_first(words);
    for (int32_t end = ubrk_next(words); end != UBRK_DONE;
         begin = end, end = ubrk_next(words)) {
      const absl::string_view word =
          part.substr(static_cast<size_t>(begin),
                      static_cast<size_t>(end) - static_cast<size_t>(begin));
      if (ubrk_getRuleStatus(words) >= UBRK_WORD_NONE_LIMIT &&
          word.find_first_not_of('_') != absl::string_view::npos &&
          !visit(static_cast<uint32_t>(offset) + static_cast<uint32_t>(begin),
                 static_cast<uint32_t>(offset) + static_cast<uint32_t>(end))) {
        *go_on = false;
        return absl::OkStatus();
      }
    }
    return absl::OkStatus();
  }
};

WordSegmenter::WordSegmenter(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
WordSegmenter::~WordSegmenter() = default;

absl::StatusOr<std::unique_ptr<WordSegmenter>> WordSegmenter::Create() {
  auto rep = std::make_unique<Rep>();
  UErrorCode code = U_ZERO_ERROR;
  rep->words = ubrk_open(UBRK_WORD, "", nullptr, 0, &code);
  if (U_FAILURE(code)) {
    return IcuError("no rules for words", code);
  }
  return std::unique_ptr<WordSegmenter>(new WordSegmenter(std::move(rep)));
}

absl::Status WordSegmenter::Visit(absl::string_view text, Visitor visit,
                                  bool icu_alone) {
  bool go_on = true;
  for (size_t begin = 0; begin < text.size() && go_on;) {
    const size_t end = std::min(text.find('@', begin), text.size());
    const absl::string_view part = text.substr(begin, end - begin);
    RETURN_IF_ERROR(icu_alone ? rep_->VisitIcu(part, begin, visit, &go_on)
                              : rep_->VisitParts(part, begin, visit, &go_on));
    begin = end + 1;
  }
  return absl::OkStatus();
}

// Parts between spaces. Neighbours that are not ASCII go to ICU together.
absl::Status WordSegmenter::Rep::VisitParts(absl::string_view text,
                                            size_t offset, Visitor visit,
                                            bool* go_on) {
  constexpr size_t kNone = absl::string_view::npos;
  size_t icu_begin = kNone;
  size_t icu_end = 0;
  for (size_t at = 0; at < text.size() && *go_on;) {
    if (IsAscii(text[at]) && ClassOf(text[at]) == kSpace) {
      ++at;
      continue;
    }
    const size_t begin = at;
    bool ascii = true;
    for (; at < text.size(); ++at) {
      if (!IsAscii(text[at])) {
        ascii = false;
      } else if (ClassOf(text[at]) == kSpace) {
        break;
      }
    }
    if (!ascii) {
      icu_begin = icu_begin == kNone ? begin : icu_begin;
      icu_end = at;
      continue;
    }
    if (icu_begin != kNone) {
      RETURN_IF_ERROR(VisitIcu(text.substr(icu_begin, icu_end - icu_begin),
                               offset + icu_begin, visit, go_on));
      icu_begin = kNone;
    }
    *go_on = *go_on &&
             VisitAscii(text.substr(begin, at - begin), offset + begin, visit);
  }
  if (icu_begin != kNone && *go_on) {
    return VisitIcu(text.substr(icu_begin, icu_end - icu_begin),
                    offset + icu_begin, visit, go_on);
  }
  return absl::OkStatus();
}

}  // namespace sextant
