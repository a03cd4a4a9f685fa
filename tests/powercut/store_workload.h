// SPDX-License-Identifier: Apache-2.0
//
// Writes that follow from a seed, and what the store must hold after them.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/support/test_seed.h"

namespace sextant::test {

struct Request {
  std::vector<OwnedPoint> upserts;
  std::vector<std::string> deletes;
};

// The request with sequence number `seq` of the writer with `seed`.
inline Request MakeRequest(uint64_t seed, Sequence seq) {
  std::mt19937_64 random(seed * 1'000'003 + seq);
  Request request;
  const uint64_t upserts = 1 + random() % 6;
  for (uint64_t i = 0; i < upserts; ++i) {
    request.upserts.push_back(MakePoint(absl::StrCat("p", random() % 40),
                                        random(), 16, random() % 2000));
  }
  if (random() % 3 == 0) {
    request.deletes.push_back(absl::StrCat("p", random() % 40));
  }
  return request;
}

using Model = std::map<std::string, OwnedPoint>;

// What the collection holds after the requests 1 to `last`.
inline Model MakeModel(uint64_t seed, Sequence last) {
  Model model;
  for (Sequence seq = 1; seq <= last; ++seq) {
    Request request = MakeRequest(seed, seq);
    for (OwnedPoint& point : request.upserts) {
      model[point.id] = std::move(point);
    }
    for (const std::string& id : request.deletes) {
      model.erase(id);
    }
  }
  return model;
}

// Empty when the collection holds just what its applied_seq says, and that is
// at least `acknowledged`; else what is wrong.
inline std::string Difference(const Store& store, CollectionNumber collection,
                              uint64_t seed, Sequence acknowledged) {
  const absl::StatusOr<CollectionState> state = store.ReadState(collection);
  if (!state.ok()) {
    return state.status().ToString();
  }
  if (state->applied_seq < acknowledged) {
    return absl::StrCat("lost: acknowledged ", acknowledged, ", found ",
                        state->applied_seq);
  }
  const Model model = MakeModel(seed, state->applied_seq);
  const std::unique_ptr<PointScan> scan =
      store.ScanPoints(nullptr, collection, "", ReadParts());
  auto expected = model.begin();
  while (scan->Next()) {
    if (expected == model.end() || scan->id() != expected->first) {
      return absl::StrCat("unexpected point ", scan->id());
    }
    if (!SameContents(expected->second, scan->point())) {
      return absl::StrCat("wrong contents of ", scan->id());
    }
    ++expected;
  }
  if (!scan->status().ok()) {
    return scan->status().ToString();
  }
  if (expected != model.end()) {
    return absl::StrCat("missing point ", expected->first);
  }
  return state->live_count == model.size()
             ? ""
             : absl::StrCat("live_count is ", state->live_count, ", found ",
                            model.size());
}

// Seals nothing real: writes a segment file and a checkpoint that names it.
inline absl::Status WriteTestCheckpoint(
    Store* store, const storage::CollectionRecord& collection, Sequence seq) {
  const std::string bytes =
      MakePoint("segment", seq, 0, 10'000 + seq % 7 * 5'000).payload;
  const std::vector<SegmentSection> sections = {{"rows", bytes}};
  const auto segment = store->segments().Write(collection, seq, 1, sections);
  if (!segment.ok()) {
    return segment.status();
  }
  storage::CheckpointRecord checkpoint;
  checkpoint.set_seq(seq);
  checkpoint.set_next_segment_number(seq + 1);
  *checkpoint.add_segments() = *segment;
  const absl::Status status = store->WriteCheckpoint(
      collection.number(), checkpoint, seq > 5 ? seq - 5 : 0);
  if (!status.ok()) {
    return status;
  }
  const std::vector<uint64_t> keep = {seq};
  return store->segments().RemoveAllBut(collection.number(), keep);
}

}  // namespace sextant::test
