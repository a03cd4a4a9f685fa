// SPDX-License-Identifier: Apache-2.0
//
// Writers, readers, deletes, merges, creates and drops at the same time. Run
// under ThreadSanitizer; bounded by operations, not by time.

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"
#include "tests/support/sanitized.h"

namespace sextant {
namespace {

using test::MakePoint;
using test::Unlimited;

constexpr uint64_t kWriters = 4;
constexpr uint64_t kGroupsOfWriter = 6;
constexpr uint64_t kGroups = kWriters * kGroupsOfWriter;
constexpr uint64_t kGroupPoints = 5;
constexpr uint64_t kWrites = kSanitized ? 120 : 400;  // of a writer

// A group of points is written whole: version v of group g puts all its points
// at (1000 g, v), or removes them when v is a multiple of 7.
bool Removes(uint64_t version) {
  return version % 7 == 0;
}

PointId GroupId(uint64_t group, uint64_t i) {
  return group * kGroupPoints + i;
}

// {"v":123,"plain":123,"words":"n123 of all"}: two fields, one of them with a
// window, and a text.
constexpr absl::string_view kPayloadStart = "{\"v\":";
std::string Payload(uint64_t version) {
  return absl::StrCat(kPayloadStart, version, ",\"plain\":", version,
                      ",\"words\":\"n", version, " of all\"}");
}

// What the writers were told and what they began, by group.
struct Versions {
  std::array<std::atomic<uint64_t>, kGroups> acknowledged = {};
  std::array<std::atomic<uint64_t>, kGroups> attempted = {};
};

// The version that payloads of `points` agree on; 0 for none. Fails when they
// disagree or some are missing.
uint64_t OneVersion(const std::vector<Point>& points, const char* reader) {
  if (points.empty()) {
    return 0;
  }
  EXPECT_EQ(points.size(), kGroupPoints) << reader << " saw a part of a write";
  for (const Point& point : points) {
    EXPECT_EQ(point.payload, points[0].payload) << reader << " saw two writes";
  }
  absl::string_view text = points[0].payload;
  uint64_t version = 0;
  EXPECT_TRUE(absl::ConsumePrefix(&text, kPayloadStart) &&
              absl::SimpleAtoi(text.substr(0, text.find(',')), &version));
  return version;
}

class ConcurrencyTest : public test::DatabaseFixture {
 protected:
  ConcurrencyTest() : seed_(test::TestSeed()) {
    options_.store.durability = Durability::kOs;  // more writes, more races
    options_.seal_rows = 64;
    options_.min_graph_rows = 32;
    options_.default_ef = 4;  // graphs from 81 rows on
    options_.recall_probe_every = 1;
    options_.recall_probe_cpu_percent = 100;
  }

  void Write(uint64_t writer, Collection* docs) {
    for (uint64_t n = 0; n < kWrites && !HasFailure(); ++n) {
      const uint64_t group = writer * kGroupsOfWriter + n % kGroupsOfWriter;
      const uint64_t version = n / kGroupsOfWriter + 1;
      versions_.attempted.at(group) = version;
      if (Removes(version)) {
        std::vector<PointId> ids;
        for (uint64_t i = 0; i < kGroupPoints; ++i) {
          ids.push_back(GroupId(group, i));
        }
        ASSERT_OK(docs->Delete(ids, Unlimited()));
      } else {
        std::vector<Point> points;
        for (uint64_t i = 0; i < kGroupPoints; ++i) {
          points.push_back(MakePoint(GroupId(group, i),
                                     {1000.0F * static_cast<float>(group),
                                      static_cast<float>(version)},
                                     Payload(version)));
        }
        ASSERT_OK(docs->Upsert(std::move(points), Unlimited()));
      }
      versions_.acknowledged.at(group) = version;
      // What a writer was told, it sees.
      EXPECT_EQ(SearchGroup(*docs, group), Removes(version) ? 0 : version);
      EXPECT_EQ(GetGroup(*docs, group), Removes(version) ? 0 : version);
    }
  }

  uint64_t GetGroup(const Collection& docs, uint64_t group) {
    std::vector<PointId> ids;
    for (uint64_t i = 0; i < kGroupPoints; ++i) {
      ids.push_back(GroupId(group, i));
    }
    Projection payload;
    payload.payload = true;
    const auto points = docs.Get(ids, payload, Unlimited());
    EXPECT_OK(points);
    return points.ok() ? OneVersion(*points, "get") : 0;
  }

  // The version that index and store agree on.
  uint64_t SearchGroup(const Collection& docs, uint64_t group) {
    SearchQuery query = test::DenseQuery(
        {1000.0F * static_cast<float>(group), 0}, kGroupPoints, group % 2 == 0);
    query.projection.payload = true;
    const auto result = docs.Search(query, Unlimited());
    EXPECT_OK(result);
    if (!result.ok()) {
      return 0;
    }
    std::vector<Point> points;
    for (const Hit& hit : result->hits) {
      if (std::get<uint64_t>(hit.point.id) / kGroupPoints == group) {
        points.push_back(hit.point);
        EXPECT_EQ(hit.score, result->hits[0].score) << "index saw two writes";
      }
    }
    const uint64_t version = OneVersion(points, "search");
    if (version > 0) {
      const auto v = static_cast<float>(version);
      EXPECT_EQ(result->hits[0].score, -v * v) << "index and store differ";
    }
    return version;
  }

  // A read that began after version `before` was acknowledged, and ended when
  // `after` had begun, may see only versions in between.
  static void CheckSeen(uint64_t seen, uint64_t before, uint64_t after) {
    if (seen > 0) {
      EXPECT_FALSE(Removes(seen));
      EXPECT_GE(seen, before) << "an older version after a newer one was "
                                 "acknowledged";
      EXPECT_LE(seen, after);
      return;
    }
    bool removed = before == 0;
    for (uint64_t version = before; version <= after; ++version) {
      removed = removed || Removes(version);
    }
    EXPECT_TRUE(removed) << "version " << before << " is gone";
  }

  void Read(uint64_t reader, const Collection& docs) {
    std::mt19937_64 random(seed_ + reader);
    while (writing_ > 0 && !HasFailure()) {
      const uint64_t group = random() % kGroups;
      const uint64_t before = versions_.acknowledged.at(group);
      const uint64_t seen =
          random() % 4 == 0 ? GetGroup(docs, group) : SearchGroup(docs, group);
      CheckSeen(seen, before, versions_.attempted.at(group));
    }
  }

  // Scrolls see whole groups too; counts and infos just must not race.
  void Look(Collection* docs) {
    Projection payload;
    payload.payload = true;
    while (writing_ > 0 && !HasFailure()) {
      const auto page = docs->Scroll(std::nullopt, 1000, payload, Unlimited());
      ASSERT_OK(page);
      std::map<uint64_t, std::vector<Point>> groups;
      for (const Point& point : page->points) {
        groups[std::get<uint64_t>(point.id) / kGroupPoints].push_back(point);
      }
      for (const auto& [group, points] : groups) {
        OneVersion(points, "scroll");
      }
      EXPECT_EQ(docs->Count()->count % kGroupPoints, 0U);
      EXPECT_EQ(docs->Info().point_count % kGroupPoints, 0U);
      EXPECT_GE(database_->List("", 10).size(), 1U);
    }
  }

  // A filter sees whole groups, and no version that it does not let through: by
  // a window's index, by columns, and in the growing segment. `text` matches
  // versions from `low` to `high`.
  void LookThrough(const std::string& text, uint64_t low, uint64_t high,
                   const Collection& docs) {
    const auto filter = ParseFilter(text);
    ASSERT_OK(filter);
    SearchQuery query = test::DenseQuery({0, 0}, 2 * kGroups * kGroupPoints);
    query.filter = *filter;
    query.projection.payload = true;
    const auto result = docs.Search(query, Unlimited());
    ASSERT_OK(result);
    std::map<uint64_t, std::vector<Point>> groups;
    for (const Hit& hit : result->hits) {
      groups[std::get<uint64_t>(hit.point.id) / kGroupPoints].push_back(
          hit.point);
    }
    for (const auto& [group, points] : groups) {
      const uint64_t version = OneVersion(points, text.c_str());
      EXPECT_GE(version, low) << text;
      EXPECT_LE(version, high) << text;
    }
    const auto count = docs.CountMatching(*filter, Unlimited());
    ASSERT_OK(count);
    EXPECT_EQ(count->count % kGroupPoints, 0U) << text;
  }

  void FilterReads(uint64_t reader, const Collection& docs) {
    std::mt19937_64 random(seed_ + 100 + reader);
    while (writing_ > 0 && !HasFailure()) {
      // Around where some group is now, so that points enter and leave.
      const uint64_t now = versions_.attempted.at(random() % kGroups);
      const uint64_t low = now - std::min(now, random() % 4);
      const uint64_t high = now + random() % 4;
      LookThrough(absl::StrCat(low, " <= v <= ", high), low, high, docs);
      LookThrough(absl::StrCat("plain >= ", low, " and plain <= ", high), low,
                  high, docs);
    }
  }

  // Words lead to whole groups of the version that they name; with vectors
  // beside them, to all groups.
  void LookForWords(uint64_t version, bool with_vectors,
                    const Collection& docs) {
    TextSource text;
    text.query.text = absl::StrCat("n", version, " n", version + 1);
    SearchQuery query;
    query.sources = {text};
    if (with_vectors) {
      query.sources.emplace_back(
          DenseSource{"", std::vector<float>{0, 0}, 0, true});
    }
    query.limit = 2 * kGroups * kGroupPoints;
    query.projection.payload = true;
    const auto result = docs.Search(query, Unlimited());
    ASSERT_OK(result);
    std::map<uint64_t, std::vector<Point>> groups;
    for (const Hit& hit : result->hits) {
      groups[std::get<uint64_t>(hit.point.id) / kGroupPoints].push_back(
          hit.point);
    }
    for (const auto& [group, points] : groups) {
      const uint64_t seen = OneVersion(points, "words");
      if (!with_vectors) {
        EXPECT_GE(seen, version);
        EXPECT_LE(seen, version + 1);
      }
    }
  }

  void TextReads(uint64_t reader, const Collection& docs) {
    std::mt19937_64 random(seed_ + 200 + reader);
    while (writing_ > 0 && !HasFailure()) {
      LookForWords(versions_.attempted.at(random() % kGroups),
                   random() % 3 == 0, docs);
    }
  }

  void Merge(Collection* docs) {
    while (writing_ > 0) {
      EXPECT_OK(docs->SealAndWait(Unlimited()));
    }
  }

  void CreateAndDrop() {
    for (uint64_t round = 0; writing_ > 0; ++round) {
      const auto other = Create("other", test::OneFieldSchema(2));
      ASSERT_NE(other, nullptr);
      ASSERT_OK(other->Upsert(test::SeededPoints(0, 100, 2), Unlimited()));
      if (round % 2 == 0) {
        EXPECT_OK(other->SealAndWait(Unlimited()));
      }
      EXPECT_OK(database_->Drop("other"));
    }
  }

  const uint64_t seed_;
  Versions versions_;
  std::atomic<uint64_t> writing_{kWriters};
};

TEST_F(ConcurrencyTest, ReadersSeeWholeAcknowledgedWrites) {
  Open();
  Schema schema = test::OneFieldSchema(2, Metric::kL2);
  schema.payload_fields = {{"v", FieldType::kInteger, true},
                           {"plain", FieldType::kInteger}};
  schema.text_fields = {{.name = "words"}};
  Create("docs", schema);
  {
    const std::shared_ptr<Collection> docs = Find("docs");
    std::vector<std::unique_ptr<Thread>> threads;
    const auto start = [&](const char* name, std::function<void()> body) {
      threads.push_back(std::make_unique<Thread>(name, std::move(body)));
    };
    for (uint64_t i = 0; i < kWriters; ++i) {
      start("write", [this, i, &docs] {
        Write(i, docs.get());
        --writing_;
      });
      start("read", [this, i, &docs] { Read(i, *docs); });
    }
    start("look", [this, &docs] { Look(docs.get()); });
    for (uint64_t i = 0; i < 2; ++i) {
      start("filter", [this, i, &docs] { FilterReads(i, *docs); });
      start("text", [this, i, &docs] { TextReads(i, *docs); });
    }
    start("merge", [this, &docs] { Merge(docs.get()); });
    start("create and drop", [this] { CreateAndDrop(); });
    threads.clear();
    for (uint64_t group = 0; group < kGroups; ++group) {
      const uint64_t last = versions_.acknowledged.at(group);
      EXPECT_EQ(SearchGroup(*docs, group), Removes(last) ? 0 : last);
    }
  }
  EXPECT_OK(database_->Verify());
  Reopen();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U) << events_.Text();
  for (uint64_t group = 0; group < kGroups; ++group) {
    const uint64_t last = versions_.acknowledged.at(group);
    EXPECT_EQ(SearchGroup(*Find("docs"), group), Removes(last) ? 0 : last);
  }
}

// Writers of one collection are committed in groups, and each write whole.
TEST_F(ConcurrencyTest, ConcurrentWritersLoseNothing) {
  constexpr uint64_t kThreads = 8;
  constexpr uint64_t kEach = 60;
  options_.store.durability = Durability::kSync;
  Open();
  {
    const auto docs = Create("docs", test::OneFieldSchema(2, Metric::kL2));
    std::array<std::atomic<uint64_t>, kThreads* kEach + 1> seqs = {};
    {
      std::vector<std::unique_ptr<Thread>> threads;
      for (uint64_t t = 0; t < kThreads; ++t) {
        threads.push_back(std::make_unique<Thread>("write", [&, t] {
          for (uint64_t i = 0; i < kEach; ++i) {
            const auto written = docs->Upsert(
                {MakePoint(t * kEach + i, {1, static_cast<float>(i)})},
                Unlimited());
            ASSERT_OK(written);
            EXPECT_EQ(written->inserted, 1U);
            ++seqs.at(written->applied_seq);
          }
        }));
      }
    }
    for (uint64_t seq = 1; seq < seqs.size(); ++seq) {
      EXPECT_EQ(seqs.at(seq), 1U) << "each write has a number of its own";
    }
    EXPECT_EQ(docs->Count()->count, kThreads * kEach);
  }
  Reopen();
  EXPECT_EQ(Find("docs")->Count()->count, kThreads * kEach);
  EXPECT_OK(database_->Verify());
}

}  // namespace
}  // namespace sextant
