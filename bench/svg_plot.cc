// SPDX-License-Identifier: Apache-2.0
#include "bench/svg_plot.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace sextant {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 400;
constexpr double kLeft = 72;
constexpr double kRight = 190;  // room for the names
constexpr double kTop = 56;
constexpr double kBottom = 52;
// Told apart by people who see colours differently (Okabe and Ito), on white.
constexpr const char* kColours[] = {"#d55e00", "#0072b2", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000", "#8a8a00"};

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}});
}

// Where in the axis's span: 0 to 1.
double Share(const PlotAxis& axis, double value) {
  if (axis.logarithmic) {
    return std::log(value / axis.low) / std::log(axis.high / axis.low);
  }
  return (value - axis.low) / (axis.high - axis.low);
}

double X(const Plot& plot, double value) {
  return kLeft + Share(plot.x, value) * (kWidth - kLeft - kRight);
}

double Y(const Plot& plot, double value) {
  return kHeight - kBottom - Share(plot.y, value) * (kHeight - kTop - kBottom);
}

bool IsInside(const PlotAxis& axis, double value) {
  return value >= axis.low && value <= axis.high;
}

struct TextStyle {
  int size = 12;
  const char* anchor = "start";
};

void AddText(std::string& svg, double x, double y, const std::string& text,
             const TextStyle& style) {
  absl::StrAppendFormat(
      &svg,
      "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\">%s"
      "</text>\n",
      x, y, style.size, style.anchor, Escaped(text));
}

void AddGrid(std::string& svg, const Plot& plot) {
  const double bottom = kHeight - kBottom;
  for (const double tick : plot.x.ticks) {
    if (IsInside(plot.x, tick)) {
      const double x = X(plot, tick);
      absl::StrAppendFormat(&svg,
                            "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#ddd\"/>\n",
                            x, kTop, bottom);
      AddText(svg, x, bottom + 16, absl::StrFormat("%g", tick), {12, "middle"});
    }
  }
  for (const double tick : plot.y.ticks) {
    if (IsInside(plot.y, tick)) {
      const double y = Y(plot, tick);
      absl::StrAppendFormat(&svg,
                            "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n",
                            kLeft, y, kWidth - kRight);
      AddText(svg, kLeft - 6, y + 4, absl::StrFormat("%g", tick), {12, "end"});
    }
  }
  AddText(svg, (kLeft + kWidth - kRight) / 2, kHeight - 12, plot.x.label,
          {12, "middle"});
  AddText(svg, kLeft - 60, kTop - 12, plot.y.label, {12, "start"});
}

void AddLine(std::string& svg, const Plot& plot, size_t number) {
  const PlotLine& line = plot.lines[number];
  const char* const colour = kColours[number % std::size(kColours)];
  std::string path;
  std::string dots;
  for (const auto& [x_value, y_value] : line.points) {
    if (!IsInside(plot.x, x_value) || !IsInside(plot.y, y_value)) {
      continue;
    }
    const double x = X(plot, x_value);
    const double y = Y(plot, y_value);
    absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L", x, y);
    absl::StrAppendFormat(
        &dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x, y,
        colour);
  }
  absl::StrAppendFormat(
      &svg,
      "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n%s",
      path, colour, dots);
  const double y = kTop + 14 + 20 * static_cast<double>(number);
  const double x = kWidth - kRight + 14;
  absl::StrAppendFormat(
      &svg, "<path d=\"M%.1f %.1fh18\" stroke=\"%s\" stroke-width=\"3\"/>\n", x,
      y - 4, colour);
  AddText(svg, x + 24, y, line.name, {12, "start"});
}

}  // namespace

std::vector<double> LogarithmicTicks(double low, double high) {
  std::vector<double> ticks;
  const int last = static_cast<int>(std::floor(std::log10(high)));
  for (int power = static_cast<int>(std::floor(std::log10(low))); power <= last;
       ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10, power);
      if (tick >= low && tick <= high) {
        ticks.push_back(tick);
      }
    }
  }
  return ticks;
}

std::string SvgText(const Plot& plot) {
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
      "font-family=\"sans-serif\" fill=\"#2a2a2a\">\n"
      "<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n",
      kWidth, kHeight, kWidth, kHeight);
  AddText(svg, kLeft - 60, 20, plot.title, {15, "start"});
  AddText(svg, kWidth - 12, 20, plot.subtitle, {11, "end"});
  AddGrid(svg, plot);
  for (size_t i = 0; i < plot.lines.size(); ++i) {
    AddLine(svg, plot, i);
  }
  svg += "</svg>\n";
  return svg;
}

absl::Status WriteSvg(const Plot& plot, const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(),
                                      error);
  if (!(std::ofstream(path) << SvgText(plot)).flush()) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace sextant
