// SPDX-License-Identifier: Apache-2.0
//
// For tests only: sealed segments without files.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "engine/engine_fixture.h"
#include "engine/segment_builder.h"
#include "engine/segment_table.h"

namespace sextant::test {

// A segment file in memory. Shares its bytes.
class MemorySegmentFile final : public SegmentFile {
 public:
  explicit MemorySegmentFile(std::shared_ptr<const SegmentBuild> build)
      : build_(std::move(build)) {
    for (const SegmentSection& section : build_->Sections()) {
      sections_[section.name] = section.bytes;
      size_bytes_ += section.bytes.size();
    }
  }

  absl::StatusOr<absl::string_view> Section(
      absl::string_view name) const override {
    const auto found = sections_.find(std::string(name));
    if (found == sections_.end()) {
      return absl::DataLossError(absl::StrCat("no section ", name));
    }
    return found->second;
  }
  absl::string_view FindSection(absl::string_view name) const override {
    const auto found = sections_.find(std::string(name));
    return found == sections_.end() ? absl::string_view() : found->second;
  }
  std::vector<SegmentSection> Sections() const override {
    std::vector<SegmentSection> sections;
    for (const auto& [name, bytes] : sections_) {
      sections.push_back({name, bytes});
    }
    return sections;
  }
  void Unload() const override {}
  uint64_t size_bytes() const override { return size_bytes_; }
  const std::string& path() const override { return path_; }
  // Damages or removes (null data) a section.
  void Replace(const std::string& name, absl::string_view bytes) {
    if (bytes.data() == nullptr) {
      sections_.erase(name);
    } else {
      sections_[name] = bytes;
    }
  }

 private:
  const std::shared_ptr<const SegmentBuild> build_;
  const std::string path_ = "memory";
  std::map<std::string, absl::string_view> sections_;
  uint64_t size_bytes_ = 0;
};

inline storage::SegmentRecord RecordFor(uint32_t number, uint64_t rows) {
  storage::SegmentRecord record;
  record.set_number(number);
  record.set_rows(rows);
  return record;
}

// What a merge makes of `build`, under this number; null without rows.
inline std::shared_ptr<const SealedSegment> Seal(const Schema& schema,
                                                 SegmentBuild build,
                                                 uint32_t number) {
  const uint64_t rows = build.origins.size();
  if (rows == 0) {
    return nullptr;
  }
  auto sealed = SealedSegment::Open(
      schema, RecordFor(number, rows),
      std::make_shared<MemorySegmentFile>(
          std::make_shared<const SegmentBuild>(std::move(build))));
  CHECK(sealed.ok()) << sealed.status().ToString();
  return *std::move(sealed);
}

// A field vector that owns its numbers.
struct OwnedVectors {
  std::vector<std::vector<float>> values;
  std::vector<FieldVector> fields;
};

inline OwnedVectors VectorsOf(uint64_t seed, const Schema& schema) {
  OwnedVectors vectors;
  for (size_t i = 0; i < schema.vector_fields.size(); ++i) {
    vectors.values.push_back(
        SeededVector(seed + i, schema.vector_fields[i].dimension));
  }
  for (size_t i = 0; i < vectors.values.size(); ++i) {
    vectors.fields.push_back({static_cast<uint16_t>(i), vectors.values[i]});
  }
  return vectors;
}

inline absl::StatusOr<SegmentBuild> Build(
    const Schema& schema,
    std::vector<std::shared_ptr<const SegmentView>> inputs,
    uint32_t min_graph_rows = 64) {
  return BuildSegment(schema, std::move(inputs),
                      {.min_graph_rows = min_graph_rows}, Unlimited(), nullptr);
}

}  // namespace sextant::test
