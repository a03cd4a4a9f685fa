// SPDX-License-Identifier: Apache-2.0
// Cosine Adapters on real vectors: what one threshold for all queries is worth
// beside one for cosines. Fitted to a third of the labelled queries, with the
// threshold chosen on a sixth, and judged on the other half; three random
// halves. Skipped where the data is not.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/recall/labelled_pairs.h"

namespace sextant {
namespace {

constexpr uint64_t kHalves = 3;
constexpr double kRecall = 0.95;

std::string DataFolder() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no setenv
  const char* given = std::getenv("SEXTANT_DATA");
  return given == nullptr ? "../shared/data" : given;
}

// Means over the halves, of adapters and of cosines.
struct Figures {
  double average_precision = 0;
  double precision = 0;  // where recall is kRecall
};

struct Outcome {
  Figures adapter;
  Figures cosine;
};

void Add(const PrecisionRecallCurve& curve, Figures* figures) {
  figures->average_precision += curve.AveragePrecision() / kHalves;
  figures->precision += curve.ForRecall(kRecall)->precision / kHalves;
}

class RelevanceDataTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(DataFolder())) {
      GTEST_SKIP() << "no data at " << DataFolder();
    }
  }

  // Expects that thresholds chosen for kRecall have it, within `slack`.
  static Outcome Measure(const std::string& set, double slack) {
    Outcome outcome;
    const auto all = ReadLabelledQueries(DataFolder(), set);
    EXPECT_OK(all.status());
    for (uint64_t seed = 1; all.ok() && seed <= kHalves; ++seed) {
      const LabelledQueries mixed = all->Shuffled(seed);
      const LabelledQueries fresh = mixed.Part(1, 2);
      const LabelledQueries held_out = mixed.Part(0, 2).Part(0, 3);
      const LabelledQueries training = mixed.Part(0, 2).Without(0, 3);
      const TrainingOptions options{.seed = seed};
      const auto trained =
          TrainAdapter(training.training_set(), options, RequestContext());
      EXPECT_OK(trained.status());
      if (!trained.ok()) {
        break;
      }
      const PrecisionRecallCurve chosen_on(
          held_out.Logits(options.family, trained->mlp));
      const PrecisionRecallCurve curve(
          fresh.Logits(options.family, trained->mlp));
      EXPECT_NEAR(curve.At(chosen_on.ForRecall(kRecall)->threshold).recall,
                  kRecall, slack)
          << set << " " << seed;
      Add(curve, &outcome.adapter);
      Add(PrecisionRecallCurve(fresh.Cosines()), &outcome.cosine);
    }
    return outcome;
  }
};

TEST_F(RelevanceDataTest, TranslationsAreToldFromOthers) {
  const Outcome outcome = Measure("bitext-de", 0.02);
  EXPECT_NEAR(outcome.cosine.average_precision, 0.207, 0.002);
  EXPECT_GE(outcome.adapter.average_precision, 0.38);
  EXPECT_GE(outcome.adapter.precision, outcome.cosine.precision);
}

TEST_F(RelevanceDataTest, CaptionsOfOnePictureAreToldFromOthers) {
  const Outcome outcome = Measure("flickr8k", 0.02);
  EXPECT_NEAR(outcome.cosine.average_precision, 0.208, 0.002);
  EXPECT_GE(outcome.adapter.average_precision, 0.42);
  EXPECT_GE(outcome.adapter.precision, 1.1 * outcome.cosine.precision);
}

// What FitAdapter does with the family "auto": the one with the greatest
// average precision on what is held out is, on new queries, as good as any.
TEST_F(RelevanceDataTest, TheFamilyThatIsChosenIsGoodOnNewQueries) {
  for (const std::string set : {"bitext-de", "flickr8k"}) {
    const auto all = ReadLabelledQueries(DataFolder(), set);
    ASSERT_OK(all);
    const LabelledQueries mixed = all->Shuffled(1);
    const LabelledQueries fresh = mixed.Part(1, 2);
    const LabelledQueries held_out = mixed.Part(0, 2).Part(0, 3);
    const LabelledQueries training = mixed.Part(0, 2).Without(0, 3);
    double chosen_by = 0;
    double chosen = 0;
    double best = 0;
    for (const AdapterFamily family :
         {AdapterFamily::kLinear, AdapterFamily::kSquareRoot,
          AdapterFamily::kQuadratic, AdapterFamily::kPower}) {
      ASSERT_OK_AND_ASSIGN(
          const TrainedAdapter trained,
          TrainAdapter(training.training_set(), {.family = family, .seed = 1},
                       RequestContext()));
      const double by =
          PrecisionRecallCurve(held_out.Logits(family, trained.mlp))
              .AveragePrecision();
      const double on_new =
          PrecisionRecallCurve(fresh.Logits(family, trained.mlp))
              .AveragePrecision();
      std::cout << set << " " << NameOf(family) << ": held out " << by
                << ", new queries " << on_new << "\n";
      best = std::max(best, on_new);
      if (by > chosen_by) {
        chosen_by = by;
        chosen = on_new;
      }
    }
    EXPECT_GE(chosen, best - 0.02) << set;
    EXPECT_GE(chosen, 0.35) << set;
  }
}

// 75 queries to learn from and 37 to choose by are too few for a threshold that
// holds, and there is little to gain.
TEST_F(RelevanceDataTest, FewLabelsGiveLittle) {
  const Outcome outcome = Measure("cranfield", 0.05);
  EXPECT_NEAR(outcome.cosine.average_precision, 0.077, 0.002);
  EXPECT_GE(outcome.adapter.average_precision,
            outcome.cosine.average_precision);
}

}  // namespace
}  // namespace sextant
