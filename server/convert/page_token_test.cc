// SPDX-License-Identifier: Apache-2.0
#include "server/convert/page_token.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

constexpr ScrollTarget kNumbers = {"docs", 1000, IdKind::kNumber};
constexpr ScrollTarget kStrings = {"docs", 1000, IdKind::kString};

void ExpectRefused(const absl::Status& status) {
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(InvalidFieldPath(status), "page_token");
}

TEST(PageTokenTest, CarriesThePosition) {
  for (const uint64_t id : {uint64_t{0}, uint64_t{42}, ~uint64_t{0}}) {
    ASSERT_OK_AND_ASSIGN(
        const std::optional<PagePosition> last,
        ReadScrollToken(kNumbers, MakeScrollToken(kNumbers, {id, id / 2})));
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->id, PointId(id));
    EXPECT_EQ(last->key, id / 2);
  }
  const PointId longest = std::string(512, 'x');
  ASSERT_OK_AND_ASSIGN(
      const std::optional<PagePosition> last,
      ReadScrollToken(kStrings, MakeScrollToken(kStrings, {longest})));
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->id, longest);
  ASSERT_OK_AND_ASSIGN(const std::string name,
                       ReadListToken(MakeListToken("docs")));
  EXPECT_EQ(name, "docs");
}

TEST(PageTokenTest, EmptyMeansFirstPage) {
  ASSERT_OK_AND_ASSIGN(const std::optional<PagePosition> last,
                       ReadScrollToken(kNumbers, ""));
  EXPECT_FALSE(last.has_value());
  ASSERT_OK_AND_ASSIGN(const std::string name, ReadListToken(""));
  EXPECT_EQ(name, "");
}

TEST(PageTokenTest, ForeignTokensAreRefused) {
  const std::string token = MakeScrollToken(kNumbers, {uint64_t{42}});
  ExpectRefused(
      ReadScrollToken({"other", 1000, IdKind::kNumber}, token).status());
  // The same name, but dropped and created anew.
  ExpectRefused(
      ReadScrollToken({"docs", 1001, IdKind::kNumber}, token).status());
  // Of another filter or order.
  ExpectRefused(
      ReadScrollToken({"docs", 1000, IdKind::kNumber, "x"}, token).status());
  ExpectRefused(ReadListToken(token).status());
  ExpectRefused(ReadScrollToken(kNumbers, MakeListToken("docs")).status());
}

TEST(PageTokenTest, EveryDamageIsFound) {
  const std::string token = MakeScrollToken(kNumbers, {uint64_t{42}});
  for (size_t i = 0; i < token.size(); ++i) {
    std::string broken = token;
    broken[i] = broken[i] == 'A' ? 'B' : 'A';
    ExpectRefused(ReadScrollToken(kNumbers, broken).status());
    ExpectRefused(
        ReadScrollToken(kNumbers, token.substr(0, i + 0) + "!").status());
  }
  ExpectRefused(ReadScrollToken(kNumbers, "x").status());
  ExpectRefused(ReadScrollToken(kNumbers, std::string(1 << 20, 'A')).status());
  // A position that no id of this collection can have, with a right checksum.
  ExpectRefused(
      ReadScrollToken(kNumbers, MakeScrollToken(kNumbers, {std::string("abc")}))
          .status());
}

}  // namespace
}  // namespace sextant
