// SPDX-License-Identifier: Apache-2.0
#include "storage/column_families.h"

#include <memory>
#include <string>

#include "rocksdb/comparator.h"

namespace sextant {
namespace {

class IdOnlyHandle final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit IdOnlyHandle(uint32_t id) : name_(kFamilyNames.at(id)), id_(id) {}

  const std::string& GetName() const override { return name_; }
  uint32_t GetID() const override { return id_; }
  rocksdb::Status GetDescriptor(
      rocksdb::ColumnFamilyDescriptor* /*descriptor*/) override {
    return rocksdb::Status::NotSupported("handle without a database");
  }
  const rocksdb::Comparator* GetComparator() const override {
    return rocksdb::BytewiseComparator();
  }

 private:
  const std::string name_;
  const uint32_t id_;
};

}  // namespace

rocksdb::ColumnFamilyHandle* BatchHandle(Family family) {
  static const auto* const kHandles = [] {
    auto* handles =
        new std::array<std::unique_ptr<IdOnlyHandle>, kFamilyCount>();
    for (uint32_t id = 0; id < kFamilyCount; ++id) {
      handles->at(id) = std::make_unique<IdOnlyHandle>(id);
    }
    return handles;
  }();
  return kHandles->at(static_cast<uint32_t>(family)).get();
}

}  // namespace sextant
