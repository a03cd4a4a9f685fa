// SPDX-License-Identifier: Apache-2.0
//
// For tests: a segment of random rows, with columns and without.

#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/coding.h"
#include "filters/bound_filter.h"
#include "filters/row_filter.h"
#include "filters/segment_filter.h"
#include "index/columns/column_rows.h"

namespace sextant {

// Fields of each type, with one value at most or several.
inline std::vector<FilterField> SampleFields() {
  return {{"size", FieldType::kInteger},    {"scores", FieldType::kFloat},
          {"made", FieldType::kTimestamp},  {"essential", FieldType::kBoolean},
          {"section", FieldType::kKeyword}, {"tags", FieldType::kKeyword},
          {"numbers", FieldType::kInteger}, {"empty", FieldType::kInteger}};
}

// A segment and its rows, with number ids 10, 20, 30, ...
class SampleSegment : public SegmentColumns {
 public:
  SampleSegment(uint32_t rows, std::mt19937_64* random)
      : rows_(rows), fields_(SampleFields()) {
    values_.resize(fields_.size(), std::vector<FieldValues>(rows));
    for (size_t field = 0; field + 1 < fields_.size(); ++field) {
      for (FieldValues& values : values_[field]) {
        values = SomeValues(field, *random);
      }
      columns_.push_back(
          std::make_unique<OwnedColumn>(fields_[field].type, values_[field]));
    }
  }

  const std::vector<FilterField>& fields() const { return fields_; }
  FilterSchema schema() const { return {fields_, true}; }
  const FieldValues& values(size_t field, Ordinal row) const {
    return values_[field][row];
  }
  std::string id(Ordinal row) const {
    std::string id;
    AppendBigEndian<uint64_t>(&id, (uint64_t{row} + 1) * 10);
    return id;
  }

  uint32_t rows() const override { return rows_; }
  const FieldColumn* column(size_t field) const override {
    return field < columns_.size() ? &**columns_[field] : nullptr;
  }
  std::optional<Ordinal> FindId(absl::string_view id) const override {
    const uint64_t number = LoadBigEndian<uint64_t>(id.data());
    if (number % 10 != 0 || number == 0 || number / 10 > rows_) {
      return std::nullopt;
    }
    return static_cast<Ordinal>(number / 10 - 1);
  }

 private:
  static FieldValues SomeValues(size_t field, std::mt19937_64& random) {
    const uint64_t r = random();
    switch (field) {
      case 0:  // heavy ties and a long tail
        return {KeyOfInteger(
            static_cast<int64_t>(random() % (r % 2 == 0 ? 5 : 2000)))};
      case 1:
        return {KeyOfFloat(static_cast<double>(r % 64) / 4 - 8),
                KeyOfFloat(static_cast<double>(random() % 64) / 4 - 8)};
      case 2:
        return r % 4 == 0 ? FieldValues{}
                          : FieldValues{KeyOfInteger(
                                static_cast<int64_t>(r % 900) * 1000000)};
      case 3:
        return r % 5 == 0 ? FieldValues{}
                          : FieldValues{KeyOfBoolean(r % 2 == 0)};
      case 4:
        return {absl::StrCat("s", r % (r % 3 == 0 ? 100 : 4))};
      default: {
        FieldValues values;
        for (uint64_t i = r % 4; i > 0; --i) {
          const uint64_t value = random() % 30;
          if (field == 5) {
            values.emplace_back(absl::StrCat("t", value));
          } else {
            values.emplace_back(KeyOfInteger(static_cast<int64_t>(value)));
          }
        }
        return values;
      }
    }
  }

  uint32_t rows_;
  std::vector<FilterField> fields_;
  std::vector<std::vector<FieldValues>> values_;  // by field and row
  std::vector<std::unique_ptr<OwnedColumn>> columns_;
};

// One row of it, as growing segments have rows.
class SampleRow : public RowFields {
 public:
  SampleRow(const SampleSegment& segment, Ordinal row)
      : segment_(segment), row_(row), id_(segment.id(row)) {}
  const FieldValues& values(size_t field) const override {
    return segment_.values(field, row_);
  }
  absl::string_view id() const override { return id_; }

 private:
  const SampleSegment& segment_;
  Ordinal row_;
  std::string id_;
};

}  // namespace sextant
