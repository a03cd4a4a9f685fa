// SPDX-License-Identifier: Apache-2.0
//
// For tests: columns that own their bytes.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "index/columns/column_builder.h"
#include "index/columns/field_column.h"

namespace sextant {

inline std::string ColumnBytes(FieldType type,
                               const std::vector<FieldValues>& rows) {
  ColumnBuilder builder(type, static_cast<uint32_t>(rows.size()));
  for (uint32_t row = 0; row < rows.size(); ++row) {
    builder.Add(row, rows[row]);
  }
  auto bytes = std::move(builder).Finish();
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *std::move(bytes);
}

// The column of the values by row.
class OwnedColumn {
 public:
  OwnedColumn(FieldType type, const std::vector<FieldValues>& rows)
      : bytes_(ColumnBytes(type, rows)) {
    auto column =
        FieldColumn::Open(type, bytes_, static_cast<uint32_t>(rows.size()));
    EXPECT_TRUE(column.ok()) << column.status();
    column_ = *std::move(column);
  }
  OwnedColumn(const OwnedColumn&) = delete;
  OwnedColumn& operator=(const OwnedColumn&) = delete;

  const FieldColumn& operator*() const { return column_; }
  const FieldColumn* operator->() const { return &column_; }

 private:
  std::string bytes_;
  FieldColumn column_;
};

}  // namespace sextant
