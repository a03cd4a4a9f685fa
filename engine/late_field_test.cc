// SPDX-License-Identifier: Apache-2.0
//
// Payload fields that are declared when a collection has points: their values
// are filled in from the stored payloads, and nobody is answered before.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "filters/filter_text.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::IdsOf;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

constexpr size_t kTestDimension = 8;

const PayloadFieldSchema kRank = {"rank", FieldType::kInteger, true};
const PayloadFieldSchema kLang = {"lang", FieldType::kKeyword};

Filter Parsed(const std::string& text) {
  auto filter = ParseFilter(text);
  CHECK(filter.ok()) << filter.status().ToString();
  return *std::move(filter);
}

// A rank of id % 100 (none where id % 9 == 0) and one of three languages.
Point PointOf(uint64_t id) {
  return MakePoint(
      id, SeededVector(id, kTestDimension),
      absl::StrCat("{\"lang\":\"l", id % 3, "\"",
                   id % 9 == 0 ? "" : absl::StrCat(",\"rank\":", id % 100),
                   ",\"old\":", id % 2, "}"));
}

std::vector<Point> PointsOf(uint64_t first, uint64_t count) {
  std::vector<Point> points;
  for (uint64_t id = first; id < first + count; ++id) {
    points.push_back(PointOf(id));
  }
  return points;
}

bool IsFilled(const Collection& collection) {
  return collection.Info().fills.empty();
}

class LateFieldTest : public test::DatabaseFixture {
 protected:
  void SetUp() override { Open(); }

  // `early`: fields that are declared at creation, after "old".
  std::shared_ptr<Collection> Make(
      const std::string& name, const std::vector<PayloadFieldSchema>& early) {
    Schema schema = OneFieldSchema(kTestDimension);
    schema.payload_fields = {{"old", FieldType::kInteger}};
    schema.payload_fields.insert(schema.payload_fields.end(), early.begin(),
                                 early.end());
    return Create(name, schema);
  }
  // Sealed, frozen and growing points, some of them dead.
  static void Fill(Collection* collection) {
    ASSERT_OK(collection->Upsert(PointsOf(0, 700), Unlimited()));
    ASSERT_OK(collection->SealAndWait(Unlimited()));
    ASSERT_OK(collection->Upsert(PointsOf(650, 120), Unlimited()));
    std::vector<PointId> ids;
    for (uint64_t id = 0; id < 700; id += 13) {
      ids.emplace_back(id);
    }
    ASSERT_OK(collection->Delete(ids, Unlimited()));
  }
  static uint64_t CountOf(const Collection& collection,
                          const std::string& filter) {
    const auto count = collection.CountMatching(Parsed(filter), Unlimited());
    EXPECT_OK(count);
    return count.ok() ? count->count : 0;
  }
  // Both answer every filter the same.
  static void ExpectEqual(const Collection& collection,
                          const Collection& expected) {
    for (const char* text :
         {"rank >= 10 and rank < 40", "lang = \"l1\"", "not exists(rank)",
          "rank >= 50 and lang in (\"l0\", \"l2\") and old = 1",
          "rank = 33 or lang = \"l0\""}) {
      SCOPED_TRACE(text);
      EXPECT_EQ(CountOf(collection, text), CountOf(expected, text));
      SearchQuery query =
          DenseQuery(SeededVector(1'000'000, kTestDimension), 20);
      query.filter = Parsed(text);
      const auto found = collection.Search(query, Unlimited());
      const auto other = expected.Search(query, Unlimited());
      ASSERT_OK(found);
      ASSERT_OK(other);
      EXPECT_EQ(IdsOf(*found), IdsOf(*other)) << found->plan;
    }
    const auto facets = collection.Facets({"lang", {}, 10}, Unlimited());
    ASSERT_OK(facets);
    EXPECT_EQ(facets->values,
              expected.Facets({"lang", {}, 10}, Unlimited())->values);
  }
  static void ExpectRefused(const Collection& collection) {
    const auto refused = [](const absl::Status& status) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("payload field 'rank'")));
    };
    const Filter filter = Parsed("old = 1 and not rank > 10");
    refused(collection.CountMatching(filter, Unlimited()).status());
    PageQuery page{.filter = filter, .limit = 10};
    refused(collection.ScrollMatching(page, {}, Unlimited()).status());
    page = {.order = FieldOrder{"rank", false}, .limit = 10};
    refused(collection.ScrollMatching(page, {}, Unlimited()).status());
    refused(collection.Facets({"rank", {}, 10}, Unlimited()).status());
    refused(collection.Facets({"old", filter, 10}, Unlimited()).status());
    SearchQuery query = DenseQuery(SeededVector(1, kTestDimension), 5);
    query.filter = filter;
    refused(collection.Search(query, Unlimited()).status());
    query.filter.reset();
    query.boosts.push_back({"rank", {}});
    refused(collection.Search(query, Unlimited()).status());
  }

  // Makes merges of the first collection fail.
  void BlockMerges() {
    std::filesystem::rename(Segments(), Segments() + ".away");
    std::ofstream(Segments()) << "a file where the directory should be";
  }
  void UnblockMerges() {
    std::filesystem::remove(Segments());
    std::filesystem::rename(Segments() + ".away", Segments());
  }
  std::string Segments() const { return dir_.path() + "/segments/1"; }
};

TEST_F(LateFieldTest, ValuesAreFilledInFromPayloads) {
  auto docs = Make("docs", {});
  auto expected = Make("expected", {kRank, kLang});
  Fill(docs.get());
  Fill(expected.get());
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  ASSERT_OK(docs->Upsert(PointsOf(800, 30), Unlimited()));
  ASSERT_OK(expected->Upsert(PointsOf(800, 30), Unlimited()));
  ASSERT_OK(docs->AddPayloadField(kLang, Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsFilled(*docs); }));
  EXPECT_EQ(docs->Info().schema.payload_fields.size(), 3U);
  EXPECT_EQ(docs->Info().point_count, expected->Info().point_count);
  EXPECT_EQ(docs->Info().content_hash, expected->Info().content_hash);
  ExpectEqual(*docs, *expected);
  SearchQuery query = DenseQuery(SeededVector(5, kTestDimension), 5);
  query.filter = Parsed("rank >= 20 and rank < 60");
  query.explain = true;
  EXPECT_THAT(docs->Search(query, Unlimited())->plan, HasSubstr("window scan"));
  EXPECT_GT(docs->Info().index.windows_bytes, 0U);

  docs.reset();
  expected.reset();
  Reopen();
  ExpectEqual(*Find("docs"), *Find("expected"));
  ASSERT_OK(Find("docs")->SealAndWait(Unlimited()));
  ExpectEqual(*Find("docs"), *Find("expected"));
  EXPECT_OK(database_->Verify());
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U);
}

// The graph and what was measured of it stay as they are: filling is not
// building.
TEST_F(LateFieldTest, FillingKeepsTheSegmentsAsTheyAre) {
  const auto docs = Make("docs", {});
  Fill(docs.get());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  const IndexStats before = docs->Info().index;
  SearchQuery query = DenseQuery(SeededVector(5, kTestDimension), 5);
  query.explain = true;
  const auto result = docs->Search(query, Unlimited());
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsFilled(*docs); }));
  const IndexStats after = docs->Info().index;
  EXPECT_EQ(after.sealed_segments, before.sealed_segments);
  EXPECT_EQ(after.dead_rows, before.dead_rows);
  EXPECT_EQ(after.memory.graph, before.memory.graph);
  EXPECT_GT(after.columns_bytes, before.columns_bytes);
  EXPECT_TRUE(test::WaitUntil([&] {
    return events_.CountOf("filled in payload fields in segment") ==
           before.sealed_segments;
  })) << events_.Text();
  EXPECT_EQ(IdsOf(*docs->Search(query, Unlimited())), IdsOf(*result));
}

TEST_F(LateFieldTest, NobodyIsAnsweredBefore) {
  const auto docs = Make("docs", {});
  const auto expected = Make("expected", {kRank, kLang});
  Fill(docs.get());
  Fill(expected.get());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  BlockMerges();
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  ASSERT_OK(docs->AddPayloadField(kLang, Unlimited()));
  ExpectRefused(*docs);
  EXPECT_THAT(docs->DeleteMatching(Parsed("rank = 3"), Unlimited()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  // What does not name them goes on.
  EXPECT_EQ(CountOf(*docs, "old = 1"), CountOf(*expected, "old = 1"));
  ASSERT_OK(docs->Upsert(PointsOf(900, 10), Unlimited()));
  ASSERT_OK(expected->Upsert(PointsOf(900, 10), Unlimited()));
  const CollectionInfo info = docs->Info();
  ASSERT_EQ(info.fills.size(), 2U);
  EXPECT_EQ(info.fills[0].field, "rank");
  EXPECT_EQ(info.fills[0].points_total, info.point_count);
  // A fill that is tried again counts its rows until it has failed.
  EXPECT_TRUE(test::WaitUntil([&] {
    return docs->Info().fills[0].points_done == 10;
  })) << "what was written since";
  ExpectRefused(*docs);
  EXPECT_FALSE(docs->SealAndWait(Unlimited()).ok());
  ExpectRefused(*docs);
  UnblockMerges();
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_TRUE(IsFilled(*docs));
  ExpectEqual(*docs, *expected);
}

// Ends the process' work in the middle, at each of the three steps: nothing
// filled, the sealed segments not filled, all filled but the checkpoint.
TEST_F(LateFieldTest, ARestartGoesOn) {
  auto docs = Make("docs", {});
  {
    const auto expected = Make("expected", {kRank, kLang});
    Fill(docs.get());
    Fill(expected.get());
  }
  BlockMerges();
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  docs.reset();
  // An open finds the field, and the merge that failed.
  UnblockMerges();
  database_.reset();
  Open();
  docs = Find("docs");
  ASSERT_EQ(docs->schema()->payload_fields.size(), 2U);
  ASSERT_OK(docs->AddPayloadField(kLang, Unlimited()));
  docs.reset();
  ReopenWithoutClose();
  docs = Find("docs");
  ASSERT_EQ(docs->schema()->payload_fields.size(), 3U);
  EXPECT_TRUE(test::WaitUntil([&] { return IsFilled(*docs); }))
      << "without a write or a call";
  EXPECT_EQ(docs->Info().index.rebuilds, 0U);
  ExpectEqual(*docs, *Find("expected"));
}

TEST_F(LateFieldTest, WhatDoesNotFitIsAbsentAndCounted) {
  const auto docs = Make("docs", {});
  const std::vector<std::string> payloads = {
      R"({"rank": 7})",        R"({"rank": "seven"})", R"({"rank": [1, 2]})",
      R"({"rank": {"x": 1}})", R"({"other": 1})",      ""};
  std::vector<Point> points;
  for (uint64_t id = 0; id < payloads.size(); ++id) {
    points.push_back(
        MakePoint(id, SeededVector(id, kTestDimension), payloads[id]));
  }
  ASSERT_OK(docs->Upsert(points, Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsFilled(*docs); }));
  EXPECT_EQ(CountOf(*docs, "exists(rank)"), 1U);
  EXPECT_EQ(docs->Info().index.payload_misfits, 3U);
  EXPECT_TRUE(test::WaitUntil([&] {
    return events_.CountOf("3 values of payload fields are not of") == 1;
  })) << events_.Text();
  // From now on they are checked.
  EXPECT_THAT(docs->Upsert({points[1]}, Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("points[0].payload.rank")));
}

// Such a write was checked by the schema of before.
TEST_F(LateFieldTest, AWritePreparedBeforeHasItsValues) {
  const auto docs = Make("docs", {});
  auto write = docs->PrepareUpsert(PointsOf(1, 5), Unlimited());
  ASSERT_OK(write);
  ASSERT_OK(docs->AddPayloadField(kRank, Unlimited()));
  ASSERT_OK(docs->Commit(*std::move(write), Unlimited()));
  EXPECT_EQ(CountOf(*docs, "rank = 3"), 1U);
  EXPECT_EQ(CountOf(*docs, "exists(rank)"), 5U);
}

TEST_F(LateFieldTest, BadFieldsAreRefused) {
  const auto docs = Make("docs", {kRank});
  struct Case {
    PayloadFieldSchema field;
    absl::StatusCode code;
    const char* message;
  };
  const std::vector<Case> cases = {
      {kRank, absl::StatusCode::kAlreadyExists, "'rank' exists"},
      {{"rank", FieldType::kKeyword}, absl::StatusCode::kAlreadyExists, "rank"},
      {{"", FieldType::kInteger},
       absl::StatusCode::kInvalidArgument,
       "field.name"},
      {{"\xff", FieldType::kInteger},
       absl::StatusCode::kInvalidArgument,
       "field.name"},
      {{std::string(300, 'a'), FieldType::kInteger},
       absl::StatusCode::kInvalidArgument,
       "field.name"},
      {{"rank.x", FieldType::kInteger},
       absl::StatusCode::kInvalidArgument,
       "cannot be a value and an object"},
      {{"lang", FieldType::kKeyword, true},
       absl::StatusCode::kInvalidArgument,
       "field.window"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(docs->AddPayloadField(c.field, Unlimited()),
                StatusIs(c.code, HasSubstr(c.message)));
  }
  for (size_t i = 2; i < limits::kPayloadFieldsMax; ++i) {
    ASSERT_OK(docs->AddPayloadField({absl::StrCat("f", i), FieldType::kBoolean},
                                    Unlimited()));
  }
  EXPECT_THAT(
      docs->AddPayloadField({"last", FieldType::kBoolean}, Unlimited()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 64")));
  RequestContext cancelled;
  cancelled.Cancel();
  EXPECT_THAT(docs->AddPayloadField(kLang, cancelled),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(LateFieldTest, ADroppedCollectionTakesNoField) {
  auto docs = Make("docs", {});
  ASSERT_OK(database_->Drop("docs"));
  EXPECT_THAT(docs->AddPayloadField(kRank, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound));
  docs.reset();
  ReopenWithoutClose();
  EXPECT_EQ(database_->collection_count(), 0U);
}

// Writers and readers go on while fields come; in the end all points have all
// of them, and no reader saw a wrong count.
TEST_F(LateFieldTest, WritersAndReadersGoOn) {
  constexpr uint64_t kWriterThreads = 3;
  constexpr uint64_t kRoundsEach = 40;
  constexpr uint64_t kPointsARound = 20;
  options_.seal_rows = 64;
  Reopen();
  const auto docs = Make("docs", {});
  const auto payload = [](uint64_t value) {
    return absl::StrCat("{\"a\":", value, ",\"b\":", value, ",\"old\":1}");
  };
  std::vector<std::unique_ptr<Thread>> threads;
  std::atomic<uint64_t> running{kWriterThreads};
  for (uint64_t writer = 0; writer < kWriterThreads; ++writer) {
    threads.push_back(std::make_unique<Thread>("writer", [&, writer] {
      for (uint64_t round = 0; round < kRoundsEach; ++round) {
        std::vector<Point> points;
        for (uint64_t i = 0; i < kPointsARound; ++i) {
          // Half of them overwrite what the rounds before wrote.
          const uint64_t id =
              (round / 2 * kPointsARound + i) * kWriterThreads + writer;
          points.push_back(
              MakePoint(id, SeededVector(id, kTestDimension), payload(round)));
        }
        EXPECT_OK(docs->Upsert(std::move(points), Unlimited()));
      }
      --running;
    }));
  }
  threads.push_back(std::make_unique<Thread>("reader", [&] {
    while (running > 0) {
      for (const char* field : {"a", "b"}) {
        if (!docs->schema()->FindPayloadField(field).has_value()) {
          continue;
        }
        SearchQuery query = DenseQuery(SeededVector(3, kTestDimension), 10);
        query.filter = Parsed(absl::StrCat("not exists(", field, ")"));
        const auto found = docs->Search(query, Unlimited());
        if (found.ok()) {
          EXPECT_EQ(found->hits.size(), 0U) << "every point has it";
        } else {
          EXPECT_THAT(found, StatusIs(absl::StatusCode::kFailedPrecondition));
        }
      }
    }
  }));
  ASSERT_OK(
      docs->AddPayloadField({"a", FieldType::kInteger, true}, Unlimited()));
  ASSERT_TRUE(test::WaitUntil(
      [&] { return running == 0 || docs->Info().point_count > 400; }));
  ASSERT_OK(docs->AddPayloadField({"b", FieldType::kInteger}, Unlimited()));
  threads.clear();
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsFilled(*docs); }));
  const uint64_t count = kWriterThreads * kRoundsEach / 2 * kPointsARound;
  EXPECT_EQ(docs->Info().point_count, count);
  for (uint64_t round = 1; round < kRoundsEach; round += 2) {
    for (const char* field : {"a", "b"}) {
      EXPECT_EQ(CountOf(*docs, absl::StrCat(field, " = ", round)),
                kWriterThreads * kPointsARound)
          << field << " " << round;
    }
  }
  EXPECT_EQ(docs->Info().index.payload_misfits, 0U);
}

}  // namespace
}  // namespace sextant
