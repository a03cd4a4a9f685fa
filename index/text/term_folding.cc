// SPDX-License-Identifier: Apache-2.0
#include "index/text/term_folding.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include "base/coding.h"

namespace sextant {

struct TermFolding::Forms {
  const icu::Normalizer2* case_fold = nullptr;
  const icu::Normalizer2* decompose = nullptr;
  const icu::Normalizer2* compose = nullptr;
  UErrorCode code = U_ZERO_ERROR;
};

namespace {

absl::Status IcuError(UErrorCode code) {
  return absl::InternalError(
      absl::StrCat("ICU: cannot normalise: ", u_errorName(code)));
}

absl::Status Normalize(const icu::Normalizer2& form, absl::string_view text,
                       std::string* normalized) {
  normalized->clear();
  icu::StringByteSink<std::string> sink(normalized);
  UErrorCode code = U_ZERO_ERROR;
  form.normalizeUTF8(
      0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink,
      nullptr, code);
  return U_FAILURE(code) ? IcuError(code) : absl::OkStatus();
}

struct PlainLetter {
  UChar32 letter;
  absl::string_view plain;
};
// Letters that Unicode does not take apart; folded to lower case before.
constexpr PlainLetter kPlainLetters[] = {
    {0xE6, "ae"}, {0xF0, "d"},  {0xF8, "o"},   {0xFE, "th"},
    {0x111, "d"}, {0x127, "h"}, {0x131, "i"},  {0x138, "q"},
    {0x142, "l"}, {0x14B, "n"}, {0x153, "oe"}, {0x167, "t"}};

bool HasAccents(UChar32 base) {
  UErrorCode code = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(base, &code);
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK;
}

// Without the marks over Latin and Greek letters. `text` is decomposed.
std::string StripMarks(absl::string_view text) {
  std::string plain;
  bool strip = false;
// ICU's macro converts between int and bytes inside.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    UChar32 letter = 0;
    U8_NEXT(text.data(), at, text.size(), letter);
    if (letter >= 0 && u_charType(letter) == U_NON_SPACING_MARK) {
      if (!strip) {
        plain.append(text.data() + begin, at - begin);
      }
      continue;
    }
    strip = letter >= 0 && HasAccents(letter);
    const auto* found =
        std::find_if(std::begin(kPlainLetters), std::end(kPlainLetters),
                     [&](const PlainLetter& p) { return p.letter == letter; });
    if (found != std::end(kPlainLetters)) {
      plain.append(found->plain.data(), found->plain.size());
    } else {
      plain.append(text.data() + begin, at - begin);
    }
  }
#pragma GCC diagnostic pop
  return plain;
}

}  // namespace

bool IsAsciiText(absl::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= text.size(); i += sizeof(uint64_t)) {
    if ((LoadLittleEndian<uint64_t>(text.data() + i) & kHighBits) != 0) {
      return false;
    }
  }
  return std::all_of(
      text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), [](char c) {
        return absl::ascii_isascii(static_cast<unsigned char>(c));
      });
}

absl::StatusOr<TermFolding> TermFolding::Create() {
  static const Forms* const kForms = [] {
    auto* made = new Forms;  // lives as long as the process
    made->case_fold = icu::Normalizer2::getNFKCCasefoldInstance(made->code);
    made->decompose = icu::Normalizer2::getNFDInstance(made->code);
    made->compose = icu::Normalizer2::getNFCInstance(made->code);
    return made;
  }();
  if (U_FAILURE(kForms->code)) {
    return IcuError(kForms->code);
  }
  TermFolding folding;
  folding.forms_ = kForms;
  return folding;
}

absl::Status TermFolding::FoldCase(absl::string_view text,
                                   std::string* folded) const {
  if (!IsAsciiText(text)) {
    return Normalize(*forms_->case_fold, text, folded);
  }
  FoldAsciiCase(text, folded);
  return absl::OkStatus();
}

void FoldAsciiCase(absl::string_view text, std::string* folded) {
  folded->assign(text.data(), text.size());
  for (char& c : *folded) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    c = static_cast<char>(c + (is_upper ? 'a' - 'A' : 0));
  }
}

absl::Status TermFolding::FoldAccents(std::string* term) const {
  if (IsAsciiText(*term)) {
    return absl::OkStatus();
  }
  std::string parts;
  if (absl::Status status = Normalize(*forms_->decompose, *term, &parts);
      !status.ok()) {
    return status;
  }
  return Normalize(*forms_->compose, StripMarks(parts), term);
}

}  // namespace sextant
