// SPDX-License-Identifier: Apache-2.0
#include "bench/server_python.h"

#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"

#include "bench/processor.h"

namespace sextant {

absl::StatusOr<std::string> RunPythonClient(const PythonRun& run,
                                            const AnnDataset& dataset) {
  const std::string queries = absl::StrCat(run.folder, "/queries.f32");
  const auto bytes = static_cast<std::streamsize>(
      uint64_t{dataset.queries} * dataset.dimension * sizeof(float));
  if (!std::ofstream(queries, std::ios::binary)
           .write(reinterpret_cast<const char*>(dataset.query_vectors.data()),
                  bytes)
           .flush()) {
    return absl::InternalError(absl::StrCat("cannot write ", queries));
  }
  // The script lies beside this file, in the source tree.
  const std::string command = absl::StrCat(
      "'", run.python, "' '", SEXTANT_BENCH_FOLDER, "/server_client.py' '",
      run.target, "' '", queries, "' ", dataset.dimension, " ",
      run.recall_target, " ", run.seconds, " 2>&1");
  const PinnedScope pinned(run.cpu);
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    return absl::InternalError("cannot start a shell");
  }
  std::string output;
  char buffer[4096];
  size_t count = 0;
  while ((count = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    output.append(buffer, count);
  }
  if (::pclose(pipe) != 0) {
    return absl::UnavailableError(output);
  }
  // Warnings may come before the object, which is the last line.
  const size_t object = output.rfind("{\"unary\"");
  if (object == std::string::npos) {
    return absl::InternalError(output);
  }
  return output.substr(object);
}

}  // namespace sextant
