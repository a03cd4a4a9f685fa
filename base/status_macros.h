// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// RETURN_IF_ERROR(Write(record));
// RETURN_IF_ERROR_WITH(Write(record), absl::StrCat("upsert '", name, "'"));
// ASSIGN_OR_RETURN(Record record, Read(key));
// ASSIGN_OR_RETURN_WITH(const Record record, Read(key), "read header");
//
// Each returns early from the enclosing function, which returns absl::Status or
// absl::StatusOr. The _WITH forms prefix the message with a context ("upsert
// 'docs': ..."); the context is computed only on failure. Add context once per
// layer.

namespace sextant {

// `status` with "context: " before its message; code and payloads stay. OK
// stays OK.
absl::Status WithContext(const absl::Status& status, absl::string_view context);

}  // namespace sextant

// NOLINTBEGIN(bugprone-macro-parentheses): `lhs` and the name of the result
// are declarations, which take no parentheses.

#define RETURN_IF_ERROR(expression)                 \
  do {                                              \
    if (absl::Status sextant_status = (expression); \
        ABSL_PREDICT_FALSE(!sextant_status.ok())) { \
      return sextant_status;                        \
    }                                               \
  } while (false)

#define RETURN_IF_ERROR_WITH(expression, context)               \
  do {                                                          \
    if (absl::Status sextant_status = (expression);             \
        ABSL_PREDICT_FALSE(!sextant_status.ok())) {             \
      return ::sextant::WithContext(sextant_status, (context)); \
    }                                                           \
  } while (false)

#define ASSIGN_OR_RETURN(lhs, expression) \
  SEXTANT_ASSIGN_(SEXTANT_UNIQUE_(sextant_result_), lhs, expression)

#define ASSIGN_OR_RETURN_WITH(lhs, expression, context)                   \
  SEXTANT_ASSIGN_WITH_(SEXTANT_UNIQUE_(sextant_result_), lhs, expression, \
                       context)

#define SEXTANT_ASSIGN_(result, lhs, expression) \
  auto result = (expression);                    \
  if (ABSL_PREDICT_FALSE(!result.ok())) {        \
    return std::move(result).status();           \
  }                                              \
  lhs = *std::move(result)

#define SEXTANT_ASSIGN_WITH_(result, lhs, expression, context) \
  auto result = (expression);                                  \
  if (ABSL_PREDICT_FALSE(!result.ok())) {                      \
    return ::sextant::WithContext(result.status(), (context)); \
  }                                                            \
  lhs = *std::move(result)

#define SEXTANT_CONCAT_INNER_(a, b) a##b
#define SEXTANT_CONCAT_(a, b) SEXTANT_CONCAT_INNER_(a, b)
#define SEXTANT_UNIQUE_(prefix) SEXTANT_CONCAT_(prefix, __LINE__)

// NOLINTEND(bugprone-macro-parentheses): see above.
