// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/strings/string_view.h"

namespace sextant {

// In a list of stop words, stands for the words below.
inline constexpr absl::string_view kEnglishStopWordsName = "_english_";

// Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET.
inline constexpr absl::string_view kEnglishStopWords[] = {
    "a",    "an",   "and",  "are",  "as",   "at",    "be",   "but",   "by",
    "for",  "if",   "in",   "into", "is",   "it",    "no",   "not",   "of",
    "on",   "or",   "such", "that", "the",  "their", "then", "there", "these",
    "they", "this", "to",   "was",  "will", "with"};

}  // namespace sextant
