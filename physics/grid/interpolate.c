/** Lagrange interpolation: order + 2 nodes in each space direction (error h^(order + 2), below that
 * of the scheme), four outputs in time. */
#include "interpolate_impl.h"

#include <math.h>

/** Weights of the polynomial through x[0 … n-1] at `at`. */
static void lagrange(int n, const double *x, double at, double *weight) {
    for (int i = 0; i < n; ++i) {
        weight[i] = 1;
        for (int j = 0; j < n; ++j)
            if (j != i) weight[i] *= (at - x[j]) / (x[i] - x[j]);
    }
}

void saros_taps_space(double lo, double h, int64_t n, bool periodic, int width, double x,
                      saros_taps *out) {
    double s = (x - lo) / h, position[SAROS_MOST_TAPS];
    double nearest = floor(s + 0.5);
    if (fabs(s - nearest) < 1e-12 * (1 + fabs(s))) {
        int64_t i = (int64_t)nearest;
        *out = (saros_taps){.count = 1, .index = {periodic ? i % n : i}, .weight = {1}};
        return;
    }
    if (width > n) width = (int)n;
    int64_t first = (int64_t)floor(s) - width / 2 + 1;
    if (!periodic && first < 0) first = 0;
    if (!periodic && first > n - width) first = n - width;
    out->count = width;
    for (int i = 0; i < width; ++i) {
        position[i] = (double)(first + i);
        out->index[i] = periodic ? (first + i + n) % n : first + i;
    }
    lagrange(width, position, s, out->weight);
}

saros_status saros_taps_time(const double *time, int64_t n, double t, saros_taps *out) {
    double slack = 1e-10 * (time[n - 1] - time[0]) + 1e-14 * fabs(t);
    int64_t after = 0;
    while (after < n && time[after] < t - slack) after++;
    if (after < n && time[after] <= t + slack) {
        *out = (saros_taps){.count = 1, .index = {after}, .weight = {1}};
        return SAROS_OK;
    }
    if (n < 4)
        return saros_fail(SAROS_ERR_USAGE, "at", "ask for more output times, or for this one",
                          "t = %g lies between outputs, and %lld outputs are too few to "
                          "interpolate (4 are needed)",
                          t, (long long)n);
    int64_t first = after - 2;
    if (first < 0) first = 0;
    if (first > n - 4) first = n - 4;
    out->count = 4;
    for (int i = 0; i < 4; ++i) out->index[i] = first + i;
    lagrange(4, time + first, t, out->weight);
    return SAROS_OK;
}
