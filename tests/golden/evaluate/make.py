"""Writes fixture.json: rows and what scikit-learn says about them.

usage: python make.py > fixture.json      (scikit-learn 1.9.1, numpy 2.4)
Metric names are Headrace's. Formulas without a scikit-learn function stand here.
"""
import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics as M
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge

warnings.filterwarnings("ignore")
rng = np.random.default_rng(11)


def num(v):
    if isinstance(v, dict):
        return {k: num(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)):
        return [num(x) for x in v]
    return v.item() if isinstance(v, np.generic) else v


def ece(y, p, w, equal_count, bins=10):
    w = np.ones(len(y)) if w is None else w
    if equal_count:
        parts = np.array_split(np.argsort(p, kind="stable"), bins)
    else:
        i = np.minimum((p * bins).astype(int), bins - 1)
        parts = [np.flatnonzero(i == k) for k in range(bins)]
    return sum(abs((w[q] * (y[q] - p[q])).sum()) for q in parts) / w.sum()


def binary(y, p, w):
    s = {} if w is None else dict(sample_weight=w)
    q = (p >= 0.5).astype(int)
    f, t, _ = M.roc_curve(y, p, **s)
    r = dict(
        roc_auc=M.roc_auc_score(y, p, **s), average_precision=M.average_precision_score(y, p, **s),
        log_loss=M.log_loss(y, p, **s), brier_score=M.brier_score_loss(y, p, **s),
        accuracy=M.accuracy_score(y, q, **s), balanced_accuracy=M.balanced_accuracy_score(y, q, **s),
        precision=M.precision_score(y, q, **s), recall=M.recall_score(y, q, **s),
        specificity=M.recall_score(1 - y, 1 - q, **s), f1=M.f1_score(y, q, **s),
        f2=M.fbeta_score(y, q, beta=2, **s), matthews_corrcoef=M.matthews_corrcoef(y, q, **s),
        cohen_kappa=M.cohen_kappa_score(y, q, sample_weight=w), ks=np.max(t - f),
        roc_auc_fpr_10=M.roc_auc_score(y, p, max_fpr=0.1, **s), d2_log_loss=M.d2_log_loss_score(y, p, **s),
        ece=ece(y, p, w, False), ece_equal_count=ece(y, p, w, True))
    for a in ("macro", "weighted", "micro"):
        r[f"precision_{a}"] = M.precision_score(y, q, average=a, **s)
        r[f"recall_{a}"] = M.recall_score(y, q, average=a, **s)
        r[f"f1_{a}"] = M.f1_score(y, q, average=a, **s)
    if w is None:
        r["lift_10"] = y[np.argsort(-p, kind="stable")[: len(y) // 10]].mean() / y.mean()
    return r


def multi(y, p, w):
    s = {} if w is None else dict(sample_weight=w)
    q, k = p.argmax(1), p.shape[1]
    r = dict(
        roc_auc=M.roc_auc_score(y, p, multi_class="ovr", average="macro", **s),
        roc_auc_ovr_weighted=M.roc_auc_score(y, p, multi_class="ovr", average="weighted", **s),
        average_precision=M.average_precision_score(np.eye(k)[y], p, average="macro", **s),
        log_loss=M.log_loss(y, p, **s), accuracy=M.accuracy_score(y, q, **s),
        brier_score=M.brier_score_loss(y, p, scale_by_half=False, **s),
        balanced_accuracy=M.balanced_accuracy_score(y, q, **s), matthews_corrcoef=M.matthews_corrcoef(y, q, **s),
        cohen_kappa=M.cohen_kappa_score(y, q, sample_weight=w), d2_log_loss=M.d2_log_loss_score(y, p, **s),
        top_2_accuracy=M.top_k_accuracy_score(y, p, k=2, **s), top_3_accuracy=M.top_k_accuracy_score(y, p, k=3, **s))
    if w is None:
        r["roc_auc_ovo"] = M.roc_auc_score(y, p, multi_class="ovo", average="macro")
        r["roc_auc_ovo_weighted"] = M.roc_auc_score(y, p, multi_class="ovo", average="weighted")
        r["ece"] = ece((q == y).astype(float), p.max(1), None, False)
    for a in ("macro", "weighted", "micro"):
        r[f"precision_{a}"] = M.precision_score(y, q, average=a, zero_division=0, **s)
        r[f"recall_{a}"] = M.recall_score(y, q, average=a, zero_division=0, **s)
        r[f"f1_{a}"] = M.f1_score(y, q, average=a, zero_division=0, **s)
    return r


def regression(y, f, w):
    s = {} if w is None else dict(sample_weight=w)
    r = dict(
        rmse=M.root_mean_squared_error(y, f, **s), mse=M.mean_squared_error(y, f, **s),
        mae=M.mean_absolute_error(y, f, **s), median_absolute_error=M.median_absolute_error(y, f, **s),
        mape=M.mean_absolute_percentage_error(y, f, **s), r2=M.r2_score(y, f, **s),
        smape=np.average(200 * abs(y - f) / (abs(y) + abs(f)), weights=w),
        explained_variance=M.explained_variance_score(y, f, **s), max_error=M.max_error(y, f),
        mean_error=abs(np.average(y - f, weights=w)), rmsle=M.root_mean_squared_log_error(y, f, **s),
        poisson_deviance=M.mean_poisson_deviance(y, f, **s), gamma_deviance=M.mean_gamma_deviance(y, f, **s),
        tweedie_deviance=M.mean_tweedie_deviance(y, f, power=1.5, **s), d2_absolute_error=M.d2_absolute_error_score(y, f, **s))
    for q in (5, 10, 25, 50, 75, 90, 95):
        r[f"pinball_{q}"] = M.mean_pinball_loss(y, f, alpha=q / 100, **s)
    return r


out = dict(doc=__doc__.strip(), sklearn=sklearn.__version__, numpy=np.__version__, metrics={}, calibration={}, linear={})

# Rows for metrics.
n = 300
y = (rng.random(n) < 0.3).astype(int)
p = np.round(1 / (1 + np.exp(-(2.2 * y - 1.4 + rng.normal(0, 1.2, n)))), 6)
w = np.round(rng.gamma(2, 0.5, n) + 0.001, 3)
ties = np.round(p, 1)
for name, score in (("binary", p), ("ties", ties)):
    out["metrics"][name] = dict(task="binary", y=y, p=score, w=w, plain=binary(y, score, None), weighted=binary(y, score, w))
f, t, th = M.roc_curve(y, ties)
pr, rc, pth = M.precision_recall_curve(y, ties)
out["curves"] = dict(
    roc=dict(fpr=f, tpr=t, threshold=["inf" if np.isinf(v) else v for v in th]), pr=dict(precision=pr, recall=rc, threshold=pth),
    uniform=calibration_curve(y, p, n_bins=10, strategy="uniform"), quantile=calibration_curve(y, p, n_bins=10, strategy="quantile"))
n = 200
y = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
z = rng.normal(0, 1, (n, 4)) + 1.5 * np.eye(4)[y]
P = np.exp(z) / np.exp(z).sum(1, keepdims=True)
w = np.round(rng.gamma(2, 0.5, n) + 0.001, 3)
out["metrics"]["multiclass"] = dict(task="multiclass", y=y, p=P.ravel(), w=w, plain=multi(y, P, None), weighted=multi(y, P, w))
y = np.round(rng.gamma(3, 20, n), 2) + 1
f = np.round(y * np.exp(rng.normal(0, 0.3, n)), 4)
out["metrics"]["regression"] = dict(task="regression", y=y, p=f, w=w, plain=regression(y, f, None), weighted=regression(y, f, w))

# Calibration.
n = 240
y = (rng.random(n) < 0.35).astype(int)
m = np.round(1.7 * y - 1 + rng.normal(0, 1, n), 2)
w = np.round(rng.gamma(2, 0.5, n) + 0.001, 3)
probe = np.linspace(-4, 4, 33)
cal = dict(y=y, margin=m, w=w, probe=probe)
for name, ww in (("plain", None), ("weighted", w)):
    i = IsotonicRegression(out_of_bounds="clip").fit(m, y, sample_weight=ww)
    one = np.ones(n) if ww is None else ww
    np_, nn = one[y == 1].sum(), one[y == 0].sum()
    # Platt's soft targets as two weighted rows per row; unpenalised logistic regression of those.
    tt = np.where(y == 1, (np_ + 1) / (np_ + 2), 1 / (nn + 2))
    l = LogisticRegression(C=np.inf, tol=1e-14, max_iter=10000, solver="newton-cholesky").fit(
        np.r_[m, m][:, None], np.r_[np.ones(n), np.zeros(n)], sample_weight=np.r_[one * tt, one * (1 - tt)])
    cal[name] = dict(x=i.X_thresholds_, y=i.y_thresholds_, probe=i.predict(probe), slope=l.coef_[0, 0], intercept=l.intercept_[0])
out["calibration"] = cal

# Linear models: three numeric columns, one category of five levels as columns of zeros and ones.
n = 160
x = np.round(np.c_[rng.normal(0, 1, n), rng.normal(50, 10, n), rng.exponential(2, n)], 3)
c = rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
oh = np.eye(5)[c]
w = np.round(rng.gamma(2, 0.5, n) + 0.001, 3)
eta = 0.8 * x[:, 0] + 0.03 * (x[:, 1] - 50) - 0.3 * x[:, 2] + np.array([0, 0.7, -0.5, 1, -1])[c]
yr = np.round(eta * 3 + rng.normal(0, 1, n), 3)
yb = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
ym = np.argmax(np.c_[eta, -eta, 0.3 * x[:, 0]] + rng.gumbel(0, 1, (n, 3)), 1)
lin = dict(x=x.T, c=c, w=w, y_regression=yr, y_binary=yb, y_multinomial=ym, fits=[])


def standardised(weight):
    mean = np.average(x, axis=0, weights=weight)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    return mean, scale


for l2 in (0.01, 1.0, 30.0):
    for weight in (None, w):
        for std in (False, True):
            mean, scale = standardised(weight) if std else (np.zeros(3), np.ones(3))
            X = np.c_[(x - mean) / scale, oh]
            for kind, yy in (("ridge", yr), ("binary", yb), ("multinomial", ym)):
                if kind == "ridge":
                    est = Ridge(alpha=l2, solver="cholesky").fit(X, yy, sample_weight=weight)
                else:
                    est = LogisticRegression(C=1 / l2, tol=1e-13, max_iter=100000, solver="newton-cg" if kind == "multinomial" else "newton-cholesky").fit(X, yy, sample_weight=weight)
                coef = np.atleast_2d(est.coef_)
                icpt = np.atleast_1d(est.intercept_)
                raw = coef.copy()
                raw[:, :3] /= scale
                icpt = icpt - (raw[:, :3] * mean).sum(1)
                lin["fits"].append(dict(kind=kind, l2=l2, weighted=weight is not None, standardise=std, coefficient=raw.ravel(), intercept=icpt))
out["linear"] = lin
json.dump(num(out), sys.stdout, separators=(",", ":"))
print()
