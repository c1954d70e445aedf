#include "report/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/number_text.h"

namespace headrace::report {

std::string Short(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  const std::string text = Compact(std::fabs(value), digits);
  return value < 0 && text != "0" ? "−" + text : text;
}

std::string Signed(double value, int digits) {
  const std::string text = Short(value, digits);
  return value > 0 ? "+" + text : text;
}

std::string Percent(double share, int decimals) {
  if (!std::isfinite(share)) return "–";
  return fmt::format("{:.{}f} %", share * 100, decimals);
}

std::string Range(double low, double high, int digits) {
  return fmt::format("{} to {}", Short(low, digits), Short(high, digits));
}

std::string DayAndTime(Timestamp time) {
  static constexpr std::array kMonths = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
  const std::string text = FormatTimestamp(time);  // 2026-11-22T17:57:31.123456Z
  if (text.size() < 16) return text;
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  const int day = (text[8] - '0') * 10 + (text[9] - '0');
  if (month < 1 || month > 12) return text;
  return fmt::format("{} {} {}, {} UTC", day, kMonths[static_cast<size_t>(month - 1)],
                     text.substr(0, 4), text.substr(11, 5));
}

std::string CutText(std::string_view text, size_t most) {
  size_t characters = 0, at = 0;
  for (; at < text.size(); ++at) {
    if ((text[at] & 0xC0) == 0x80) continue;
    if (characters == most) break;
    ++characters;
  }
  if (at == text.size()) return std::string(text);
  // One character less leaves room for the dots.
  do {
    --at;
  } while (at > 0 && (text[at] & 0xC0) == 0x80);
  return std::string(text.substr(0, at)) + "…";
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string Listed(const std::vector<std::string>& names, size_t most) {
  std::string out;
  const bool cut = names.size() > most;
  const size_t shown = cut ? most : names.size();
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out += i + 1 == shown && !cut ? " and " : ", ";
    out += names[i];
  }
  if (cut) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

std::string MetricTitle(std::string_view metric) {
  static const std::map<std::string_view, std::string_view> kTitles = {
      {"roc_auc", "ROC AUC"},
      {"average_precision", "Average precision"},
      {"brier_score", "Brier score"},
      {"log_loss", "Log loss"},
      {"f1", "F1"},
      {"accuracy", "Accuracy"},
      {"precision", "Precision"},
      {"recall", "Recall"},
      {"rmse", "RMSE"},
      {"mae", "Mean absolute error"},
      {"r2", "R²"},
      {"mape", "Mean absolute % error"},
      {"balanced_accuracy", "Balanced accuracy"},
      {"matthews_corrcoef", "Matthews correlation"},
      {"f1_macro", "F1, mean over classes"}};
  const auto found = kTitles.find(metric);
  return std::string(found == kTitles.end() ? metric : found->second);
}

}  // namespace headrace::report
