#include "report/plot.h"

#include <algorithm>
#include <cmath>

#include "report/number_text.h"

namespace headrace::report {

std::vector<double> RoundTicks(double low, double high, int count) {
  std::vector<double> out;
  const double range = high - low;
  if (!(range > 0) || !std::isfinite(range)) return {low};
  const double raw = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= raw * 0.999) step = factor * power;
  }
  const double first = std::ceil(low / step - 1e-9);
  for (double k = first; k * step <= high + step * 1e-6 && out.size() < 50; ++k) {
    out.push_back(k * step);
  }
  return out;
}

Plot::Plot(PlotSize size, Axis x, Axis y) : size_(size), x_(std::move(x)), y_(std::move(y)) {
  for (Axis* axis : {&x_, &y_}) {
    if (!(axis->high > axis->low)) axis->high = axis->low + 1;
    if (axis->ticks.empty() && !axis->bare) axis->ticks = RoundTicks(axis->low, axis->high, 5);
    if (!axis->text) axis->text = [](double v) { return Short(v); };
  }
}

double Plot::X(double value) const {
  const double share = (value - x_.low) / (x_.high - x_.low);
  return size_.left + share * (size_.width - size_.left - size_.right);
}
double Plot::Y(double value) const {
  const double share = (value - y_.low) / (y_.high - y_.low);
  return size_.height - size_.bottom - share * (size_.height - size_.top - size_.bottom);
}

void Plot::Line(const std::vector<CurvePoint>& points, std::string_view style) {
  std::string path;
  for (const CurvePoint& point : points) {
    path += (path.empty() ? "" : " ") + Coordinate(X(point.x)) + "," + Coordinate(Y(point.y));
  }
  Add(Markup("polyline").Class(style).Attr("points", path));
}

void Plot::Segment(double x1, double y1, double x2, double y2, std::string_view style) {
  Add(Markup("line")
          .Class(style)
          .Attr("x1", X(x1))
          .Attr("y1", Y(y1))
          .Attr("x2", X(x2))
          .Attr("y2", Y(y2)));
}

void Plot::Dot(double x, double y, double radius, std::string_view style) {
  Add(Markup("circle").Class(style).Attr("cx", X(x)).Attr("cy", Y(y)).Attr("r", radius));
}

void Plot::Box(double x1, double y1, double x2, double y2, std::string_view style) {
  const double left = std::min(X(x1), X(x2)), top = std::min(Y(y1), Y(y2));
  Add(Markup("rect")
          .Class(style)
          .Attr("x", left)
          .Attr("y", top)
          .Attr("width", std::fabs(X(x2) - X(x1)))
          .Attr("height", std::fabs(Y(y2) - Y(y1))));
}

void Plot::Label(double x, double y, double dx, double dy, std::string_view anchor,
                 std::string_view text, std::string_view style) {
  Add(SvgText(X(x) + dx, Y(y) + dy, anchor, text, style));
}

Markup Plot::Frame() const {
  Markup frame("g");
  const double left = size_.left, bottom = size_.height - size_.bottom;
  for (const double tick : y_.ticks) {
    frame.Add(Markup("line")
                  .Class("grid")
                  .Attr("x1", left)
                  .Attr("x2", size_.width - size_.right)
                  .Attr("y1", Y(tick))
                  .Attr("y2", Y(tick)));
    frame.Add(SvgText(left - 7, Y(tick) + 4, "end", y_.text(tick), "t"));
  }
  for (const double tick : x_.ticks) {
    frame.Add(SvgText(X(tick), bottom + 16, "middle", x_.text(tick), "t"));
  }
  frame.Add(Markup("line")
                .Class("axis")
                .Attr("x1", left)
                .Attr("x2", size_.width - size_.right)
                .Attr("y1", bottom)
                .Attr("y2", bottom));
  const double middle = (left + size_.width - size_.right) / 2;
  frame.Add(SvgText(middle, size_.height - 5, "middle", x_.label, "label"));
  if (!y_.label.empty()) {
    // Above the axis, where it reads without turning the head.
    frame.Add(SvgText(2, 12, "start", y_.label, "label"));
  }
  return frame;
}

Markup Plot::Figure(const std::string& id, const std::string& title,
                    const std::string& says) const {
  Markup drawing = Drawing(id, title, says, size_.width, size_.height);
  drawing.Add(Frame());
  for (const Markup& element : content_) drawing.Add(element);
  return FigureOf(std::move(drawing), title, says);
}

Markup Drawing(const std::string& id, const std::string& title, const std::string& says,
               double width, double height) {
  Markup svg("svg");
  svg.Attr("viewBox", "0 0 " + Coordinate(width) + " " + Coordinate(height));
  svg.Attr("width", width).Attr("height", height);
  svg.Attr("role", "img").Attr("aria-labelledby", id + "-t " + id + "-d");
  svg.Add(Markup("title", title).Id(id + "-t"));
  svg.Add(Markup("desc", says).Id(id + "-d"));
  return svg;
}

Markup FigureOf(Markup drawing, const std::string& title, const std::string& says) {
  Markup figure("figure");
  if (!title.empty()) figure.Add(Markup("figcaption", title));
  figure.Add(std::move(drawing));
  figure.Add(Markup("p", says).Class("says"));
  return figure;
}

Markup SvgText(double x, double y, std::string_view anchor, std::string_view text,
               std::string_view style) {
  return Markup("text", text).Class(style).Attr("x", x).Attr("y", y).Attr("text-anchor", anchor);
}

}  // namespace headrace::report
