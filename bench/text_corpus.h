// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/text_contestant.h"

namespace sextant {

// The descriptions of debian-packages (`folder`/docs.jsonl), analysed; other
// bytes than letters and digits become "x".
absl::StatusOr<TextCorpus> ReadPackageTexts(const std::string& folder);

// `rows` texts of 5 to 35 words, drawn from half a million words by Zipf's law
// (exponent 1). The same with every run.
TextCorpus ZipfTexts(uint32_t rows);

// `count` queries of a form, of 2 to 4 words of some text: different ones for
// kAny and kAll, one after another for kPhrase. The same with every run.
std::vector<BenchTextQuery> TextQueries(const TextCorpus& corpus,
                                        TextQueryForm form, size_t count);

}  // namespace sextant
