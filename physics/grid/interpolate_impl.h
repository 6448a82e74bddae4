/** Interpolation between nodes by Lagrange polynomials. */
#ifndef SAROS_GRID_INTERPOLATE_IMPL_H
#define SAROS_GRID_INTERPOLATE_IMPL_H

#include "saros/method.h"

enum { SAROS_MOST_TAPS = 6 };

/** Values to sum and their weights along one axis. */
typedef struct saros_taps {
    int count;
    int64_t index[SAROS_MOST_TAPS];
    double weight[SAROS_MOST_TAPS];
} saros_taps;

/** Equidistant nodes lo + i h, i < n; `width` nodes nearest to x, one-sided at a bounded end. */
void saros_taps_space(double lo, double h, int64_t n, bool periodic, int width, double x,
                      saros_taps *out);
/** Any ascending times: the time itself where it is one, else the cubic through the nearest four.
 * Errors: USAGE if there are fewer than four to interpolate between. */
saros_status saros_taps_time(const double *time, int64_t n, double t, saros_taps *out);

/** The class of solutions on grids; its state is made by saros_grid_state_make. */
extern const saros_solution_class saros_grid_solution_class;
saros_status saros_grid_state_make(saros_problem *problem, const int64_t *cells, int64_t order,
                                   void **out);
/** Order of the scheme of such a state. */
int64_t saros_grid_state_order(const void *state);

#endif
