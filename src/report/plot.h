#pragma once
// A frame with two axes to draw in. Colours and widths come from the page's style sheet by class,
// so that a chart follows the scheme of the reader.
#include <functional>
#include <string>
#include <vector>

#include "report/evaluation.h"
#include "report/markup.h"

namespace headrace::report {

struct Axis {
  double low = 0, high = 1;
  std::string label;
  std::vector<double> ticks;                ///< none = round numbers that cover the range
  bool bare = false;                        ///< no ticks at all
  std::function<std::string(double)> text;  ///< none = Short
};

/// About `count` round numbers within [low, high].
std::vector<double> RoundTicks(double low, double high, int count);

struct PlotSize {
  double width = 440, height = 290;
  double left = 50, right = 16, top = 30, bottom = 42;
};

class Plot {
 public:
  Plot(PlotSize size, Axis x, Axis y);

  double X(double value) const;  ///< place in the drawing
  double Y(double value) const;

  void Add(Markup element) { content_.push_back(std::move(element)); }
  void Line(const std::vector<CurvePoint>& points, std::string_view style);
  /// Horizontal or vertical segment between two points.
  void Segment(double x1, double y1, double x2, double y2, std::string_view style);
  void Dot(double x, double y, double radius, std::string_view style);
  void Box(double x1, double y1, double x2, double y2, std::string_view style);
  /// `anchor`: start | middle | end. Moved by (dx, dy) from the point.
  void Label(double x, double y, double dx, double dy, std::string_view anchor,
             std::string_view text, std::string_view style = "t");

  /// The chart: title for people and screen readers, drawing, and what it says in words.
  Markup Figure(const std::string& id, const std::string& title, const std::string& says) const;

 private:
  Markup Frame() const;
  PlotSize size_;
  Axis x_, y_;
  std::vector<Markup> content_;
};

/// An <svg> with its title and description for screen readers.
Markup Drawing(const std::string& id, const std::string& title, const std::string& says,
               double width, double height);
/// The figure around it; an empty title is not shown.
Markup FigureOf(Markup drawing, const std::string& title, const std::string& says);
Markup SvgText(double x, double y, std::string_view anchor, std::string_view text,
               std::string_view style);

}  // namespace headrace::report
