/** Burgers' equation u_t + u u_x = nu u_xx, u0 = -sin(pi x) on [-1,1], u = 0 at the ends, by the
 * Cole-Hopf transformation (Cole 1951; Basdevant et al. 1986):
 *
 *      u = - int sin(pi(x - e)) f(x - e) exp(-e^2/(4 nu t)) de / int f(x - e) exp(-e^2/(4 nu t))
 * de, f(y) = exp(-cos(pi y)/(2 pi nu)).
 *
 *  The integrals of analytic functions that vanish at the ends converge geometrically under the
 * trapezoidal rule; exponents are taken relative to the largest. */
#ifndef SAROS_TEST_BURGERS_EXACT_H
#define SAROS_TEST_BURGERS_EXACT_H

#include <math.h>

static inline double burgers_exact(double x, double t, double nu) {
    enum { HALF = 3000 };
    double width = sqrt(4 * nu * t), reach = 2.2, top = 0, bottom = 0, largest = -INFINITY;
    if (reach > 12 * width + 2) reach = 12 * width + 2;
    double h = reach / HALF;
    for (int i = -HALF; i <= HALF; ++i) {
        double e = i * h, exponent = -cos(M_PI * (x - e)) / (2 * M_PI * nu) - e * e / (4 * nu * t);
        if (exponent > largest) largest = exponent;
    }
    for (int i = -HALF; i <= HALF; ++i) {
        double e = i * h, exponent = -cos(M_PI * (x - e)) / (2 * M_PI * nu) - e * e / (4 * nu * t);
        double weight = exp(exponent - largest);
        top -= sin(M_PI * (x - e)) * weight;
        bottom += weight;
    }
    return top / bottom;
}

#endif
