// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kCutMin = 8;  // a column is never cut below this

std::string Pad(const std::string& cell, size_t width, Align align) {
  const std::string cut = CutToWidth(cell, width);
  const std::string fill(width - std::min(width, DisplayWidth(cut)), ' ');
  return align == Align::kLeft ? cut + fill : fill + cut;
}

}  // namespace

void Table::AddRow(const std::vector<std::string>& cells) {
  std::vector<std::string>& row = rows_.emplace_back();
  for (size_t i = 0; i < columns_.size(); ++i) {
    row.push_back(i < cells.size() ? Printable(cells[i]) : "");
  }
}

std::vector<size_t> Table::Widths(size_t width) const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    widths.push_back(DisplayWidth(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  if (width == 0) {
    return widths;
  }
  const size_t gaps = kGap * (widths.size() - 1);
  size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
  while (total > width) {
    size_t widest = widths.size();
    for (size_t i = 0; i < widths.size(); ++i) {
      if (columns_[i].align == Align::kLeft && widths[i] > kCutMin &&
          (widest == widths.size() || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    if (widest == widths.size()) {
      break;
    }
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::Render(size_t width) const {
  const std::vector<size_t> widths = Widths(width);
  std::string out;
  const auto add_line = [&](const auto& cell_at) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      absl::StrAppend(&line, i == 0 ? "" : std::string(kGap, ' '),
                      Pad(cell_at(i), widths[i], columns_[i].align));
    }
    absl::StrAppend(&out, absl::StripTrailingAsciiWhitespace(line), "\n");
  };
  add_line([&](size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) {
    add_line([&](size_t i) { return row[i]; });
  }
  return out;
}

}  // namespace sextant::cli
