// SPDX-License-Identifier: Apache-2.0
// This server's index, built and searched as the engine does it: sections of a
// file in a read-only mapping.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/coding.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "bench/ann_contestant.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kAlignment = 4096;

uint64_t Padded(uint64_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

// Five sizes in a page of their own, then the sections, page by page.
absl::Status WriteSections(const VectorIndexBytes& bytes,
                           const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  std::string header;
  for (const absl::string_view section :
       {bytes.vectors, bytes.ordinals, bytes.graph, bytes.codes,
        bytes.calibration}) {
    AppendLittleEndian<uint64_t>(&header, section.size());
  }
  bool ok = true;
  for (const absl::string_view section :
       {absl::string_view(header), bytes.vectors, bytes.ordinals, bytes.graph,
        bytes.codes, bytes.calibration}) {
    const std::string padding(Padded(section.size()) - section.size(), '\0');
    ok = ok &&
         std::fwrite(section.data(), 1, section.size(), file) ==
             section.size() &&
         std::fwrite(padding.data(), 1, padding.size(), file) == padding.size();
  }
  ok = std::fclose(file) == 0 && ok;
  return ok ? absl::OkStatus()
            : absl::InternalError(absl::StrCat("cannot write ", path));
}

// Reports how far a build is until it goes out of scope.
class Watch {
 public:
  Watch(absl::string_view name, uint64_t total, const BuildProgress& progress)
      : progress_(progress),
        shown_(name, total),
        thread_([this]() { Run(); }) {}
  ~Watch() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(500),
                              [this]() { return done_; })) {
      shown_.Set(progress_.rows_done.load(std::memory_order_relaxed));
    }
  }

  const BuildProgress& progress_;
  AnnProgress shown_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

class EngineContestant final : public AnnContestant {
 public:
  ~EngineContestant() override {
    index_ = nullptr;
    if (mapping_ != nullptr) {
      munmap(mapping_, mapping_size_);
    }
  }

  explicit EngineContestant(Placement placement) : placement_(placement) {}

  absl::string_view name() const override {
    return placement_ == Placement::kHugePages ? "engine" : "engine_mapped";
  }

  absl::Status Build(const AnnDataset& dataset, const AnnBuildOptions& options,
                     const std::string& path) override {
    VectorIndexInput input;
    input.shape = {Metric::kInnerProduct, dataset.dimension};
    input.graph = {options.m, options.ef_construction};
    for (uint32_t row = 0; row < dataset.rows; ++row) {
      input.rows.push_back({dataset.row(row), row});
    }
    ThreadPool pool({.name = "build", .threads = options.threads});
    const RequestContext context;
    BuildProgress progress;
    const Watch watch(name(), dataset.rows, progress);
    ASSIGN_OR_RETURN(const BuiltVectorIndex built,
                     BuildVectorIndex(input, &pool, context, &progress));
    return WriteSections(built.view(), path);
  }

  absl::Status Load(const AnnDataset& dataset,
                    const std::string& path) override {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || fstat(file, &status) != 0 ||
        status.st_size < static_cast<off_t>(kAlignment)) {
      return absl::InternalError(absl::StrCat("cannot read ", path));
    }
    mapping_size_ = static_cast<uint64_t>(status.st_size);
    mapping_ = mmap(nullptr, mapping_size_, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapping_ == MAP_FAILED) {
      mapping_ = nullptr;
      return absl::InternalError(absl::StrCat("cannot map ", path));
    }
    const absl::string_view bytes(static_cast<const char*>(mapping_),
                                  mapping_size_);
    VectorIndexBytes sections;
    uint64_t offset = kAlignment;
    size_t i = 0;
    for (absl::string_view* section :
         {&sections.vectors, &sections.ordinals, &sections.graph,
          &sections.codes, &sections.calibration}) {
      const auto size = LoadLittleEndian<uint64_t>(bytes.data() + i++ * 8);
      if (offset > bytes.size() || size > bytes.size() - offset) {
        return absl::DataLossError(absl::StrCat(path, " is cut off"));
      }
      *section = bytes.substr(offset, size);
      offset += Padded(size);
    }
    ASSIGN_OR_RETURN(
        index_, VectorIndex::Open({Metric::kInnerProduct, dataset.dimension},
                                  dataset.rows, sections, placement_));
    if (index_->owned_bytes() > 0 && placement_ == Placement::kHugePages) {
      munmap(std::exchange(mapping_, nullptr), mapping_size_);
    } else {
      // As the server does: only what searches read comes back.
      madvise(mapping_, mapping_size_, MADV_RANDOM);
      madvise(mapping_, mapping_size_, MADV_DONTNEED);
    }
    return absl::OkStatus();
  }

  // As users ask: by recall.
  std::vector<AnnEffort> Efforts(uint32_t /*k*/, bool quick) const override {
    std::vector<AnnEffort> efforts;
    for (const double target :
         {0.70, 0.80, 0.90, 0.93, 0.96, 0.98, 0.985, 0.99, 0.995, 0.998}) {
      efforts.push_back({.recall_target = target});
      if (!quick) {
        // Half of the misses of this one and the next.
        efforts.push_back({.recall_target = 1 - 0.8 * (1 - target)});
      }
    }
    return efforts;
  }

  void SearchAll(const AnnDataset& dataset, uint32_t k, const AnnEffort& wanted,
                 uint32_t* out) override {
    const SearchEffort effort = EffortOf(wanted, k);
    const RequestContext context;
    const RowSet none;
    for (uint32_t query = 0; query < dataset.queries; ++query) {
      TopK top(k);
      SearchWork work;
      const absl::Status status =
          index_->Search(std::span(dataset.query(query), dataset.dimension),
                         effort, none, context, top, work);
      std::fill_n(out, k, ~0U);
      if (status.ok()) {
        uint32_t* place = out;
        for (const ScoredRow& row : top.TakeSorted()) {
          *place++ = row.row;
        }
      }
      out += k;
    }
  }

  const VectorIndex& index() const { return *index_; }

 private:
  SearchEffort EffortOf(const AnnEffort& wanted, uint32_t k) const {
    return wanted.ef != 0 ? SearchEffort{.ef = wanted.ef}
                          : EffortFor(*index_, wanted.recall_target, k);
  }

  const Placement placement_;
  void* mapping_ = nullptr;
  uint64_t mapping_size_ = 0;
  std::unique_ptr<VectorIndex> index_;
};

}  // namespace

SearchEffort EffortFor(const VectorIndex& index, double recall_target,
                       uint32_t k) {
  const RecallCurve* const curve = index.recall_curve();
  if (curve == nullptr) {
    return {.ef = kDefaultEf};
  }
  return curve->EffortFor(recall_target, k)
      .value_or(curve->points().back().effort);
}

const VectorIndex& EngineIndex(const AnnContestant& engine) {
  return dynamic_cast<const EngineContestant&>(engine).index();
}

std::unique_ptr<AnnContestant> NewEngineContestant() {
  return std::make_unique<EngineContestant>(Placement::kHugePages);
}

std::unique_ptr<AnnContestant> NewMappedEngineContestant() {
  return std::make_unique<EngineContestant>(Placement::kHugePagesButVectors);
}

}  // namespace sextant
