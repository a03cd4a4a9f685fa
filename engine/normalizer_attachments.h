// SPDX-License-Identifier: Apache-2.0
//
// How banks, normalisers and their state lie in the store.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/normalizer.h"
#include "engine/normalizer_change.h"
#include "engine/schema.h"
#include "storage/store.h"

namespace sextant {

// Reads and writes the attachments of one collection that begin with "bank",
// "normalizer" and "bias" (storage/format.proto). Those that are written
// together are collected first.
//
// Thread-safe. kDataLoss for what cannot be read, the store's error for what
// cannot be written.
class NormalizerAttachments {
 public:
  using Writes = std::vector<Store::Attachment>;

  // All outlives it.
  NormalizerAttachments(Store* store, CollectionNumber collection,
                        const Schema* schema)
      : store_(store), collection_(collection), schema_(schema) {}

  absl::StatusOr<std::vector<std::shared_ptr<const Bank>>> Banks() const;
  absl::StatusOr<std::vector<storage::NormalizerRecord>> Normalizers() const;
  // In the order in which they came.
  absl::StatusOr<std::vector<std::shared_ptr<NormalizerChange>>> Changes()
      const;
  // Puts what is stored of sealed segments into the normaliser; what cannot be
  // read is left out.
  void Restore(const Normalizer& normalizer, const Snapshot& snapshot) const;

  // All or nothing.
  absl::Status Write(const Writes& writes) const;
  // What is known of a sealed segment.
  absl::Status WriteBias(const Normalizer& normalizer,
                         const SegmentView& view) const;
  // Names of what is stored of segments.
  absl::StatusOr<std::vector<std::string>> Biases() const;
  absl::Status RemoveBiases(
      const absl::flat_hash_set<std::string>& names) const;

  // The rows, in chunks that the record counts then.
  static void AddRows(Bank* bank, Writes* writes);
  static void RemoveRows(const storage::BankRecord& record, Writes* writes);
  static void AddBank(const storage::BankRecord& record, Writes* writes);
  static void RemoveBank(absl::string_view name, Writes* writes);
  static void AddNormalizer(const storage::NormalizerRecord& record,
                            Writes* writes);
  static void RemoveNormalizer(absl::string_view name, Writes* writes);
  static void AddChange(const NormalizerChange& change, Writes* writes);
  static void RemoveChange(const NormalizerChange& change, Writes* writes);
  static std::string BiasName(uint64_t version, uint32_t segment);
  // Of the normaliser; 0: it is no such name.
  static uint64_t VersionOfBias(absl::string_view name);

 private:
  absl::StatusOr<std::shared_ptr<const Bank>> BankOf(
      storage::BankRecord record) const;

  Store* const store_;
  const CollectionNumber collection_;
  const Schema* const schema_;
};

}  // namespace sextant
