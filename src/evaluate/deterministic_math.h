#pragma once
// exp, log and their relatives with the same bits on every machine. The C library's versions differ
// between releases and processors in the last bit; a score computed in training, in batch and
// behind REST must not. Only +, −, ×, ÷, sqrt and integer operations of IEEE 754 are used, in a
// fixed order; the build forbids contraction (-ffp-contract=off). See deterministic_math.cc for the
// formulas and their errors. All functions are pure and thread-safe.
#include <cstddef>
#include <span>

namespace headrace::evaluate {

/// e^x, within 2 ulp of the true value. NaN → NaN, > 709.79 → +inf, < −745.2 → 0.
double Exp(double x);
/// e^x − 1, accurate near 0.
double Expm1(double x);
/// Natural logarithm, within 2 ulp. 0 → −inf, negative → NaN, +inf → +inf.
double Log(double x);
/// log(1 + x), accurate near 0. −1 → −inf, below → NaN.
double Log1p(double x);
/// Base-2 logarithm: Log(x) / ln 2, within 3 ulp.
double Log2(double x);
/// x^y = Exp(y Log(x)) for x ≥ 0; relative error grows with |y log x| (about 1e-16 × that).
double Pow(double x, double y);

/// 1 / (1 + e^−x); never NaN for finite x, exactly symmetric up to rounding.
double Sigmoid(double x);
/// log(1 + e^x) without overflow: the logistic loss of margin −x.
double Softplus(double x);
/// log(p / (1 − p)); 0 → −inf, 1 → +inf, outside [0, 1] → NaN.
double Logit(double p);
/// log Σ e^x; −inf when empty.
double LogSumExp(std::span<const double> x);
/// out_k = e^x_k / Σ e^x; `x` and `out` may be the same span. Sizes must be equal.
void Softmax(std::span<const double> x, std::span<double> out);
/// out_i = Sigmoid(x_i), bit-equal to the scalar function; `x` and `out` may be the same span.
void SigmoidEach(std::span<const double> x, std::span<double> out);

/// Quantile of the standard normal distribution (Acklam's rational start, one Halley step); |error|
/// < 1e-12 for p in (1e-15, 1 − 1e-15). 0 → −inf, 1 → +inf.
double NormalQuantile(double p);
/// Cumulative distribution of the standard normal; |error| < 1e-14.
double NormalCdf(double x);

/// Sum with Neumaier's compensation: the order of rows is fixed by the caller, the error does not
/// grow with their number. inf and NaN propagate.
class CompensatedSum {
 public:
  void Add(double x) {
    const double t = sum_ + x;
    const double big = sum_ < 0 ? -sum_ : sum_;
    const double abs_x = x < 0 ? -x : x;
    correction_ += big >= abs_x ? (sum_ - t) + x : (x - t) + sum_;
    sum_ = t;
  }
  double Value() const {
    const double value = sum_ + correction_;
    return value == value ? value : sum_;  // inf − inf in the correction must not hide an inf
  }

 private:
  double sum_ = 0, correction_ = 0;
};

/// Compensated sum of all values, in their order.
double Sum(std::span<const double> x);

}  // namespace headrace::evaluate
