// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// For tests only.
//   EXPECT_OK(store.Write(x));  ASSERT_OK(...);
//   ASSERT_OK_AND_ASSIGN(Record record, store.Read(key));
//   EXPECT_THAT(store.Read(key),
//               StatusIs(absl::StatusCode::kNotFound, HasSubstr("key 'a'")));

namespace sextant {

inline const absl::Status& TestStatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& TestStatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  const absl::Status& status = TestStatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return status.ok();
}

MATCHER_P(StatusIsCode, code, "has code " + absl::StatusCodeToString(code)) {
  const absl::Status& status = TestStatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return status.code() == code;
}

MATCHER_P2(StatusIsCodeAndMessage, code, message,
           "has code " + absl::StatusCodeToString(code) +
               " and a matching message") {
  const absl::Status& status = TestStatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return status.code() == code &&
         testing::Matches(message)(std::string(status.message()));
}

inline auto StatusIs(absl::StatusCode code) {
  return StatusIsCode(code);
}

// `message` is a matcher, e.g. testing::HasSubstr("limit").
template <typename Message>
auto StatusIs(absl::StatusCode code, Message message) {
  return StatusIsCodeAndMessage(code, message);
}

}  // namespace sextant

#define EXPECT_OK(expression) EXPECT_THAT((expression), ::sextant::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::sextant::IsOk())

// NOLINTBEGIN(bugprone-macro-parentheses): `lhs` and the name of the result
// are declarations, which take no parentheses.
#define SEXTANT_TEST_CONCAT_INNER_(a, b) a##b
#define SEXTANT_TEST_CONCAT_(a, b) SEXTANT_TEST_CONCAT_INNER_(a, b)
#define SEXTANT_ASSERT_ASSIGN_(result, lhs, expression) \
  auto result = (expression);                           \
  ASSERT_OK(result.status());                           \
  lhs = *std::move(result)
#define ASSERT_OK_AND_ASSIGN(lhs, expression)                               \
  SEXTANT_ASSERT_ASSIGN_(SEXTANT_TEST_CONCAT_(test_result_, __LINE__), lhs, \
                         expression)
// NOLINTEND(bugprone-macro-parentheses): see above.
