// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/point.h"
#include "engine/schema.h"
#include "filters/filter.h"

namespace sextant::test {

// Payload fields of every type, and points and filters that use them. What a
// filter means is worked out from the JSON text, value by value.

void AddPayloadFields(Schema* schema);
std::string RandomPayload(std::mt19937_64& random);
// Over the fields of AddPayloadFields.
Filter RandomFilter(std::mt19937_64& random, IdKind id_kind, uint32_t depth);

// What a payload holds in a field; timestamps are integers.
std::vector<FilterLiteral> ModelValues(const std::string& payload,
                                       const std::string& field);
bool ModelMatches(const Filter& filter, const Point& point);

}  // namespace sextant::test
