// SPDX-License-Identifier: Apache-2.0
//
// Text fields that are analysed in another way when a collection has points:
// their texts are indexed anew, the old index answers until all are, and then
// everything is as if the new analysis had been there from the beginning.

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"

namespace sextant {
namespace {

using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

constexpr size_t kTextVectorSize = 8;

const AnalyzerSpec kEnglish = {.language = "english",
                               .stop_words = {"_english_"}};

// The analysers of these tests treat them in different ways.
constexpr std::array<const char*, 12> kBodyWords = {
    "running", "runs",  "the",     "Photos", "photo", "Café",
    "apples",  "apple", "editing", "of",     "edits", "weather"};

std::string BodyOf(uint64_t id) {
  std::string body;
  for (uint64_t i = 0; i <= id % 7; ++i) {
    absl::StrAppend(
        &body, kBodyWords[(id * 5 + i * i + id / 7) % kBodyWords.size()], " ");
  }
  return body;
}

Point TextPoint(uint64_t id) {
  // Some lack it, some have two strings.
  const std::string body =
      id % 11 == 0
          ? ""
          : absl::StrCat(
                "\"body\":[\"", BodyOf(id), "\"",
                id % 5 == 0 ? absl::StrCat(",\"", BodyOf(id + 1), "\"") : "",
                "],");
  return MakePoint(id, SeededVector(id, kTextVectorSize),
                   absl::StrCat("{", body, R"("title":")", BodyOf(id + 3),
                                R"(","rank":)", id % 100, "}"));
}

std::vector<Point> TextPoints(uint64_t first, uint64_t count) {
  std::vector<Point> points;
  for (uint64_t id = first; id < first + count; ++id) {
    points.push_back(TextPoint(id));
  }
  return points;
}

TextFieldUpdate BodyAs(const AnalyzerSpec& analysis) {
  return {.field = "body", .analysis = analysis};
}

bool IsIndexed(const Collection& collection) {
  return !collection.Info().text_change.has_value();
}

// What a search says of the hits; fragments of the best ones alone, as they
// take most of the time.
std::string Hits(const Collection& collection, const TextQuery& text,
                 bool highlighted) {
  TextSource source;
  source.query = text;
  source.fields = {{"body"}, {"title", 0.5F}};
  SearchQuery query;
  query.sources = {source};
  query.limit = highlighted ? 10 : 1000;
  if (highlighted) {
    query.highlight = Highlighting();
  }
  const auto result = collection.Search(query, Unlimited());
  if (!result.ok()) {
    return result.status().ToString();
  }
  std::string answer;
  for (const Hit& hit : result->hits) {
    absl::StrAppend(&answer, ToString(hit.point.id), " ", hit.score);
    for (const FieldHighlight& field : hit.highlights) {
      for (const HighlightFragment& fragment : field.fragments) {
        absl::StrAppend(&answer, " ", field.field, "=", fragment.text);
        for (const TextRange& match : fragment.matches) {
          absl::StrAppend(&answer, " ", match.begin, "-", match.end);
        }
      }
    }
    absl::StrAppend(&answer, "\n");
  }
  return answer;
}

// All that searches say of texts.
std::string Answer(const Collection& collection, const TextQuery& text) {
  return Hits(collection, text, false) + Hits(collection, text, true);
}

class TextChangeTest : public test::DatabaseFixture {
 protected:
  void SetUp() override { Open(); }

  std::shared_ptr<Collection> Make(const std::string& name,
                                   const AnalyzerSpec& analysis,
                                   bool positions = true) {
    Schema schema = OneFieldSchema(kTextVectorSize);
    schema.text_fields = {
        {.name = "body", .analysis = analysis, .positions = positions},
        {.name = "title"}};
    return Create(name, schema);
  }
  // Sealed, frozen and growing points, some of them dead.
  static void Fill(Collection* collection) {
    ASSERT_OK(collection->Upsert(TextPoints(0, 700), Unlimited()));
    ASSERT_OK(collection->SealAndWait(Unlimited()));
    ASSERT_OK(collection->Upsert(TextPoints(650, 120), Unlimited()));
    DeleteEvery(13, collection);
  }
  static void DeleteEvery(uint64_t step, Collection* collection) {
    std::vector<PointId> ids;
    for (uint64_t id = 0; id < 700; id += step) {
      ids.emplace_back(id);
    }
    ASSERT_OK(collection->Delete(ids, Unlimited()));
  }
  // Both say the same of every query.
  static void ExpectEqual(const Collection& collection,
                          const Collection& expected) {
    for (const TextQuery& query : std::vector<TextQuery>{
             {.text = "run"},
             {.text = "running the photo"},
             {.text = "cafe apple of"},
             {.kind = TextQueryKind::kPhrase, .text = "edits the"},
             {.kind = TextQueryKind::kPhrase, .text = "apples", .slop = 2},
             {.kind = TextQueryKind::kPrefix, .text = "photo"},
             {.text = "ca"}}) {
      EXPECT_EQ(Answer(collection, query), Answer(expected, query))
          << query.text;
    }
  }

  // Makes merges of the first collection fail.
  void BlockMerges() {
    std::filesystem::rename(SegmentFolder(), SegmentFolder() + ".away");
    std::ofstream(SegmentFolder()) << "a file where the directory should be";
  }
  void UnblockMerges() {
    std::filesystem::remove(SegmentFolder());
    std::filesystem::rename(SegmentFolder() + ".away", SegmentFolder());
  }
  std::string SegmentFolder() const { return dir_.path() + "/segments/1"; }
};

TEST_F(TextChangeTest, IsAsIfItHadBeenSoFromTheBeginning) {
  struct Case {
    const char* name;
    AnalyzerSpec before;
    AnalyzerSpec after;
    bool positions = true;
  };
  for (const Case& c : std::vector<Case>{
           {"language", {}, kEnglish},
           {"back", kEnglish, {}},
           {"accents", {}, {.fold_accents = false}},
           {"keyword", {}, {.kind = AnalyzerKind::kKeyword}},
           {"grams", kEnglish, {.kind = AnalyzerKind::kNgram}},
           {"positions", {}, kEnglish, false},
       }) {
    SCOPED_TRACE(c.name);
    const auto docs = Make(absl::StrCat("docs-", c.name), c.before);
    const auto expected =
        Make(absl::StrCat("expected-", c.name), c.after, c.positions);
    Fill(docs.get());
    Fill(expected.get());
    TextFieldUpdate update = BodyAs(c.after);
    update.positions = c.positions;
    ASSERT_OK(docs->UpdateTextField(update, Unlimited()));
    for (Collection* collection : {docs.get(), expected.get()}) {
      ASSERT_OK(collection->Upsert(TextPoints(800, 30), Unlimited()));
      DeleteEvery(29, collection);
    }
    ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
    EXPECT_EQ(docs->schema()->text_fields[0].analysis, c.after);
    EXPECT_EQ(docs->schema()->text_fields[0].positions, c.positions);
    EXPECT_EQ(docs->Info().content_hash, expected->Info().content_hash);
    ExpectEqual(*docs, *expected);
    ASSERT_OK(docs->SealAndWait(Unlimited()));
    ExpectEqual(*docs, *expected);
    EXPECT_EQ(docs->Info().index.payload_misfits, 0U);
  }
  Reopen();
  for (const char* name : {"language", "back", "keyword", "positions"}) {
    SCOPED_TRACE(name);
    const auto docs = Find(absl::StrCat("docs-", name));
    ExpectEqual(*docs, *Find(absl::StrCat("expected-", name)));
    EXPECT_EQ(docs->Info().index.rebuilds, 0U);
  }
  EXPECT_OK(database_->Verify());
}

// One change after another; the postings of one are not taken for another's.
TEST_F(TextChangeTest, ManyChangesInTurn) {
  const auto docs = Make("docs", {});
  const auto expected = Make("expected", kEnglish);
  const auto plain = Make("plain", {});
  for (Collection* collection : {docs.get(), expected.get(), plain.get()}) {
    Fill(collection);
  }
  for (int i = 0; i < 4; ++i) {
    const bool english = i % 2 == 0;
    ASSERT_OK(docs->UpdateTextField(BodyAs(english ? kEnglish : AnalyzerSpec()),
                                    Unlimited()));
    ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
    ExpectEqual(*docs, english ? *expected : *plain);
  }
  // Another field, with a payload field in between.
  ASSERT_OK(docs->UpdateTextField({"title", kEnglish}, Unlimited()));
  ASSERT_OK(docs->AddPayloadField({"rank", FieldType::kInteger}, Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_EQ(docs->schema()->payload_fields.size(), 1U);
  EXPECT_EQ(docs->schema()->text_fields[1].analysis, kEnglish);
  EXPECT_EQ(docs->schema()->text_fields[0].analysis, AnalyzerSpec());
  EXPECT_TRUE(docs->Info().fills.empty());
}

// The graph and what was measured of it stay as they are.
TEST_F(TextChangeTest, KeepsTheSegmentsAsTheyAre) {
  const auto docs = Make("docs", {});
  Fill(docs.get());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  const IndexStats before = docs->Info().index;
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
  const IndexStats after = docs->Info().index;
  EXPECT_EQ(after.sealed_segments, before.sealed_segments);
  EXPECT_EQ(after.dead_rows, before.dead_rows);
  EXPECT_EQ(after.memory.graph, before.memory.graph);
  EXPECT_TRUE(test::WaitUntil([&] {
    return events_.CountOf("indexed texts anew in segment") ==
           before.sealed_segments;
  })) << events_.Text();
  EXPECT_EQ(events_.CountOf("text field 'body' is searched by its new index"),
            1U);
}

TEST_F(TextChangeTest, TheOldIndexAnswersUntilAllIsDone) {
  const auto docs = Make("docs", {});
  const auto before = Make("before", {});
  const auto after = Make("after", kEnglish);
  for (Collection* collection : {docs.get(), before.get(), after.get()}) {
    Fill(collection);
    ASSERT_OK(collection->SealAndWait(Unlimited()));
  }
  BlockMerges();
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  ExpectEqual(*docs, *before);
  for (Collection* collection : {docs.get(), before.get(), after.get()}) {
    ASSERT_OK(collection->Upsert(TextPoints(690, 320), Unlimited()));
    DeleteEvery(17, collection);
  }
  ExpectEqual(*docs, *before);
  EXPECT_NE(Answer(*docs, {.text = "run"}), Answer(*after, {.text = "run"}));
  EXPECT_EQ(docs->schema()->text_fields[0].analysis, AnalyzerSpec());
  EXPECT_FALSE(docs->SealAndWait(Unlimited()).ok());
  ExpectEqual(*docs, *before);
  const CollectionInfo info = docs->Info();
  ASSERT_TRUE(info.text_change.has_value());
  EXPECT_EQ(info.text_change->next.name, "body");
  EXPECT_EQ(info.text_change->next.analysis, kEnglish);
  EXPECT_EQ(info.text_change->points_total, info.point_count);
  // An attempt that failed counts no more.
  EXPECT_TRUE(test::WaitUntil([&] {
    return docs->Info().text_change->points_done < info.point_count;
  }));
  EXPECT_GE(docs->Info().text_change->points_done, 300U) << "written since";
  UnblockMerges();
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_TRUE(IsIndexed(*docs));
  ExpectEqual(*docs, *after);
}

// Ends the process' work in the middle, before the first posting is made.
TEST_F(TextChangeTest, ARestartGoesOnWithIt) {
  auto docs = Make("docs", {});
  {
    const auto before = Make("before", {});
    const auto after = Make("after", kEnglish);
    for (Collection* collection : {docs.get(), before.get(), after.get()}) {
      Fill(collection);
    }
  }
  BlockMerges();
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  docs.reset();
  UnblockMerges();
  database_.reset();
  Open();
  docs = Find("docs");
  EXPECT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }))
      << "without a write or a call";
  EXPECT_EQ(docs->Info().index.rebuilds, 0U);
  ExpectEqual(*docs, *Find("after"));
  docs.reset();
  ReopenWithoutClose();
  docs = Find("docs");
  EXPECT_TRUE(IsIndexed(*docs));
  EXPECT_EQ(docs->Info().index.rebuilds, 0U);
  ExpectEqual(*docs, *Find("after"));
}

// Made anew from the points, while a change goes on.
TEST_F(TextChangeTest, ARebuildGoesOnWithIt) {
  auto docs = Make("docs", {});
  Fill(docs.get());
  Fill(Make("after", kEnglish).get());
  BlockMerges();
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  docs.reset();
  database_.reset();
  std::filesystem::remove(SegmentFolder());
  Open();
  docs = Find("docs");
  EXPECT_EQ(docs->Info().index.rebuilds, 1U);
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_TRUE(IsIndexed(*docs));
  ExpectEqual(*docs, *Find("after"));
}

TEST_F(TextChangeTest, ACollectionWithoutPointsChangesAtOnce) {
  const auto docs = Make("docs", {});
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
  const auto expected = Make("expected", kEnglish);
  Fill(docs.get());
  Fill(expected.get());
  ExpectEqual(*docs, *expected);
}

TEST_F(TextChangeTest, IsTakenBackByAskingForWhatItIs) {
  const auto docs = Make("docs", {});
  const auto before = Make("before", {});
  const auto grams =
      Make("grams", {.kind = AnalyzerKind::kNgram, .min_gram = 2});
  for (Collection* collection : {docs.get(), before.get(), grams.get()}) {
    Fill(collection);
  }
  BlockMerges();
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  for (Collection* collection : {docs.get(), before.get(), grams.get()}) {
    ASSERT_OK(collection->Upsert(TextPoints(690, 40), Unlimited()));
  }
  ASSERT_OK(docs->UpdateTextField(BodyAs({}), Unlimited()));
  EXPECT_TRUE(IsIndexed(*docs));
  ExpectEqual(*docs, *before);
  UnblockMerges();
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ExpectEqual(*docs, *before);
  ASSERT_OK(docs->UpdateTextField(
      BodyAs({.kind = AnalyzerKind::kNgram, .min_gram = 2}), Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ExpectEqual(*docs, *grams);
}

// Such a write was analysed for the indexes of before.
TEST_F(TextChangeTest, AWritePreparedBeforeIsAnalysedAgain) {
  const auto docs = Make("docs", {});
  const auto expected = Make("expected", kEnglish);
  auto first = docs->PrepareUpsert(TextPoints(1, 50), Unlimited());
  ASSERT_OK(first);
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  auto second = docs->PrepareUpsert(TextPoints(60, 50), Unlimited());
  ASSERT_OK(second);
  ASSERT_OK(docs->Commit(*std::move(first), Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
  ASSERT_OK(docs->Commit(*std::move(second), Unlimited()));
  ASSERT_OK(expected->Upsert(TextPoints(1, 50), Unlimited()));
  ASSERT_OK(expected->Upsert(TextPoints(60, 50), Unlimited()));
  ExpectEqual(*docs, *expected);
}

TEST_F(TextChangeTest, RefusesWhatCannotBe) {
  const auto docs = Make("docs", {});
  Fill(docs.get());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  struct Case {
    TextFieldUpdate update;
    absl::StatusCode code;
    const char* message;
  };
  const auto expect = [&](const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      EXPECT_THAT(docs->UpdateTextField(c.update, Unlimited()),
                  StatusIs(c.code, HasSubstr(c.message)));
    }
  };
  expect({{{"none", kEnglish},
           absl::StatusCode::kInvalidArgument,
           "field: the collection has no such text field"},
          {{"rank", kEnglish}, absl::StatusCode::kInvalidArgument, "field"},
          {BodyAs({.language = "klingon"}), absl::StatusCode::kInvalidArgument,
           "analyzer.language"},
          {BodyAs({.kind = AnalyzerKind::kNgram, .min_gram = 9}),
           absl::StatusCode::kInvalidArgument, "analyzer"}});
  // As it is: nothing to do.
  EXPECT_OK(docs->UpdateTextField(BodyAs({}), Unlimited()));
  EXPECT_OK(docs->UpdateTextField({.field = "body"}, Unlimited()));
  EXPECT_TRUE(IsIndexed(*docs));
  BlockMerges();
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  EXPECT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited())) << "again";
  EXPECT_OK(
      docs->UpdateTextField({.field = "body", .positions = true}, Unlimited()));
  EXPECT_FALSE(IsIndexed(*docs)) << "positions are as they are going to be";
  expect(
      {{BodyAs({.language = "german"}), absl::StatusCode::kFailedPrecondition,
        "text field 'body' is being indexed anew"},
       {{.field = "body", .positions = false},
        absl::StatusCode::kFailedPrecondition,
        "one change at a time"},
       {{"title", kEnglish},
        absl::StatusCode::kFailedPrecondition,
        "points are done"}});
  EXPECT_OK(docs->UpdateTextField({"title", AnalyzerSpec()}, Unlimited()));
  EXPECT_FALSE(IsIndexed(*docs));
  RequestContext cancelled;
  cancelled.Cancel();
  EXPECT_THAT(docs->UpdateTextField(BodyAs({}), cancelled),
              StatusIs(absl::StatusCode::kCancelled));
  UnblockMerges();
}

TEST_F(TextChangeTest, ADropEndsIt) {
  auto docs = Make("docs", {});
  Fill(docs.get());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  ASSERT_OK(database_->Drop("docs"));
  EXPECT_THAT(docs->UpdateTextField(BodyAs({}), Unlimited()),
              StatusIs(absl::StatusCode::kNotFound));
  docs.reset();
  ReopenWithoutClose();
  EXPECT_EQ(database_->collection_count(), 0U);
}

// Writers and readers go on meanwhile; each answer is of one analysis only.
TEST_F(TextChangeTest, NoAnswerMixesTheTwo) {
  constexpr uint64_t kTextWriters = 2;
  constexpr uint64_t kPairsEach = 250;
  options_.seal_rows = 64;
  Reopen();
  const auto docs = Make("docs", {});
  std::vector<std::unique_ptr<Thread>> threads;
  std::atomic<uint64_t> running{kTextWriters};
  for (uint64_t writer = 0; writer < kTextWriters; ++writer) {
    threads.push_back(std::make_unique<Thread>("writer", [&, writer] {
      // Ids are even where the word is as the query has it.
      for (uint64_t n = 0; n < kPairsEach; ++n) {
        const uint64_t id = 2 * (n / 2 * kTextWriters + writer);
        EXPECT_OK(docs->Upsert(
            {MakePoint(id, SeededVector(id, kTextVectorSize),
                       R"({"body":"running"})"),
             MakePoint(id + 1, SeededVector(id + 1, kTextVectorSize),
                       R"({"body":"runs"})")},
            Unlimited()));
      }
      --running;
    }));
  }
  std::atomic<bool> seen_new{false};
  threads.push_back(std::make_unique<Thread>("reader", [&] {
    TextSource source;
    source.query.text = "running";
    source.fields = {{"body"}};
    SearchQuery query;
    query.sources = {source};
    query.limit = 10'000;
    while (running > 0) {
      const auto found = docs->Search(query, Unlimited());
      ASSERT_OK(found);
      uint64_t odd = 0;
      for (const Hit& hit : found->hits) {
        odd += std::get<uint64_t>(hit.point.id) % 2;
      }
      if (odd > 0 || seen_new) {
        EXPECT_EQ(odd * 2, found->hits.size()) << "all have the word";
        seen_new = true;
      }
    }
  }));
  ASSERT_TRUE(test::WaitUntil([&] { return docs->Info().point_count > 100; }));
  ASSERT_OK(docs->UpdateTextField(BodyAs(kEnglish), Unlimited()));
  ASSERT_TRUE(test::WaitUntil([&] { return IsIndexed(*docs); }));
  threads.clear();
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  const uint64_t pairs = kPairsEach / 2 * kTextWriters;
  EXPECT_EQ(docs->Info().point_count, pairs * 2);
}

}  // namespace
}  // namespace sextant
