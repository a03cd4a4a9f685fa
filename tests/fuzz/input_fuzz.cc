// SPDX-License-Identifier: Apache-2.0
//
// What users import: JSON lines, and files that claim to be .npy or .fvecs.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "clients/formats/json_point.h"
#include "clients/formats/vector_file.h"

namespace sextant {
namespace {

void ReadAsFile(absl::string_view bytes, absl::string_view suffix) {
  const std::string path =
      absl::StrCat("/tmp/sextant-input-fuzz-", getpid(), suffix);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr);
  CHECK_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fclose(file);
  const auto vectors = OpenVectorFile(path);
  // Rows that the file cannot hold must not size what a reader allocates.
  if (vectors.ok() && (*vectors)->rows() > 0) {
    CHECK_LE((*vectors)->dimension(), bytes.size());
    std::vector<float> row((*vectors)->dimension());
    (void)(*vectors)->ReadRows(0, {row.data(), row.size()});
    (void)(*vectors)->ReadRows((*vectors)->rows() - 1,
                               {row.data(), row.size()});
    CHECK(!(*vectors)
               ->ReadRows((*vectors)->rows(), {row.data(), row.size()})
               .ok());
  }
  unlink(path.c_str());
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)sextant::ParseJsonPoint(bytes);
  (void)sextant::ParseJsonVector(bytes);
  (void)sextant::ParseJsonSparseVector(bytes);
  (void)sextant::ParseJsonVectors(bytes);
  sextant::ReadAsFile(bytes, ".npy");
  sextant::ReadAsFile(bytes, ".fvecs");
  return 0;
}
