// SPDX-License-Identifier: Apache-2.0
//
// Filters between the wire and the engine. Errors are InvalidField with a path
// below `path`; whether the fields exist and the values fit them is the
// engine's to check.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/filtered_reads.h"
#include "filters/filter.h"
#include "sextant/v1/filter.pb.h"
#include "sextant/v1/point_service.pb.h"

namespace sextant {

// protobuf parses no message that is nested deeper than 100, which bounds the
// recursion.
absl::StatusOr<Filter> ToFilter(const v1::Filter& message,
                                absl::string_view path);

// Nothing where the request has none.
template <typename Request>
absl::StatusOr<std::optional<Filter>> ToOptionalFilter(const Request& request) {
  if (!request.has_filter()) {
    return std::optional<Filter>();
  }
  absl::StatusOr<Filter> filter = ToFilter(request.filter(), "filter");
  if (!filter.ok()) {
    return filter.status();
  }
  return std::optional<Filter>(*std::move(filter));
}

void FromFieldValue(FieldType type, const FieldValue& value,
                    v1::Value* message);

}  // namespace sextant
