// SPDX-License-Identifier: Apache-2.0
#include "index/window_index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "index/test_vectors.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 3;
constexpr size_t kHits = 10;

struct WindowCase {
  std::string name;
  Metric metric = Metric::kCosine;
  uint32_t dimension = 0;
  uint32_t bits = 4;
};

// 1,500 points in the random order of some field; every seventh has no value,
// every eleventh that has one has no vector.
class WindowIndexTest : public testing::TestWithParam<WindowCase> {
 protected:
  static constexpr uint32_t kTestPoints = 1500;

  void SetUp() override {
    const WindowCase& tested = GetParam();
    shape_ = {tested.metric, tested.dimension};
    vectors_ = ClusteredVectors(shape_, kTestPoints, 20, kTestSeed, 1.5F);
    queries_ = ClusteredVectors(shape_, 40, 20, kTestSeed + 1, 1.5F);
    VectorIndexInput input = TestInput(shape_, vectors_);
    std::erase_if(input.rows, [](const VectorIndexInput::Row& row) {
      return row.ordinal % 11 == 0;
    });
    ASSERT_OK_AND_ASSIGN(
        built_, BuildVectorIndex(input, nullptr, RequestContext(), nullptr));
    ASSERT_OK_AND_ASSIGN(index_,
                         VectorIndex::Open(shape_, kTestPoints, built_.view()));
    for (Ordinal ordinal = 0; ordinal < kTestPoints; ++ordinal) {
      if (ordinal % 7 != 0) {
        by_rank_.push_back(ordinal);
      }
    }
    std::shuffle(by_rank_.begin(), by_rank_.end(), random_);
    built_window_ = BuildWindowIndex(
        *index_, by_rank_, EncodeForWindows(*index_, tested.bits, nullptr));
    ASSERT_OK_AND_ASSIGN(
        window_,
        WindowIndex::Open(*index_, built_window_.view(), Placement::kInPlace));
  }

  std::vector<ScoredRow> Exact(std::span<const float> query, RankWindow window,
                               const std::vector<bool>& allowed) const {
    TopK top(kHits);
    for (uint32_t i = 0; i < window.count; ++i) {
      const Ordinal ordinal = by_rank_[window.first + i];
      if (ordinal % 11 != 0 && allowed[ordinal]) {
        top.Offer(TestScore(shape_.metric, query, vectors_.row(ordinal)),
                  ordinal);
      }
    }
    return top.TakeSorted();
  }

  RankWindow RandomWindow(uint32_t count) {
    return {static_cast<uint32_t>(random_() % (by_rank_.size() - count + 1)),
            count};
  }

  std::vector<ScoredRow> Scan(std::span<const float> query, RankWindow window,
                              const RowFilter& filter) const {
    TopK top(kHits);
    SearchWork work;
    EXPECT_OK(
        window_->Scan(query, window, filter, RequestContext(), top, work));
    return top.TakeSorted();
  }

  VectorShape shape_;
  std::mt19937_64 random_{kTestSeed};
  TestVectors vectors_;
  TestVectors queries_;
  BuiltVectorIndex built_;
  std::unique_ptr<VectorIndex> index_;
  std::vector<Ordinal> by_rank_;
  BuiltWindowIndex built_window_;
  std::unique_ptr<WindowIndex> window_;
};

// The share of `exact` that is in `found`; scores must be those of the floats.
double Found(const std::vector<ScoredRow>& exact,
             const std::vector<ScoredRow>& found) {
  EXPECT_EQ(found.size(), exact.size());
  size_t right = 0;
  for (const ScoredRow& row : found) {
    right += static_cast<size_t>(std::count_if(
        exact.begin(), exact.end(), [&row](const ScoredRow& other) {
          return other.row == row.row && other.score == row.score;
        }));
  }
  return exact.empty()
             ? 1
             : static_cast<double>(right) / static_cast<double>(exact.size());
}

TEST_P(WindowIndexTest, ScansFindTheBestOfEveryWindow) {
  const std::vector<bool> all(kTestPoints, true);
  const auto ranks = static_cast<uint32_t>(by_rank_.size());
  ASSERT_EQ(window_->ranks(), ranks);
  double found = 0;
  double searches = 0;
  for (const uint32_t count :
       {0U, 1U, 2U, 15U, 16U, 17U, 48U, 49U, 100U, 1000U, ranks - 1, ranks}) {
    for (uint32_t i = 0; i < queries_.rows(); ++i) {
      const RankWindow window = RandomWindow(count);
      found += Found(Exact(queries_.row(i), window, all),
                     Scan(queries_.row(i), window, RowSet()));
      ++searches;
    }
  }
  EXPECT_GE(found / searches, 0.998) << "seed " << kTestSeed;
}

TEST_P(WindowIndexTest, LeavesOutWhatTheFilterLeavesOut) {
  std::vector<Ordinal> dead;
  std::vector<uint64_t> bits(kTestPoints / 64 + 1);
  std::vector<bool> alive(kTestPoints, true);
  std::vector<bool> both(kTestPoints, true);
  for (Ordinal ordinal = 0; ordinal < kTestPoints; ++ordinal) {
    const bool is_dead = random_() % 3 == 0;
    const bool is_set = random_() % 4 == 0;
    if (is_dead) {
      dead.push_back(ordinal);
    }
    if (is_set) {
      bits[ordinal / 64] |= uint64_t{1} << (ordinal % 64);
    }
    alive[ordinal] = !is_dead;
    both[ordinal] = !is_dead && is_set;
  }
  const RowSet dead_rows = RowSet().With(dead, kTestPoints);
  double found = 0;
  double searches = 0;
  for (const uint32_t count : {30U, 300U, 1200U}) {
    for (uint32_t i = 0; i < queries_.rows(); ++i) {
      const RankWindow window = RandomWindow(count);
      found += Found(Exact(queries_.row(i), window, alive),
                     Scan(queries_.row(i), window, dead_rows));
      found += Found(
          Exact(queries_.row(i), window, both),
          Scan(queries_.row(i), window, RowFilter::Among(dead_rows, bits)));
      searches += 2;
    }
  }
  EXPECT_GE(found / searches, 0.998) << "seed " << kTestSeed;
}

TEST_P(WindowIndexTest, GraphSearchesAnswerFromTheWindowAlone) {
  const std::vector<bool> all(kTestPoints, true);
  double found = 0;
  for (uint32_t i = 0; i < queries_.rows(); ++i) {
    const RankWindow window = RandomWindow(1000);
    TopK top(kHits);
    SearchWork work;
    ASSERT_OK(index_->Search(queries_.row(i), {.ef = 200},
                             window_->Filter(RowSet(), window),
                             RequestContext(), top, work));
    found += Found(Exact(queries_.row(i), window, all), top.TakeSorted());
  }
  EXPECT_GE(found / queries_.rows(), 0.97) << "seed " << kTestSeed;
}

TEST_P(WindowIndexTest, SearchesReachTheirTargetWhateverTheWay) {
  const std::vector<bool> all(kTestPoints, true);
  for (const double target : {0.9, 1.0}) {
    double found = 0;
    double searches = 0;
    for (const uint32_t count : {20U, 200U, 1200U}) {
      for (uint32_t i = 0; i < queries_.rows(); ++i) {
        const RankWindow window = RandomWindow(count);
        TopK top(kHits);
        SearchWork work;
        const RowSet dead;
        const RequestContext context;
        ASSERT_OK_AND_ASSIGN(
            const WindowPlan plan,
            window_->Search(queries_.row(i), window,
                            window_->Plan(window, kHits, target),
                            {dead, context, top, work}));
        EXPECT_TRUE(target < 1 || plan.method == WindowMethod::kScan);
        found += Found(Exact(queries_.row(i), window, all), top.TakeSorted());
        ++searches;
      }
    }
    EXPECT_GE(found / searches, target == 1.0 ? 0.998 : target)
        << "seed " << kTestSeed;
  }
}

TEST_P(WindowIndexTest, StopsWhenTheRequestIsCancelled) {
  RequestContext context;
  context.Cancel();
  TopK top(kHits);
  SearchWork work;
  EXPECT_THAT(
      window_->Scan(queries_.row(0), {0, 1000}, RowSet(), context, top, work),
      StatusIs(absl::StatusCode::kCancelled));
}

INSTANTIATE_TEST_SUITE_P(
    Metrics, WindowIndexTest,
    testing::Values(WindowCase{"Cosine4Bits", Metric::kCosine, 64, 4},
                    WindowCase{"Cosine8Bits", Metric::kCosine, 64, 8},
                    WindowCase{"L24Bits", Metric::kL2, 37, 4},
                    WindowCase{"L28Bits", Metric::kL2, 37, 8},
                    WindowCase{"Product4Bits", Metric::kInnerProduct, 130, 4},
                    WindowCase{"OneNumber", Metric::kL2, 1, 8}),
    [](const auto& tested) { return tested.param.name; });

class WindowIndexDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    const VectorShape shape{Metric::kL2, 8};
    vectors_ = ClusteredVectors(shape, 100, 4, kTestSeed);
    ASSERT_OK_AND_ASSIGN(built_,
                         BuildVectorIndex(TestInput(shape, vectors_), nullptr,
                                          RequestContext(), nullptr));
    ASSERT_OK_AND_ASSIGN(index_, VectorIndex::Open(shape, 100, built_.view()));
    by_rank_.resize(100);
    std::iota(by_rank_.begin(), by_rank_.end(), 0U);
    window_ = BuildWindowIndex(*index_, by_rank_,
                               EncodeForWindows(*index_, 4, nullptr));
  }

  void ExpectDataLoss() {
    EXPECT_THAT(WindowIndex::Open(*index_, window_.view(), Placement::kInPlace)
                    .status(),
                StatusIs(absl::StatusCode::kDataLoss));
  }
  uint32_t* rows() { return reinterpret_cast<uint32_t*>(window_.rows.data()); }

  TestVectors vectors_;
  BuiltVectorIndex built_;
  std::unique_ptr<VectorIndex> index_;
  std::vector<Ordinal> by_rank_;
  BuiltWindowIndex window_;
};

TEST_F(WindowIndexDamageTest, ARowThatIsNotThere) {
  rows()[3] = 100;
  ExpectDataLoss();
}

TEST_F(WindowIndexDamageTest, ARowTwice) {
  rows()[3] = rows()[4];
  ExpectDataLoss();
}

TEST_F(WindowIndexDamageTest, CodesOfAnotherNumberOfRows) {
  window_.codes = AlignedBytes::Copy(
      absl::string_view(window_.codes).substr(0, window_.codes.size() - 64));
  ExpectDataLoss();
}

TEST_F(WindowIndexDamageTest, CodesOfAnotherForm) {
  window_.codes.data()[0] = 'x';
  ExpectDataLoss();
}

TEST(WindowIndexLimitsTest, VectorsWithoutCodesAreScored) {
  const VectorShape shape{Metric::kInnerProduct, 4};
  TestVectors vectors{4, {}};
  for (uint32_t row = 0; row < 200; ++row) {
    const float x = 9e14F + static_cast<float>(row) * 1e12F;
    vectors.Append(std::array<float, 4>{x * 2, 0, 0, 0});
  }
  ASSERT_OK_AND_ASSIGN(const BuiltVectorIndex built,
                       BuildVectorIndex(TestInput(shape, vectors), nullptr,
                                        RequestContext(), nullptr));
  ASSERT_OK_AND_ASSIGN(const auto index,
                       VectorIndex::Open(shape, 200, built.view()));
  std::vector<Ordinal> by_rank(200);
  std::iota(by_rank.begin(), by_rank.end(), 0U);
  const BuiltWindowIndex bytes =
      BuildWindowIndex(*index, by_rank, EncodeForWindows(*index, 4, nullptr));
  EXPECT_EQ(bytes.codes.size(), 0U);
  ASSERT_OK_AND_ASSIGN(
      const auto window,
      WindowIndex::Open(*index, bytes.view(), Placement::kInPlace));
  TopK top(1);
  SearchWork work;
  ASSERT_OK(window->Scan(std::array<float, 4>{1, 0, 0, 0}, {0, 150}, RowSet(),
                         RequestContext(), top, work));
  EXPECT_EQ(top.TakeSorted().front().row, 149U);
}

}  // namespace
}  // namespace sextant
