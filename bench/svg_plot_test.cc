// SPDX-License-Identifier: Apache-2.0
#include "bench/svg_plot.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LogarithmicTicksTest, AreOneTwoFiveInsideTheRange) {
  EXPECT_THAT(LogarithmicTicks(2, 100), ElementsAre(2, 5, 10, 20, 50, 100));
}

TEST(LogarithmicTicksTest, NarrowRangesHaveFew) {
  EXPECT_THAT(LogarithmicTicks(3, 4), ElementsAre());
}

Plot SomePlot() {
  Plot plot;
  plot.title = "a < b & c";
  plot.x = {"x", 0, 10, false, {0, 5, 10}};
  plot.y = {"y", 1, 1000, true, LogarithmicTicks(1, 1000)};
  plot.lines = {{"line", {{0, 1}, {10, 1000}}}};
  return plot;
}

TEST(SvgTextTest, CornersOfTheAxesAreCornersOfThePlot) {
  const std::string svg = SvgText(SomePlot());
  // Left bottom and right top, inside the margins of 720 x 400.
  EXPECT_THAT(svg, HasSubstr("M72.0 348.0L530.0 56.0"));
}

TEST(SvgTextTest, TextIsEscaped) {
  EXPECT_THAT(SvgText(SomePlot()), HasSubstr("a &lt; b &amp; c"));
}

TEST(SvgTextTest, PointsOutsideAreLeftOut) {
  Plot plot = SomePlot();
  plot.lines = {{"line", {{-1, 1}, {0, 0.5}, {5, 2000}}}};
  EXPECT_THAT(SvgText(plot), Not(HasSubstr("<circle")));
}

}  // namespace
}  // namespace sextant
