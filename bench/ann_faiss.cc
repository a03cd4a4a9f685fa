// SPDX-License-Identifier: Apache-2.0
// Faiss's HNSW over float vectors and over 8-bit scalars, as Debian packages
// it.
#include "bench/ann_contestant.h"

#ifdef SEXTANT_HAVE_FAISS

#include <omp.h>

#include <exception>
#include <vector>

#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>

namespace sextant {
namespace {

enum class FaissStorage { kFloat, kScalar8 };

class FaissContestant final : public AnnContestant {
 public:
  explicit FaissContestant(FaissStorage storage) : storage_(storage) {}

  absl::string_view name() const override {
    return storage_ == FaissStorage::kFloat ? "faiss_hnsw" : "faiss_hnsw_sq8";
  }

  absl::Status Build(const AnnDataset& dataset, const AnnBuildOptions& options,
                     const std::string& path) override {
    try {
      omp_set_num_threads(options.threads);
      const std::unique_ptr<faiss::IndexHNSW> index = Empty(
          static_cast<int>(dataset.dimension), static_cast<int>(options.m));
      index->hnsw.efConstruction = static_cast<int>(options.ef_construction);
      // One call, as Faiss orders the rows of a call by level: no progress.
      const AnnProgress progress(name(), dataset.rows);
      index->train(dataset.rows, dataset.base.data());
      index->add(dataset.rows, dataset.base.data());
      faiss::write_index(index.get(), path.c_str());
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
    return absl::OkStatus();
  }

  absl::Status Load(const AnnDataset& /*dataset*/,
                    const std::string& path) override {
    try {
      index_.reset(
          dynamic_cast<faiss::IndexHNSW*>(faiss::read_index(path.c_str())));
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
    if (index_ == nullptr) {
      return absl::DataLossError(path + " holds another kind of index");
    }
    return absl::OkStatus();
  }

  void SearchAll(const AnnDataset& dataset, uint32_t k, const AnnEffort& effort,
                 uint32_t* out) override {
    omp_set_num_threads(1);
    index_->hnsw.efSearch = static_cast<int>(effort.ef);
    // All queries in one call: each call prepares a table of all rows.
    distances_.resize(uint64_t{dataset.queries} * k);
    labels_.resize(distances_.size());
    index_->search(dataset.queries, dataset.query_vectors.data(), k,
                   distances_.data(), labels_.data());
    for (size_t i = 0; i < labels_.size(); ++i) {
      out[i] = static_cast<uint32_t>(labels_[i]);
    }
  }

 private:
  std::unique_ptr<faiss::IndexHNSW> Empty(int dimension, int m) const {
    if (storage_ == FaissStorage::kFloat) {
      return std::make_unique<faiss::IndexHNSWFlat>(
          dimension, m, faiss::METRIC_INNER_PRODUCT);
    }
    return std::make_unique<faiss::IndexHNSWSQ>(dimension,
                                                faiss::ScalarQuantizer::QT_8bit,
                                                m, faiss::METRIC_INNER_PRODUCT);
  }

  const FaissStorage storage_;
  std::unique_ptr<faiss::IndexHNSW> index_;
  std::vector<float> distances_;
  std::vector<faiss::Index::idx_t> labels_;
};

}  // namespace

std::unique_ptr<AnnContestant> NewFaissContestant() {
  return std::make_unique<FaissContestant>(FaissStorage::kFloat);
}

std::unique_ptr<AnnContestant> NewFaissSq8Contestant() {
  return std::make_unique<FaissContestant>(FaissStorage::kScalar8);
}

}  // namespace sextant

#else

namespace sextant {

std::unique_ptr<AnnContestant> NewFaissContestant() {
  return nullptr;
}

std::unique_ptr<AnnContestant> NewFaissSq8Contestant() {
  return nullptr;
}

}  // namespace sextant

#endif  // SEXTANT_HAVE_FAISS
