// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/table.h"

#include "gtest/gtest.h"

#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

class TableTest : public testing::Test {
 protected:
  TableTest() { SetUtf8Locale(); }
};

TEST_F(TableTest, AlignsByColumnsNotBytes) {
  Table table({{"name"}, {"size", Align::kRight}, {"note"}});
  table.AddRow({"čaj", "7", "茶"});
  table.AddRow({"coffee", "1,000", ""});
  EXPECT_EQ(table.Render(0),
            "name     size  note\n"
            "čaj         7  茶\n"
            "coffee  1,000\n");
}

TEST_F(TableTest, CutsTheWidestLeftColumnToFit) {
  Table table({{"id", Align::kRight}, {"name"}, {"description"}});
  table.AddRow({"123456", "a name", "a description that is far too long"});
  EXPECT_EQ(table.Render(36),
            "    id  name    description\n"
            "123456  a name  a description that …\n");
  EXPECT_EQ(table.Render(1),
            "    id  name    descrip…\n"
            "123456  a name  a descr…\n");
}

TEST_F(TableTest, CellsCannotBreakTheLine) {
  Table table({{"a"}});
  table.AddRow({"x\ny\x1b[2J"});
  table.AddRow({});
  EXPECT_EQ(table.Render(0), "a\nx y [2J\n\n");
}

}  // namespace
}  // namespace sextant::cli
