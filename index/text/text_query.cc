// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_query.h"

#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"

namespace sextant {
namespace {

// Bounds the work of checking, before analysis counts terms.
constexpr size_t kNodesMax = 4 * kTextQueryTermsMax;

class QueryCheck {
 public:
  absl::Status Node(const TextQuery& query, absl::string_view field,
                    uint32_t depth) {
    if (depth > kTextQueryDepthMax) {
      return InvalidField(field, absl::StrCat("nested deeper than ",
                                              kTextQueryDepthMax, " levels"));
    }
    if (++nodes_ > kNodesMax) {
      return InvalidField(field,
                          absl::StrCat("more than ", kNodesMax, " parts"));
    }
    // Not the negation of the opposite: NaN must fail.
    if (!(query.boost >= 0 && query.boost <= kBoostMax)) {
      return InvalidField(Path(field, "boost"),
                          absl::StrCat("must be from 0 to ", kBoostMax));
    }
    return query.kind == TextQueryKind::kBool ? Bool(query, field, depth)
                                              : Text(query, field);
  }

 private:
  static std::string Path(absl::string_view field, absl::string_view name) {
    return field.empty() ? std::string(name) : absl::StrCat(field, ".", name);
  }

  absl::Status Text(const TextQuery& query, absl::string_view field) {
    if (query.text.empty()) {
      return InvalidField(Path(field, "text"), "must not be empty");
    }
    bytes_ += query.text.size();
    if (bytes_ > kTextQueryBytesMax) {
      return InvalidField(Path(field, "text"),
                          absl::StrCat("texts of a query have at most ",
                                       kTextQueryBytesMax, " bytes in all"));
    }
    if (!IsValidUtf8(query.text)) {
      return InvalidField(Path(field, "text"), "is not valid UTF-8");
    }
    if (query.slop > kSlopMax) {
      return InvalidField(Path(field, "slop"),
                          absl::StrCat("must be at most ", kSlopMax));
    }
    if (query.slop > 0 && query.kind != TextQueryKind::kPhrase) {
      return InvalidField(Path(field, "slop"), "is for phrases only");
    }
    if (!query.must.empty() || !query.should.empty() ||
        !query.must_not.empty()) {
      return InvalidField(field, "has both a text and parts of a bool");
    }
    return absl::OkStatus();
  }

  absl::Status Bool(const TextQuery& query, absl::string_view field,
                    uint32_t depth) {
    if (!query.text.empty()) {
      return InvalidField(field, "has both a text and parts of a bool");
    }
    if (query.must.empty() && query.should.empty()) {
      return InvalidField(field, "needs at least one part in must or should");
    }
    if (query.minimum_should_match > query.should.size()) {
      return InvalidField(
          Path(field, "minimum_should_match"),
          absl::StrCat("asks for more than the ", query.should.size(),
                       " parts of should"));
    }
    RETURN_IF_ERROR(Parts(query.must, Path(field, "must"), depth));
    RETURN_IF_ERROR(Parts(query.should, Path(field, "should"), depth));
    return Parts(query.must_not, Path(field, "must_not"), depth);
  }

  absl::Status Parts(const std::vector<TextQuery>& parts,
                     absl::string_view field, uint32_t depth) {
    for (size_t i = 0; i < parts.size(); ++i) {
      RETURN_IF_ERROR(
          Node(parts[i], absl::StrCat(field, "[", i, "]"), depth + 1));
    }
    return absl::OkStatus();
  }

  size_t nodes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

absl::Status ValidateTextQuery(const TextQuery& query,
                               absl::string_view field) {
  return QueryCheck().Node(query, field, 1);
}

}  // namespace sextant
