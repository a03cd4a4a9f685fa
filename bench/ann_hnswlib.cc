// SPDX-License-Identifier: Apache-2.0
// HNSWlib as its users compile it: -O3 -march=native (see CMakeLists.txt), its
// own kernels, its own threads.
#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "hnswlib/hnswlib.h"

#include "bench/ann_contestant.h"
#include "bench/window_postfilter.h"

namespace sextant {
namespace {

class HnswlibContestant final : public AnnContestant {
 public:
  absl::string_view name() const override { return "hnswlib"; }

  absl::Status Build(const AnnDataset& dataset, const AnnBuildOptions& options,
                     const std::string& path) override {
    try {
      hnswlib::InnerProductSpace space(dataset.dimension);
      hnswlib::HierarchicalNSW<float> graph(&space, dataset.rows, options.m,
                                            options.ef_construction);
      AnnProgress progress(name(), dataset.rows);
      graph.addPoint(dataset.row(0), 0);
      std::atomic<uint32_t> next{1};
      std::vector<std::thread> threads;
      for (int i = 0; i < options.threads; ++i) {
        threads.emplace_back([&]() {
          for (uint32_t row = next++; row < dataset.rows; row = next++) {
            graph.addPoint(dataset.row(row), row);
            progress.Set(row);
          }
        });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
      graph.saveIndex(path);
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
    return absl::OkStatus();
  }

  absl::Status Load(const AnnDataset& dataset,
                    const std::string& path) override {
    try {
      space_ = std::make_unique<hnswlib::InnerProductSpace>(dataset.dimension);
      graph_ =
          std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), path);
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
    return absl::OkStatus();
  }

  void SearchAll(const AnnDataset& dataset, uint32_t k, const AnnEffort& effort,
                 uint32_t* out) override {
    graph_->setEf(effort.ef);
    for (uint32_t query = 0; query < dataset.queries; ++query) {
      auto found = graph_->searchKnn(dataset.query(query), k);
      for (uint32_t i = k; i-- > 0;) {
        if (found.empty()) {
          out[i] = ~0U;
          continue;
        }
        out[i] = static_cast<uint32_t>(found.top().second);
        found.pop();
      }
      out += k;
    }
  }

  // See Postfilter.
  uint32_t SearchWindow(const WindowQuery& query, const PostfilterTask& task,
                        uint32_t* out) {
    const auto wanted =
        static_cast<uint32_t>(std::min<uint64_t>(task.k, query.count));
    const auto rows = static_cast<uint32_t>(graph_->cur_element_count);
    for (uint32_t ef = std::min(task.first_ef, rows);;) {
      graph_->setEf(ef);
      auto found = graph_->searchKnn(query.vector, ef);
      std::vector<uint32_t> inside;  // farthest first
      for (; !found.empty(); found.pop()) {
        const auto row = static_cast<uint32_t>(found.top().second);
        if (task.rank_of[row] - query.first < query.count) {
          inside.push_back(row);
        }
      }
      if (inside.size() >= wanted || ef == rows) {
        const auto count =
            static_cast<uint32_t>(std::min<size_t>(wanted, inside.size()));
        std::copy_n(inside.rbegin(), count, out);
        return count;
      }
      ef = static_cast<uint32_t>(std::min<uint64_t>(rows, uint64_t{ef} * 2));
    }
  }

 private:
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

}  // namespace

uint32_t Postfilter(AnnContestant& hnswlib, const WindowQuery& query,
                    const PostfilterTask& task, uint32_t* out) {
  return dynamic_cast<HnswlibContestant&>(hnswlib).SearchWindow(query, task,
                                                                out);
}

std::unique_ptr<AnnContestant> NewHnswlibContestant() {
  return std::make_unique<HnswlibContestant>();
}

}  // namespace sextant
