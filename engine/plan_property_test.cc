// SPDX-License-Identifier: Apache-2.0
//
// Random filters of all shapes on snapshots of a collection that is written to
// and merged meanwhile: every way to search every segment is taken in turn, and
// gives the answer of a look at each row; to the bit where the way is exact,
// nearly where it estimates; by raw scores and by corrected ones.

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "base/thread_pool.h"
#include "engine/collection_writer.h"
#include "engine/compactor.h"
#include "engine/correction.h"
#include "engine/dense_search.h"
#include "engine/engine_fixture.h"
#include "engine/filter_match.h"
#include "engine/normalizer.h"
#include "engine/schema_record.h"
#include "filters/filter_generator.h"
#include "filters/filter_text.h"
#include "filters/row_filter.h"
#include "tests/support/sanitized.h"

namespace sextant {
namespace {

using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;

constexpr size_t kTestDimension = 16;
constexpr uint32_t kHits = 10;
constexpr uint64_t kIds = 2500;
constexpr int kSnapshots = kSanitized ? 4 : 12;
constexpr int kFiltersOfSnapshot = kSanitized ? 8 : 40;

// A row of any segment, as the writer knew it.
class AnyRow final : public RowFields {
 public:
  AnyRow(const SegmentView& view, Ordinal row) : view_(view), row_(row) {}

  const FieldValues& values(size_t field) const override {
    if (view_.growing != nullptr) {
      return view_.growing->values(field, row_);
    }
    values_ = view_.sealed->column(field)->ValuesOf(row_);
    return values_;
  }
  absl::string_view id() const override { return view_.id(row_); }

 private:
  const SegmentView& view_;
  const Ordinal row_;
  mutable FieldValues values_;
};

// One way to search a segment, as a plan that leaves no choice.
struct Way {
  std::string name;
  SegmentPlan plan;
  bool windowed = false;  // needs the match with the window
  bool exact = false;
};

class PlanPropertyTest : public testing::TestWithParam<Metric> {
 protected:
  PlanPropertyTest() : random_(test::TestSeed()) {
    schema_ = OneFieldSchema(kTestDimension, GetParam());
    for (const FilterField& field : SampleFields()) {
      schema_.payload_fields.push_back({field.name, field.type});
    }
    schema_.payload_fields[0].window = true;
    schema_.payload_fields[2].window = true;
  }

  void SetUp() override {
    StoreOptions options;
    options.path = dir_.path();
    options.durability = Durability::kOs;
    options.min_free_bytes = 0;
    auto store = Store::Open(options);
    ASSERT_OK(store);
    store_ = *std::move(store);
    storage::CollectionRecord definition = ToRecord("docs", schema_);
    definition.set_uuid("0123456789abcdef");
    const auto record = store_->CreateCollection(definition);
    ASSERT_OK(record);
    writer_ = std::make_unique<CollectionWriter>(store_.get(), *record, schema_,
                                                 300, events_.Sink());
    ASSERT_OK(writer_->Recover());
    compactor_ = std::make_shared<Compactor>(
        store_.get(), *record, writer_.get(),
        BackgroundThreads{&merges_, nullptr},
        CompactorOptions{.min_graph_rows = 256}, events_.Sink());
    MakeNormalizer();
  }
  void MakeNormalizer() {
    auto bank = std::make_shared<Bank>();
    bank->record.set_rows(40);
    bank->record.set_dimension(kTestDimension);
    for (uint64_t i = 0; i < bank->record.rows(); ++i) {
      const std::vector<float> row = RandomQuery();
      bank->numbers.insert(bank->numbers.end(), row.begin(), row.end());
    }
    auto record = UsualNormalizer("inverted_softmax");
    ASSERT_OK(record);
    record->set_name("is");
    record->set_field(schema_.vector_fields[0].name);
    const RequestContext context;
    auto made = Normalizer::Make(*record, schema_, bank, nullptr, {},
                                 {nullptr, context});
    ASSERT_OK(made);
    normalizer_ = *std::move(made);
  }
  void TearDown() override {
    compactor_->Stop();
    compactor_->WaitStopped();
  }

  // --- writes ---
  std::string RandomPayload(std::mt19937_64& random) const {
    const auto one = [&](FieldType type) -> std::string {
      const uint64_t r = random();
      switch (type) {
        case FieldType::kInteger:
          return absl::StrCat(r % (r % 2 == 0 ? 8 : 2200));
        case FieldType::kFloat:
          return absl::StrCat(static_cast<double>(r % 70) / 4 - 8);
        case FieldType::kTimestamp:
          return absl::StrCat(r % 900 * 1'000'000);
        case FieldType::kBoolean:
          return r % 2 == 0 ? "true" : "false";
        case FieldType::kKeyword:
          break;
      }
      return absl::StrCat("\"", r % 2 == 0 ? "s" : "t", r % 30, "\"");
    };
    std::vector<std::string> members;
    for (const PayloadFieldSchema& field : schema_.payload_fields) {
      const uint64_t r = random() % 8;
      if (r == 0) {
        continue;
      }
      members.push_back(absl::StrCat(
          "\"", field.name, "\":",
          field.window || r < 6
              ? one(field.type)
              : absl::StrCat("[", one(field.type), ",", one(field.type), "]")));
    }
    return absl::StrCat("{", absl::StrJoin(members, ","), "}");
  }
  void Commit(absl::StatusOr<PreparedWrite> write) {
    ASSERT_OK(write);
    QueuedWrite queued;
    queued.write = *std::move(write);
    QueuedWrite* const group[] = {&queued};
    writer_->CommitGroup(group);
    ASSERT_OK(queued.status);
  }
  void WriteSome(std::mt19937_64& random, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t id = random() % kIds;
      points.push_back(MakePoint(id, SeededVector(random(), kTestDimension),
                                 RandomPayload(random)));
    }
    Commit(PrepareUpsert(schema_, std::move(points), Unlimited()));
    if (random() % 2 == 0) {
      std::vector<PointId> ids;
      for (uint64_t i = 0; i <= count / 3; ++i) {
        ids.emplace_back(random() % kIds);
      }
      Commit(PrepareDelete(schema_, ids));
    }
    if (random() % 4 == 0) {
      writer_->Freeze();
    }
    compactor_->Schedule(compactor_);
  }

  // --- filters ---
  // Every other one has a window, alone or beside something else.
  Filter RandomFilter() {
    FilterGenerator generator(&random_);
    Filter other = generator.Next(3);
    const uint64_t kind = random_() % 4;
    if (kind >= 2) {
      return other;
    }
    const auto low = static_cast<int64_t>(random_() % 2200);
    FilterRange range{.field = schema_.payload_fields[0].name};
    range.low = low;
    range.high = low + static_cast<int64_t>(random_() % 1500);
    Filter window = {std::move(range), ""};
    if (kind == 0) {
      return window;
    }
    FilterAnd both;
    both.parts.push_back(std::move(other));
    both.parts.push_back(std::move(window));
    return {std::move(both), ""};
  }

  // --- ways ---
  static std::vector<Way> WaysOf(const SegmentView& view,
                                 const SegmentMatch& windowed) {
    SegmentPlan bare;
    bare.number = view.number();
    bare.growing = view.growing != nullptr;
    const auto way = [&](const char* name, SearchMethod method, bool exact) {
      Way result{name, bare, false, exact};
      result.plan.method = method;
      return result;
    };
    std::vector<Way> ways = {way("scan", SearchMethod::kScan, true)};
    if (view.growing != nullptr) {
      return ways;
    }
    ways.push_back(way("matches", SearchMethod::kScanMatches, true));
    const VectorIndex& index = view.sealed->field(0);
    if (index.has_codes()) {
      ways.push_back(way("estimates", SearchMethod::kEstimateMatches, false));
    }
    if (index.has_graph()) {
      ways.push_back(way("graph", SearchMethod::kGraph, false));
      ways.back().plan.effort = {.ef = 128};
    }
    if (windowed.window != nullptr && !windowed.is_window) {
      ways.push_back(
          way("window of matches", SearchMethod::kWindowMatches, false));
      ways.back().windowed = true;
    }
    if (windowed.is_window && windowed.ranks.count > 0) {
      ways.push_back(way("window scan", SearchMethod::kWindow, false));
      ways.back().windowed = true;
      if (index.has_graph()) {
        ways.push_back(ways.back());
        ways.back().name = "window graph";
        ways.back().plan.window = {.method = WindowMethod::kGraph,
                                   .effort = {.ef = 256},
                                   .expected_distances = 1000};
      }
    }
    return ways;
  }

  // The best of what a look at each row finds; `all` is what a search without a
  // filter gives, best first.
  static std::vector<Candidate> Expected(const BoundFilter& filter,
                                         const SegmentView& view,
                                         const std::vector<Candidate>& all) {
    std::vector<Candidate> best;
    for (const Candidate& candidate : all) {
      if (best.size() < kHits &&
          RowMatches(filter, AnyRow(view, candidate.row))) {
        best.push_back(candidate);
      }
    }
    return best;
  }

  void CheckFilter(const Snapshot& snapshot, const Filter& filter) {
    const std::vector<float> query = RandomQuery();
    const auto bound = BindFilterTo(snapshot, filter);
    ASSERT_OK(bound);
    Snapshot one = snapshot;
    uint64_t live = 0;
    for (const auto& view : snapshot.segments) {
      live += view->live();
      one.segments = {view};
      CheckSegment(one, *bound, query, nullptr);
      const auto correction = Correction::Make(normalizer_, one, Unlimited());
      ASSERT_OK(correction);
      SCOPED_TRACE("corrected");
      CheckSegment(one, *bound, query, &*correction);
    }
    ASSERT_EQ(live, snapshot.state.live_count);
  }

  // `one` is a snapshot of one segment.
  void CheckSegment(const Snapshot& one, const BoundFilter& filter,
                    const std::vector<float>& query,
                    const Correction* correction) {
    const SegmentView& view = *one.segments[0];
    DensePlan scan;
    scan.candidates = static_cast<uint32_t>(kIds);
    scan.segments.emplace_back().growing = view.growing != nullptr;
    StageTiming timing;
    const auto all = RunDense(one, {scan, query, Unlimited(), correction},
                              std::nullopt, &timing);
    ASSERT_OK(all);
    ASSERT_EQ(all->size(), view.live());
    const std::vector<Candidate> expected = Expected(filter, view, *all);
    const auto plain = MatchSegments(filter, one, std::nullopt, Unlimited());
    const auto windowed = MatchSegments(filter, one, 0, Unlimited());
    ASSERT_OK(plain);
    ASSERT_OK(windowed);
    for (const Way& way : WaysOf(view, (*windowed)[0])) {
      SCOPED_TRACE(absl::StrCat(way.name, " of segment ", way.plan.number,
                                way.plan.growing ? ", growing" : ""));
      DensePlan plan;
      plan.candidates = kHits;
      plan.segments = {way.plan};
      const Matches matches(way.windowed ? *windowed : *plain);
      const auto found = RunDense(one, {plan, query, Unlimited(), correction},
                                  matches, &timing);
      ASSERT_OK(found);
      Compare(way, *found, expected);
    }
  }

  void Compare(const Way& way, const std::vector<Candidate>& found,
               const std::vector<Candidate>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    uint64_t right = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const auto same =
          std::find_if(expected.begin(), expected.end(),
                       [&](const Candidate& c) { return c.id == found[i].id; });
      if (same != expected.end()) {
        EXPECT_EQ(same->score, found[i].score);
        ++right;
      }
      if (way.exact) {
        EXPECT_EQ(found[i].id, expected[i].id) << "place " << i;
      } else if (i > 0) {
        EXPECT_TRUE(Better(found[i - 1], found[i]));
      }
    }
    wanted_[way.name] += expected.size();
    right_[way.name] += right;
  }

  std::vector<float> RandomQuery() {
    std::vector<float> query = SeededVector(random_(), kTestDimension);
    if (GetParam() == Metric::kCosine) {
      EXPECT_TRUE(Normalize(query));
    }
    return query;
  }

  std::mt19937_64 random_;
  Schema schema_;
  const TempDir dir_;
  test::EventLog events_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<CollectionWriter> writer_;
  ThreadPool merges_{{.name = "merge", .threads = 1}};
  std::shared_ptr<Compactor> compactor_;
  std::shared_ptr<const Normalizer> normalizer_;
  // Hits of the expected answers, and those that were found, by way.
  std::map<std::string, uint64_t> wanted_;
  std::map<std::string, uint64_t> right_;
};

TEST_P(PlanPropertyTest, EveryWayGivesTheSame) {
  std::mt19937_64 written(random_());
  for (int i = 0; i < 10; ++i) {
    WriteSome(written, 150);
  }
  ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  std::atomic<bool> done{false};
  auto writing = std::make_unique<Thread>("writer", [&] {
    // Bounded, so that a slow reader does not meet more and more.
    for (int i = 0; i < 200 && !done; ++i) {
      WriteSome(written, 1 + written() % 60);
    }
  });
  for (int i = 0; i < kSnapshots && !HasFatalFailure(); ++i) {
    const std::shared_ptr<const Snapshot> snapshot = writer_->snapshot();
    for (int j = 0; j < kFiltersOfSnapshot && !HasFatalFailure(); ++j) {
      const Filter filter = RandomFilter();
      SCOPED_TRACE(ToString(filter));
      CheckFilter(*snapshot, filter);
    }
  }
  done = true;
  writing.reset();
  for (const char* way : {"scan", "matches", "estimates", "graph",
                          "window of matches", "window scan", "window graph"}) {
    EXPECT_GT(wanted_[way], 0U) << way << " was never taken";
    EXPECT_GE(static_cast<double>(right_[way]),
              0.95 * static_cast<double>(wanted_[way]))
        << way;
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, PlanPropertyTest,
                         testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                         Metric::kL2),
                         [](const auto& tested) {
                           return std::string(MetricName(tested.param));
                         });

}  // namespace
}  // namespace sextant
