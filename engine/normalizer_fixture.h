// SPDX-License-Identifier: Apache-2.0
//
// For tests only: a collection whose searches under every additive normaliser
// are compared with float64 by brute force.

#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/normalizer_catalog.h"
#include "engine/normalizer_model.h"
#include "tests/support/test_seed.h"

namespace sextant::test {

class NormalizerFixture : public DatabaseFixture {
 protected:
  using Numbers = NormalizerModel::Numbers;

  static constexpr uint32_t kDimension = 16;

  void SetUp() override {
    Open();
    collection_ = Create("docs", OneFieldSchema(kDimension));
  }

  Numbers Vector() {
    Numbers vector = SeededVector(random_(), kDimension);
    vector[0] += 1.5F;  // a direction in common makes hubs
    return vector;
  }
  std::vector<Numbers> Vectors(size_t count) {
    std::vector<Numbers> vectors;
    for (size_t i = 0; i < count; ++i) {
      vectors.push_back(Vector());
    }
    return vectors;
  }

  void Upsert(uint64_t first, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      model_[id] = Vector();
      points.push_back(MakePoint(id, model_[id]));
    }
    ASSERT_OK(collection_->Upsert(std::move(points), Unlimited()));
  }
  void Delete(const std::vector<uint64_t>& ids) {
    std::vector<PointId> wanted(ids.begin(), ids.end());
    for (const uint64_t id : ids) {
      model_.erase(id);
    }
    ASSERT_OK(collection_->Delete(wanted, Unlimited()));
  }

  NormalizerCatalog& Catalog() { return **collection_->normalizers(); }

  void PutBank(const std::string& name, bool gallery, size_t count,
               ReturnWhen when = ReturnWhen::kServed) {
    BankUpload upload{name, "", gallery, Vectors(count)};
    banks_[name] = upload.vectors;
    ASSERT_OK(Catalog().PutBank(upload, Unlimited(), when));
  }
  // What serves now belongs to the banks as they are; what is put later, to
  // those that it makes.
  void RememberServed() {
    old_banks_ = banks_;
    old_versions_.clear();
    for (const NormalizerStatus& status : Catalog().ListNormalizers()) {
      old_versions_.insert(status.record.version());
    }
  }
  // As `explain` tells it.
  static uint64_t VersionIn(const std::string& plan) {
    const size_t at = plan.find(" version ");
    uint64_t version = 0;
    for (size_t i = at + 9; at != std::string::npos && i < plan.size() &&
                            plan[i] >= '0' && plan[i] <= '9';
         ++i) {
      version = version * 10 + static_cast<uint64_t>(plan[i] - '0');
    }
    return version;
  }
  storage::NormalizerRecord Record(NormalizerMethod method) {
    NormalizerSpec spec = DefaultSpec(method);
    spec.beta = 10;
    spec.tau = 0.1;
    storage::NormalizerRecord record;
    record.set_name(std::string(NameOf(method)));
    SetSpec(spec, &record);
    if (NeedsQueryBank(method)) {
      record.set_query_bank("queries");
    }
    if (NeedsGalleryBank(method)) {
      record.set_gallery_bank("gallery");
    }
    return record;
  }

  uint64_t Nearest(const Numbers& query) const {
    return NormalizerModel{&model_, &banks_}.Nearest(query);
  }

  void CheckAgainstModel(const std::string& when) {
    for (const NormalizerMethod method : methods_) {
      const NormalizerSpec spec = *SpecOf(Record(method));
      for (int i = 0; i < 6; ++i) {
        // Half of the queries lie beside a point, whose gate may be open.
        const Numbers query = Vector();
        SearchQuery search = DenseQuery(query, 10, true);
        std::get<DenseSource>(search.sources[0]).normalizer =
            std::string(NameOf(method));
        search.explain = true;
        ASSERT_OK_AND_ASSIGN(const SearchResult result,
                             collection_->Search(search, Unlimited()));
        const bool is_old = old_versions_.contains(VersionIn(result.plan));
        const std::map<uint64_t, double> exact =
            NormalizerModel{&model_, is_old ? &old_banks_ : &banks_}.Corrected(
                spec, query);
        std::vector<double> best;
        for (const auto& [id, score] : exact) {
          best.push_back(score);
        }
        std::sort(best.rbegin(), best.rend());
        ASSERT_EQ(result.hits.size(), std::min<size_t>(10, best.size()));
        const double offset =
            static_cast<double>(result.hits[0].score) - best[0];
        for (size_t rank = 0; rank < result.hits.size(); ++rank) {
          const Hit& hit = result.hits[rank];
          const double own =
              exact.at(std::get<uint64_t>(hit.point.id)) + offset;
          ASSERT_NEAR(static_cast<double>(hit.score), own, 1e-5)
              << when << " " << NameOf(method) << " rank " << rank;
          ASSERT_NEAR(own, best[rank] + offset, 1e-5)
              << when << " " << NameOf(method) << " rank " << rank;
        }
      }
    }
  }

  std::mt19937_64 random_{TestSeed()};
  std::shared_ptr<Collection> collection_;
  NormalizerModel::Points model_;
  NormalizerModel::Banks banks_;  // as they were put last
  NormalizerModel::Banks old_banks_;
  std::set<uint64_t> old_versions_;
  const std::vector<NormalizerMethod> methods_ = {
      NormalizerMethod::kInvertedSoftmax,
      NormalizerMethod::kDynamicInvertedSoftmax,
      NormalizerMethod::kCsls,
      NormalizerMethod::kNearestNeighbor,
      NormalizerMethod::kMarginDistance,
      NormalizerMethod::kDualInvertedSoftmax,
      NormalizerMethod::kDualDynamicInvertedSoftmax};
};

}  // namespace sextant::test
