// SPDX-License-Identifier: Apache-2.0
#include "index/recall_curve.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

// A sample without error, so that only the miss factor lowers recalls.
RecallCurve Curve() {
  return RecallCurve({{{.ef = 10}, {0.5F, 0.4F, 0}, {}},
                      {{.ef = 100}, {0.92F, 0.84F, 0.6F}, {}},
                      {{.ef = 1000}, {1, 0.992F, 0.96F}, {}}},
                     200, 1);
}

TEST(RecallCurveTest, ComesBackAsWritten) {
  const std::string bytes = Curve().Encode();
  ASSERT_OK_AND_ASSIGN(const RecallCurve curve, RecallCurve::Open(bytes));
  EXPECT_EQ(curve.Encode(), bytes);
  EXPECT_EQ(curve.sample(), 200U);
  ASSERT_EQ(curve.points().size(), 3U);
  EXPECT_EQ(curve.points()[1].effort.ef, 100U);
  EXPECT_EQ(curve.points()[1].recall[1], 0.84F);
}

TEST(RecallCurveTest, InterpolatesBetweenEfforts) {
  const RecallCurve curve = Curve();
  // Misses of 0.16 and 0.008 count as 0.2 and 0.01.
  EXPECT_NEAR(curve.EffortFor(0.8, 10)->ef, 100, 1);
  EXPECT_NEAR(curve.EffortFor(0.98999, 10)->ef, 1000, 1);
  const uint32_t half = curve.EffortFor((0.8 + 0.99) / 2, 10)->ef;
  EXPECT_NEAR(half, 316, 2);  // the geometric mean of 100 and 1,000
  EXPECT_NEAR(curve.RecallOf({.ef = half}, 10), 0.895, 0.001);
}

TEST(RecallCurveTest, InterpolatesBetweenDepths) {
  const RecallCurve curve = Curve();
  const uint32_t at_10 = curve.EffortFor(0.5, 10)->ef;
  const uint32_t at_100 = curve.EffortFor(0.5, 100)->ef;
  EXPECT_LT(at_10, at_100);
  EXPECT_NEAR(curve.EffortFor(0.5, 32)->ef, std::sqrt(at_10 * at_100), 2);
  // Below the least depth but one, and past the greatest.
  EXPECT_LE(curve.EffortFor(0.9, 3)->ef, curve.EffortFor(0.9, 10)->ef);
  EXPECT_NEAR(curve.EffortFor(0.5, 1000)->ef, 10 * at_100, 10);
}

// Widths for those who name one, slack for those who name a recall.
RecallCurve CurveWithSlack() {
  return RecallCurve({{{.ef = 10}, {0.92F, 0.84F, 0}, {}, {300, 300, 0}},
                      {{.ef = 100}, {1, 0.992F, 0.96F}, {}, {900, 900, 900}},
                      {{.ef = 4096, .slack = 0.1F},
                       {0.92F, 0.92F, 0.84F},
                       {},
                       {100, 400, 1600}},
                      {{.ef = 4096, .slack = 0.4F},
                       {1, 0.992F, 0.992F},
                       {},
                       {200, 1600, 6400}}},
                     200, 3);
}

TEST(RecallCurveTest, AnswersTargetsBySlackWhereItWasMeasured) {
  const RecallCurve curve = CurveWithSlack();
  const SearchEffort effort = *curve.EffortFor(0.945, 10);
  EXPECT_EQ(effort.ef, 4096U);
  EXPECT_NEAR(effort.slack, 0.2, 0.001);  // half-way from 0.90 to 0.99
  EXPECT_NEAR(curve.RecallOf(effort, 10), 0.945, 0.001);
  EXPECT_NEAR(curve.DistancesOf(effort, 10), 800, 5);
  // Between depths: 32 is half-way from 10 to 100 in the logarithm.
  EXPECT_NEAR(curve.DistancesOf({.ef = 4096, .slack = 0.1F}, 32), 1000, 10);
  EXPECT_GT(curve.EffortFor(0.945, 32)->slack, effort.slack);
  // A beam never narrower than the answer.
  EXPECT_EQ(curve.EffortFor(0.9, 10000)->ef, 10000U);
  // Widths keep their own points.
  EXPECT_NEAR(curve.RecallOf({.ef = 100}, 10), 0.99, 0.001);
  EXPECT_NEAR(curve.DistancesOf({.ef = 100}, 10), 900, 1);
  EXPECT_FALSE(curve.EffortFor(0.999, 10).has_value());
}

TEST(RecallCurveTest, SlackComesBackAsWritten) {
  const std::string bytes = CurveWithSlack().Encode();
  ASSERT_OK_AND_ASSIGN(const RecallCurve curve, RecallCurve::Open(bytes));
  EXPECT_EQ(curve.Encode(), bytes);
  EXPECT_EQ(curve.longest_row(), 3);
  EXPECT_EQ(curve.points()[3].effort.slack, 0.4F);
  EXPECT_EQ(curve.points()[3].distances[2], 6400);
}

TEST(RecallCurveTest, SaysWhatNoEffortReaches) {
  const RecallCurve curve = Curve();
  EXPECT_TRUE(curve.EffortFor(0.989, 10).has_value());
  EXPECT_FALSE(curve.EffortFor(0.9901, 10).has_value());
  EXPECT_FALSE(curve.EffortFor(0.9901, 30).has_value());
  // Depth 100 does not reach it; what lies between needs both.
  EXPECT_TRUE(curve.EffortFor(0.97, 10).has_value());
  EXPECT_FALSE(curve.EffortFor(0.97, 50).has_value());
}

TEST(RecallCurveTest, ChanceAndSampleErrorNeverPromiseMore) {
  const RecallCurve noisy({{{.ef = 10}, {0.9F, 0.9F, 0}, {0.01F, 0.02F, 0}},
                           {{.ef = 20}, {0.88F, 0.88F, 0}, {0.01F, 0.02F, 0}}},
                          100, 1);
  // 1 - (0.12 + 0.02) * 1.25, at both: the greater effort found less.
  EXPECT_NEAR(noisy.RecallOf({.ef = 10}, 10), 0.825, 0.001);
  EXPECT_EQ(noisy.EffortFor(0.82, 10)->ef, 10U);
  EXPECT_FALSE(noisy.EffortFor(0.83, 10).has_value());
}

TEST(RecallCurveTest, MoreIsNeverLessEffort) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> number(0, 1);
  for (int round = 0; round < 200; ++round) {
    const bool by_slack = round % 2 == 1;
    std::vector<RecallPoint> points;
    SearchEffort effort{.ef = by_slack ? 5000U : 10U};
    for (uint64_t i = 0, count = 1 + random() % 12; i < count; ++i) {
      if (by_slack) {
        effort.slack = i == 0 ? 0.01F : effort.slack * 1.5F;
      } else {
        effort.ef += 1 + static_cast<uint32_t>(random() % 200);
      }
      RecallPoint& point = points.emplace_back();
      point.effort = effort;
      for (size_t depth = 0; depth < kRecallDepths.size(); ++depth) {
        point.recall[depth] = std::sqrt(number(random));
        point.error[depth] = number(random) / 50;
      }
    }
    const RecallCurve curve(points, 100, 1);
    for (const uint32_t k : {1U, 2U, 7U, 10U, 40U, 100U, 5000U}) {
      SearchEffort last{.ef = k, .slack = 0};
      bool reached = true;
      for (double target = 0.01; target < 1; target += 0.01) {
        const auto needed = curve.EffortFor(target, k);
        EXPECT_TRUE(reached || !needed.has_value()) << target << " of " << k;
        reached = needed.has_value();
        if (!reached) {
          continue;
        }
        EXPECT_GE(needed->ef, last.ef) << target << " of " << k;
        EXPECT_GE(needed->slack, last.slack) << target << " of " << k;
        last = *needed;
        EXPECT_GE(curve.RecallOf(*needed, k), target - 1e-3);
      }
    }
  }
}

TEST(RecallCurveTest, NoticesDamage) {
  const std::string bytes = Curve().Encode();
  for (size_t place = 0; place < bytes.size(); ++place) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    EXPECT_THAT(RecallCurve::Open(damaged),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("calibration")))
        << "byte " << place;
    EXPECT_THAT(RecallCurve::Open(bytes.substr(0, place)),
                StatusIs(absl::StatusCode::kDataLoss))
        << place << " bytes";
  }
}

// What a checksum cannot know: that the numbers are possible.
TEST(RecallCurveTest, NoticesNumbersThatCannotBe) {
  const auto with_word = [](size_t word, uint32_t value) {
    std::string bytes = Curve().Encode();
    bytes.resize(bytes.size() - sizeof(uint64_t));
    std::string changed;
    AppendLittleEndian<uint32_t>(&changed, value);
    bytes.replace(word * sizeof(uint32_t), sizeof(uint32_t), changed);
    AppendLittleEndian<uint64_t>(&bytes, Checksum64(bytes));
    return RecallCurve::Open(bytes);
  };
  constexpr size_t kFirstPoint = 5;
  constexpr size_t kPointWords = 11;
  EXPECT_OK(with_word(kFirstPoint, 11));
  EXPECT_THAT(with_word(1, 2),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("version 2")));
  EXPECT_THAT(with_word(2, 0), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(with_word(2, 0xFFFFFFFF), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(with_word(kFirstPoint, 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("effort 0")));
  EXPECT_THAT(with_word(kFirstPoint + kPointWords, 10),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("effort 1")));
  constexpr uint32_t kNotANumber = 0x7FC00000;
  EXPECT_THAT(with_word(4, kNotANumber),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("longest row")));
  for (const size_t word : {1U, 2U, 4U}) {
    EXPECT_THAT(with_word(kFirstPoint + word, kNotANumber),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("effort 0")))
        << word;
  }
  constexpr uint32_t kTwo = 0x40000000;
  EXPECT_THAT(with_word(kFirstPoint + 5, kTwo),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("effort 0")));
}

}  // namespace
}  // namespace sextant
