// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>

#include "absl/base/optimization.h"
#include "absl/status/status.h"

// CHECK(condition) << "more words";
// CHECK_EQ(a, b), _NE, _LT, _LE, _GT, _GE; CHECK_OK(status);
// DCHECK, DCHECK_EQ, ...: the same, compiled out when NDEBUG is set.
//
// A failed check is a bug in this program: it prints the place, the condition
// and the values to stderr and aborts. No input from outside may reach one;
// such input gets an absl::Status.

namespace sextant::check_internal {

// Collects the message of one failed check; the destructor prints and aborts.
class Failure {
 public:
  Failure(const char* file, int line, const char* condition);
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  [[noreturn]] ~Failure();

  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Gives both branches of the CHECK conditional the type void.
struct Voidify {
  void operator&(std::ostream&) const {}
};

// The status inside a Status or StatusOr.
inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename StatusOr>
const absl::Status& StatusOf(const StatusOr& result) {
  return result.status();
}

}  // namespace sextant::check_internal

#define CHECK(condition)                                                     \
  ABSL_PREDICT_TRUE(static_cast<bool>(condition))                            \
  ? static_cast<void>(0)                                                     \
  : ::sextant::check_internal::Voidify{} &                                   \
          ::sextant::check_internal::Failure(__FILE__, __LINE__, #condition) \
              .stream()

#define SEXTANT_CHECK_OP(op, a, b) \
  CHECK((a)op(b)) << " (" << (a) << " vs. " << (b) << ") "

#define CHECK_EQ(a, b) SEXTANT_CHECK_OP(==, a, b)
#define CHECK_NE(a, b) SEXTANT_CHECK_OP(!=, a, b)
#define CHECK_LT(a, b) SEXTANT_CHECK_OP(<, a, b)
#define CHECK_LE(a, b) SEXTANT_CHECK_OP(<=, a, b)
#define CHECK_GT(a, b) SEXTANT_CHECK_OP(>, a, b)
#define CHECK_GE(a, b) SEXTANT_CHECK_OP(>=, a, b)

#define CHECK_OK(expression)                                                \
  do {                                                                      \
    const auto& check_ok_result = (expression);                             \
    CHECK(check_ok_result.ok())                                             \
        << " " #expression ": "                                             \
        << ::sextant::check_internal::StatusOf(check_ok_result).ToString(); \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition) \
  while (false)           \
  CHECK(condition)
#else
#define DCHECK(condition) CHECK(condition)
#endif

#define SEXTANT_DCHECK_OP(op, a, b) \
  DCHECK((a)op(b)) << " (" << (a) << " vs. " << (b) << ") "

#define DCHECK_EQ(a, b) SEXTANT_DCHECK_OP(==, a, b)
#define DCHECK_NE(a, b) SEXTANT_DCHECK_OP(!=, a, b)
#define DCHECK_LT(a, b) SEXTANT_DCHECK_OP(<, a, b)
#define DCHECK_LE(a, b) SEXTANT_DCHECK_OP(<=, a, b)
#define DCHECK_GT(a, b) SEXTANT_DCHECK_OP(>, a, b)
#define DCHECK_GE(a, b) SEXTANT_DCHECK_OP(>=, a, b)
