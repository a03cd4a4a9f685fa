// SPDX-License-Identifier: Apache-2.0
//
// Writes that follow from a seed, and what a collection must hold after them.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace sextant::test {

inline constexpr uint64_t kWorkThreads = 4;
inline constexpr uint32_t kWorkDimension = 32;
// Texts of points. Only an English analyser takes their verbs for one word.
inline constexpr std::array<const char*, 2> kWorkNotes = {"running fast",
                                                          "runs slowly"};

struct WorkPoint {
  uint64_t id = 0;
  std::vector<float> vector;
  std::string payload;
  friend bool operator==(const WorkPoint&, const WorkPoint&) = default;
};

using WorkModel = std::map<uint64_t, WorkPoint>;

// One request: an upsert or a delete of 1 to 100 points.
struct WorkRequest {
  std::vector<WorkPoint> upserts;
  std::vector<uint64_t> deletes;
};

// The requests of four clients that each write ids of their own: client t
// those with id % 4 == t.
class Workload {
 public:
  explicit Workload(uint64_t seed) : seed_(seed) {}

  // The n-th request of a client, counted from 1.
  WorkRequest Request(uint64_t client, uint64_t n) const {
    std::mt19937_64 random(seed_ * 1'000'003 + client * 7919 + n * 104'729);
    WorkRequest request;
    const uint64_t count = 1 + random() % (random() % 4 == 0 ? 100 : 10);
    const bool deletes = random() % 10 < 3;
    std::normal_distribution<float> normal;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t id = random() % 150 * kWorkThreads + client;
      if (deletes) {
        request.deletes.push_back(id);
        continue;
      }
      WorkPoint point{id, std::vector<float>(kWorkDimension),
                      absl::StrCat("{\"note\":\"", kWorkNotes[n % 2],
                                   "\",\"client\":", client, ",\"n\":", n,
                                   ",\"i\":", i, "}")};
      for (float& value : point.vector) {
        value = normal(random);
      }
      request.upserts.push_back(std::move(point));
    }
    return request;
  }

 private:
  const uint64_t seed_;
};

inline void Apply(WorkRequest request, WorkModel* model) {
  for (WorkPoint& point : request.upserts) {
    (*model)[point.id] = std::move(point);
  }
  for (const uint64_t id : request.deletes) {
    model->erase(id);
  }
}

// How many requests each client was told to be done, or began.
using Progress = std::array<uint64_t, kWorkThreads>;

// What was found to be written so far; a run goes on from there.
class Ledger {
 public:
  explicit Ledger(uint64_t seed) : workload_(seed) {}

  // Explains what was found: for each client all requests up to some number
  // from acknowledged to attempted, whole, and nothing else. An error says
  // what was lost, torn or made up.
  absl::Status Explain(const WorkModel& found, const Progress& acknowledged,
                       const Progress& attempted) {
    std::array<WorkModel, kWorkThreads> parts;
    for (const auto& [id, point] : found) {
      parts[id % kWorkThreads].emplace(id, point);
    }
    for (uint64_t client = 0; client < kWorkThreads; ++client) {
      WorkModel model = models_[client];
      uint64_t n = done_[client];
      while (n < acknowledged[client] ||
             (n < attempted[client] && model != parts[client])) {
        Apply(workload_.Request(client, ++n), &model);
      }
      if (model != parts[client]) {
        return absl::DataLossError(
            Difference(client, model, parts[client], acknowledged, attempted));
      }
      done_[client] = n;
      models_[client] = std::move(model);
    }
    return absl::OkStatus();
  }

  // Requests found so far, by client.
  const Progress& done() const { return done_; }

 private:
  std::string Difference(uint64_t client, const WorkModel& last,
                         const WorkModel& found, const Progress& acknowledged,
                         const Progress& attempted) const {
    std::string text =
        absl::StrCat("client ", client, ": no number of requests from ",
                     acknowledged[client], " to ", attempted[client],
                     " explains what is there; against the last of them:");
    int shown = 0;
    for (const auto& [id, point] : last) {
      const auto other = found.find(id);
      if (shown < 5 && (other == found.end() || other->second != point)) {
        ++shown;
        absl::StrAppend(
            &text, " [", id, ": expected ", point.payload, ", found ",
            other == found.end() ? "nothing" : other->second.payload, "]");
      }
    }
    for (const auto& [id, point] : found) {
      if (shown < 5 && last.count(id) == 0) {
        ++shown;
        absl::StrAppend(&text, " [", id, ": unexpected ", point.payload, "]");
      }
    }
    return text;
  }

  const Workload workload_;
  Progress done_ = {};
  std::array<WorkModel, kWorkThreads> models_;
};

}  // namespace sextant::test
