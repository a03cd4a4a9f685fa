// SPDX-License-Identifier: Apache-2.0
#include "engine/damaged_collection.h"

#include <utility>

#include "engine/schema_record.h"

namespace sextant {
namespace {

class DamagedCollection final : public Collection {
 public:
  DamagedCollection(const storage::CollectionRecord& record,
                    absl::Status damage)
      : name_(record.name()),
        create_time_us_(record.create_time_us()),
        damage_(std::move(damage)) {
    if (absl::StatusOr<Schema> schema = SchemaFromRecord(record); schema.ok()) {
      schema_ = std::make_shared<const Schema>(*std::move(schema));
    }
  }

  const std::string& name() const override { return name_; }
  std::shared_ptr<const Schema> schema() const override { return schema_; }
  absl::Status AddPayloadField(const PayloadFieldSchema& /*field*/,
                               const RequestContext& /*context*/) override {
    return damage_;
  }
  absl::Status UpdateTextField(const TextFieldUpdate& /*update*/,
                               const RequestContext& /*context*/) override {
    return damage_;
  }
  absl::StatusOr<PreparedWrite> PrepareUpsert(
      std::vector<Point> /*points*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<std::vector<WriteResult>> CommitAll(
      std::vector<PreparedWrite> /*writes*/,
      const RequestContext& /*context*/) override {
    return damage_;
  }
  absl::StatusOr<WriteResult> Delete(
      std::span<const PointId> /*ids*/,
      const RequestContext& /*context*/) override {
    return damage_;
  }
  absl::StatusOr<std::vector<Point>> Get(
      std::span<const PointId> /*ids*/, const Projection& /*projection*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<ScrollPage> Scroll(
      const std::optional<PointId>& /*after*/, uint32_t /*limit*/,
      const Projection& /*projection*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<PointCount> Count() const override { return damage_; }
  absl::StatusOr<PointCount> CountMatching(
      const Filter& /*filter*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<WriteResult> DeleteMatching(
      const Filter& /*filter*/, const RequestContext& /*context*/) override {
    return damage_;
  }
  absl::StatusOr<FilteredPage> ScrollMatching(
      const PageQuery& /*query*/, const PageFetch& /*fetch*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<FacetCounts> Facets(
      const FacetQuery& /*query*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  absl::StatusOr<SearchResult> Search(
      const SearchQuery& /*query*/,
      const RequestContext& /*context*/) const override {
    return damage_;
  }
  std::vector<absl::StatusOr<SearchResult>> SearchBatch(
      std::span<const SearchQuery> queries,
      const RequestContext& /*context*/) const override {
    return std::vector<absl::StatusOr<SearchResult>>(queries.size(), damage_);
  }
  absl::StatusOr<NormalizerCatalog*> normalizers() override { return damage_; }
  absl::StatusOr<PinnedCollection> Pin() const override { return damage_; }
  void RememberHubness(HubnessRecord /*record*/) override {}
  absl::StatusOr<AdapterCatalog*> adapters() override { return damage_; }
  absl::StatusOr<QuerySampler*> queries() override { return damage_; }
  absl::StatusOr<QueryWatch*> query_watch() override { return damage_; }
  CollectionInfo Info() const override {
    CollectionInfo info;
    info.name = name_;
    info.schema = *schema_;
    info.create_time_us = create_time_us_;
    info.health = damage_;
    return info;
  }
  absl::Status SealAndWait(const RequestContext& /*context*/) override {
    return damage_;
  }

 private:
  const std::string name_;
  const int64_t create_time_us_;
  const absl::Status damage_;
  std::shared_ptr<const Schema> schema_ = std::make_shared<const Schema>();
};

}  // namespace

std::shared_ptr<Collection> MakeDamagedCollection(
    const storage::CollectionRecord& record, absl::Status damage) {
  return std::make_shared<DamagedCollection>(record, std::move(damage));
}

}  // namespace sextant
