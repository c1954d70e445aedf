// The standard normal distribution. Near the middle the cumulative distribution is the series
//   Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/(3·5) + x⁷/(3·5·7) + …),
// all terms of one sign; in the tails the continued fraction 1 − Φ(x) = φ(x) / (x + 1/(x + 2/(x +
// 3/(x + …)))), from the inside out with a fixed number of steps. The quantile starts from Acklam's
// rational approximation (relative error 1.2e-9) and takes one step of Halley's method.
#include <cmath>
#include <limits>

#include "evaluate/deterministic_math.h"

namespace headrace::evaluate {
namespace {

constexpr double kRootTwoPi = 2.5066282746310005024;

double Density(double x) { return Exp(-0.5 * x * x) / kRootTwoPi; }

/// 1 − Φ(x) for x ≥ 2.5.
double UpperTail(double x) {
  double fraction = x;
  for (int k = 120; k >= 1; --k) fraction = x + k / fraction;
  return Density(x) / fraction;
}

double Polynomial(const double* coefficients, int count, double x) {
  double value = coefficients[0];
  for (int i = 1; i < count; ++i) value = value * x + coefficients[i];
  return value;
}

double RoughQuantile(double p) {
  static constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                 -2.759285104469687e+02, 1.383577518672690e+02,
                                 -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                 -1.556989798598866e+02, 6.680131188771972e+01,
                                 -1.328068155288572e+01, 1.0};
  static constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                 -2.400758277161838e+00, -2.549732539343734e+00,
                                 4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                 2.445134137142996e+00, 3.754408661907416e+00, 1.0};
  if (p < 0.02425) {
    const double q = std::sqrt(-2.0 * Log(p));
    return Polynomial(c, 6, q) / Polynomial(d, 5, q);
  }
  const double q = p - 0.5;
  return Polynomial(a, 6, q * q) * q / Polynomial(b, 6, q * q);
}

}  // namespace

double NormalCdf(double x) {
  if (x != x) return x;
  if (x > 40) return 1.0;
  if (x < -40) return 0.0;
  if (x >= 2.5) return 1.0 - UpperTail(x);
  if (x <= -2.5) return UpperTail(-x);
  double term = x, sum = x;
  for (int k = 1; k <= 40; ++k) {
    term *= x * x / (2 * k + 1);
    sum += term;
  }
  return 0.5 + Density(x) * sum;
}

double NormalQuantile(double p) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0) return -std::numeric_limits<double>::infinity();
  if (p == 1) return std::numeric_limits<double>::infinity();
  if (p > 0.5) return -NormalQuantile(1.0 - p);  // 1 − p is exact here
  const double x = RoughQuantile(p);
  const double density = Density(x);
  if (density == 0) return x;
  const double u = (NormalCdf(x) - p) / density;
  return x - u / (1.0 + 0.5 * x * u);
}

}  // namespace headrace::evaluate
