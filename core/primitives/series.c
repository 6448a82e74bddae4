/** Taylor coefficients (series_impl.h). Recurrences: Griewank and Walther, Evaluating Derivatives,
 * 2nd edition, chapter 13; they are sums of products, so everything here is.
 */
#include "primitives/series_impl.h"

saros_value saros_series_add(saros_value a, saros_value b) {
    if (saros_is_none(a)) return b;
    if (saros_is_none(b)) return a;
    return saros_add(a, b);
}

saros_value saros_series_sub(saros_value a, saros_value b) {
    if (saros_is_none(b)) return a;
    if (saros_is_none(a)) return saros_neg(b);
    return saros_sub(a, b);
}

saros_value saros_series_multiply(saros_value a, saros_value b) {
    if (saros_is_none(a) || saros_is_none(b)) return SAROS_NONE;
    return saros_mul(a, b);
}

saros_value saros_series_scale(double factor, saros_value a) {
    if (saros_is_none(a) || factor == 1.0) return a;
    return factor == -1.0 ? saros_neg(a) : saros_mul(saros_like(a, factor), a);
}

void saros_series_accumulate(saros_value *sum, double factor, saros_value a, saros_value b) {
    saros_value term = saros_series_multiply(a, b);
    if (factor < 0.0) {
        *sum = saros_series_sub(*sum, saros_series_scale(-factor, term));
    } else {
        *sum = saros_series_add(*sum, saros_series_scale(factor, term));
    }
}

static bool same_series(int k, const saros_value *u, const saros_value *w) {
    for (int j = 0; j <= k; ++j)
        if (!saros_same(u[j], w[j])) return false;
    return true;
}

/** Half of sum_{j=0..k} v_j v_{k-j}, k >= 1. */
static saros_value half_square(int k, const saros_value *v) {
    saros_value sum = SAROS_NONE;
    for (int j = 0; 2 * j < k; ++j) saros_series_accumulate(&sum, 1.0, v[j], v[k - j]);
    if (k % 2 == 0) saros_series_accumulate(&sum, 0.5, v[k / 2], v[k / 2]);
    return sum;
}

saros_value saros_series_product(int k, const saros_value *u, const saros_value *w) {
    saros_value sum = SAROS_NONE;
    if (same_series(k, u, w)) {
        for (int j = 0; 2 * j < k; ++j) saros_series_accumulate(&sum, 1.0, u[j], u[k - j]);
        sum = saros_series_scale(2.0, sum);
        if (k % 2 == 0) saros_series_accumulate(&sum, 1.0, u[k / 2], u[k / 2]);
        return sum;
    }
    for (int j = 0; j <= k; ++j) saros_series_accumulate(&sum, 1.0, u[j], w[k - j]);
    return sum;
}

saros_value saros_series_chain(int k, double factor, const saros_value *u, const saros_value *c) {
    saros_value sum = SAROS_NONE;
    for (int j = k; j >= 1; --j)
        saros_series_accumulate(&sum, j == k ? factor : factor * j / k, u[j], c[k - j]);
    return sum;
}

/** Room for a second series; on failure v is poisoned and NULL returned. */
static saros_value *partner_series(const saros_rule *rule, int order, saros_value *v) {
    saros_value *p = saros_allocate((size_t)(order + 1) * sizeof *p);
    for (int k = 1; !p && k <= order; ++k) v[k] = saros_poison(rule->graph);
    v[0] = rule->out[0];
    return p;
}

void saros_series_pair(const saros_rule *rule, int order, const saros_value *u, saros_value partner,
                       double first, double second, saros_value *v) {
    saros_value *p = partner_series(rule, order, v);
    if (!p) return;
    p[0] = partner;
    for (int k = 1; k <= order; ++k) {
        v[k] = saros_series_chain(k, first, u, p);
        if (k < order) p[k] = saros_series_chain(k, second, u, v);
    }
    saros_release(p);
}

void saros_series_riccati(const saros_rule *rule, int order, const saros_value *u,
                          saros_value slope, double sign, saros_value *v) {
    saros_value *half = partner_series(rule, order, v); /* half of sum_{j=0..k} v_j v_{k-j} */
    if (!half) return;
    for (int k = 1; k <= order; ++k) {
        v[k] = saros_series_multiply(u[k], slope);
        for (int j = k - 1; j >= 1; --j)
            saros_series_accumulate(&v[k], 2.0 * sign * j / k, u[j], half[k - j]);
        if (k < order) half[k] = half_square(k, v);
    }
    saros_release(half);
}

void saros_series_logistic(const saros_rule *rule, int order, const saros_value *u,
                           saros_value slope, saros_value *v) {
    saros_value *e = partner_series(rule, order, v);
    if (!e) return;
    e[0] = slope;
    for (int k = 1; k <= order; ++k) {
        v[k] = saros_series_chain(k, 1.0, u, e);
        if (k < order) e[k] = saros_series_sub(v[k], saros_series_scale(2.0, half_square(k, v)));
    }
    saros_release(e);
}

void saros_series_power(int order, const saros_value *u, uint64_t n, saros_value *out) {
    size_t count = (size_t)order + 1;
    saros_value *work = saros_allocate(2 * count * sizeof *work);
    out[0] = work ? saros_like(u[0], 1.0) : saros_poison(u[0].graph);
    for (int k = 1; k <= order; ++k) out[k] = work ? SAROS_NONE : out[0];
    if (!work) return;
    saros_value *square = work, *next = work + count;
    for (int k = 0; k <= order; ++k) square[k] = u[k];
    bool first = true;
    for (uint64_t bits = n; bits; bits >>= 1) {
        if (bits & 1) {
            for (int k = 0; k <= order; ++k)
                next[k] = first ? square[k] : saros_series_product(k, out, square);
            for (int k = 0; k <= order; ++k) out[k] = next[k];
            first = false;
        }
        for (int k = 0; bits > 1 && k <= order; ++k)
            next[k] = saros_series_product(k, square, square);
        for (int k = 0; bits > 1 && k <= order; ++k) square[k] = next[k];
    }
    saros_release(work);
}
