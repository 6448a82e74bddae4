/** Derivatives of a function of one real variable that know nothing of differentiation: g is
 * interpolated on Chebyshev points of intervals around 0, and the polynomial is differentiated.
 *
 *  With c_m the coefficients on [-r, r], g^(k)(0) = sum_m c_m T_m^(k)(0) / r^k. The sum ends where
 *  the c_m have fallen to round-off; `noise` is what round-off of that size can do to it
 *  (Trefethen, Approximation Theory and Approximation Practice, chapters 3 and 8). Of a sequence of
 *  radii each order takes the one with the least noise; an interval that holds a kink or a pole
 * does not converge and is passed over. */
#ifndef SAROS_TESTS_TABLE_ORACLE_H
#define SAROS_TESTS_TABLE_ORACLE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { ORACLE_ORDER = 7, ORACLE_POINTS = 32, ORACLE_RADII = 12 };

typedef double oracle_function(double t, void *user);

typedef struct oracle {
    double value[ORACLE_ORDER + 1], noise[ORACLE_ORDER + 1];
} oracle;

/** T_m^(k)(0): from T_{m+1} = 2 x T_m - T_{m-1}, differentiated k times. */
static inline void oracle_table(double table[ORACLE_POINTS][ORACLE_ORDER + 1]) {
    for (int m = 0; m < ORACLE_POINTS; ++m)
        for (int k = 0; k <= ORACLE_ORDER; ++k) {
            double before = m > 1 ? table[m - 2][k] : 0;
            double lower = k && m ? table[m - 1][k - 1] : 0;
            table[m][k] = m == 0 ? k == 0 : m == 1 ? k == 1 : 2 * k * lower - before;
        }
}

/** Coefficients on [-r, r]; false where g is not finite. */
static inline bool oracle_fit(oracle_function *g, void *user, double r, double *c) {
    double at[ORACLE_POINTS];
    const double step = acos(-1) / ORACLE_POINTS;
    for (int j = 0; j < ORACLE_POINTS; ++j) {
        at[j] = g(r * cos((j + 0.5) * step), user);
        if (!isfinite(at[j])) return false;
    }
    for (int m = 0; m < ORACLE_POINTS; ++m) {
        c[m] = 0;
        for (int j = 0; j < ORACLE_POINTS; ++j) c[m] += at[j] * cos(m * (j + 0.5) * step);
        c[m] *= (m ? 2.0 : 1.0) / ORACLE_POINTS;
    }
    return true;
}

/** unit: relative round-off of g. */
static inline oracle oracle_of(oracle_function *g, void *user, double unit) {
    oracle o;
    double table[ORACLE_POINTS][ORACLE_ORDER + 1], c[ORACLE_POINTS], radius = 0.8;
    oracle_table(table);
    for (int k = 0; k <= ORACLE_ORDER; ++k) o.value[k] = o.noise[k] = INFINITY;
    for (int i = 0; i < ORACLE_RADII; ++i, radius /= 2) {
        if (!oracle_fit(g, user, radius, c)) continue;
        double size = 0, level;
        int last = 0;
        for (int m = 0; m < ORACLE_POINTS; ++m) size = fmax(size, fabs(c[m]));
        level = 64 * unit * size; /* sums of terms that cancel */
        for (int m = 0; m < ORACLE_POINTS; ++m)
            if (fabs(c[m]) > level) last = m;
        if (last > ORACLE_POINTS - 6) continue;
        for (int k = 0; k <= ORACLE_ORDER; ++k) {
            double value = 0, noise = 0, scale = pow(radius, -k);
            for (int m = 0; m <= (last > k ? last : k) + 2; ++m) {
                if (m <= last) value += c[m] * table[m][k];
                noise += level * fabs(table[m][k]);
            }
            if (noise * scale >= o.noise[k]) continue;
            o.noise[k] = noise * scale;
            o.value[k] = value * scale;
        }
    }
    return o;
}

#endif
