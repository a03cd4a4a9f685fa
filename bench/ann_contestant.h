// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "bench/ann_dataset.h"
#include "index/vector_index.h"

namespace sextant {

struct AnnBuildOptions {
  uint32_t m = 16;
  uint32_t ef_construction = 200;
  int threads = 2;
};

// How hard a search tries: a beam width or, where `ef` is 0, the recall to aim
// at (the engine alone knows how).
struct AnnEffort {
  uint32_t ef = 0;
  double recall_target = 0;
};

// One library under test. Owned by the benchmark, used from one thread.
class AnnContestant {
 public:
  virtual ~AnnContestant() = default;

  virtual absl::string_view name() const = 0;
  // Builds the index and writes it to `path`.
  virtual absl::Status Build(const AnnDataset& dataset,
                             const AnnBuildOptions& options,
                             const std::string& path) = 0;
  virtual absl::Status Load(const AnnDataset& dataset,
                            const std::string& path) = 0;
  // What to try, by rising effort.
  virtual std::vector<AnnEffort> Efforts(uint32_t k, bool quick) const;
  // Every query, one after another, on the calling thread: out holds k row
  // numbers for each.
  virtual void SearchAll(const AnnDataset& dataset, uint32_t k,
                         const AnnEffort& effort, uint32_t* out) = 0;
};

std::unique_ptr<AnnContestant> NewEngineContestant();
// The same with the float vectors left in the mapped file.
std::unique_ptr<AnnContestant> NewMappedEngineContestant();
std::unique_ptr<AnnContestant> NewHnswlibContestant();
// The index that a loaded engine contestant searches.
const VectorIndex& EngineIndex(const AnnContestant& engine);
// The least effort that is worth this recall; the greatest that was measured
// where none is enough.
SearchEffort EffortFor(const VectorIndex& index, double recall_target,
                       uint32_t k);
// Null when the benchmark was built without Faiss.
std::unique_ptr<AnnContestant> NewFaissContestant();     // float vectors
std::unique_ptr<AnnContestant> NewFaissSq8Contestant();  // 8 bits a number

// Prints "<name>: <done> / <total> rows, <seconds> s" to stderr now and then.
// Thread-safe.
class AnnProgress {
 public:
  AnnProgress(absl::string_view name, uint64_t total);
  ~AnnProgress();
  void Set(uint64_t done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sextant
