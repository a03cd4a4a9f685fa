// SPDX-License-Identifier: Apache-2.0
//
// A built index with changed bytes in its graph, codes or ordinals: it is
// refused, or searches stay inside the memory and end. The first byte chooses
// the encoding, and what scores the hits.

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/context.h"
#include "index/test_vectors.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr VectorShape kShape{Metric::kL2, 8};
constexpr uint32_t kRows = 64;

constexpr std::array kEncodings = {Encoding::kFloat, Encoding::kBf16,
                                   Encoding::kInt8, Encoding::kInt4,
                                   Encoding::kBinary};

// One of each encoding.
const std::vector<BuiltVectorIndex>& Pristine() {
  static const auto* const all = [] {
    TestVectors vectors = ClusteredVectors(kShape, kRows, 4, 1);
    vectors.Append(std::vector<float>(vectors.row(3).begin(),
                                      vectors.row(3).end()));  // a duplicate
    auto* const built = new std::vector<BuiltVectorIndex>();
    for (const Encoding encoding : kEncodings) {
      VectorIndexInput input = TestInput(kShape, vectors);
      input.encoding = encoding;
      auto result = BuildVectorIndex(input, nullptr, RequestContext(), nullptr);
      CHECK(result.ok());
      built->push_back(*std::move(result));
    }
    return built;
  }();
  return *all;
}

// Fours: which section, where in it (two), the new byte.
void Change(const uint8_t* data, size_t size,
            std::vector<AlignedBytes>& sections) {
  for (size_t i = 0; i + 4 <= size; i += 4) {
    AlignedBytes& section = sections[data[i] % sections.size()];
    if (section.size() > 0) {
      const size_t place = (size_t{data[i + 1]} << 8U | data[i + 2]);
      section.data()[place % section.size()] = static_cast<char>(data[i + 3]);
    }
  }
}

void SearchDamaged(uint8_t choice, const uint8_t* data, size_t size) {
  const VectorIndexBytes bytes = Pristine()[choice % kEncodings.size()].view();
  const Scoring scoring =
      choice / kEncodings.size() % 2 == 0 ? Scoring::kFloats : Scoring::kCodes;
  std::vector<AlignedBytes> sections;
  sections.push_back(AlignedBytes::Copy(bytes.graph));
  sections.push_back(AlignedBytes::Copy(bytes.codes));
  sections.push_back(AlignedBytes::Copy(bytes.ordinals));
  sections.push_back(AlignedBytes::Copy(bytes.calibration));
  Change(data, size, sections);
  const auto index = VectorIndex::Open(
      kShape, kRows + 1,
      {bytes.vectors, sections[2], sections[0], sections[1], sections[3]},
      Placement::kInPlace, scoring);
  if (!index.ok()) {
    return;
  }
  const std::vector<float> query(kShape.dimension, 0.5F);
  for (const uint32_t ef : {1U, 20U, 1000U}) {
    TopK top(10);
    SearchWork work;
    CHECK((*index)
              ->Search(query, {.ef = ef}, RowSet(), RequestContext(), top, work)
              .ok());
    for (const ScoredRow& hit : top.TakeSorted()) {
      CHECK_LE(hit.row, kRows);
    }
  }
  if ((*index)->encoding() == Encoding::kBinary) {
    TopK top(10);
    SearchWork work;
    CHECK(
        (*index)->ScanCodes(query, RowSet(), RequestContext(), top, work).ok());
  }
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    sextant::SearchDamaged(data[0], data + 1, size - 1);
  }
  return 0;
}
