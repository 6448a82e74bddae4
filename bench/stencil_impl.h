/* Steps of grids by the library and by hand: what both share. */
#ifndef SAROS_STENCIL_IMPL_H
#define SAROS_STENCIL_IMPL_H

#include "bench_impl.h"

#define HEAT_R 0.2 /* kappa dt/h^2 */
#define GS_DU 0.16
#define GS_DV 0.08
#define GS_F 0.035
#define GS_K 0.065
#define GS_H 0.5

enum { GRID_ARRAYS = 8 };

/** A periodic square of n x n, and arrays of (n + 2) x stride with a ghost around for the loops by
 * hand. */
typedef struct bench_grid {
    int64_t n, steps, stride;
    bench_call call;
    saros_tensor *held[GRID_ARRAYS];
    double *array[GRID_ARRAYS]; /**< the first own point of each */
} bench_grid;

/** Allocates `arrays` arrays. */
void bench_grid_begin(bench_grid *grid, int arrays);
/** Copies the first `fields` arrays to the outputs by hand. */
void bench_grid_end(bench_grid *grid, int fields);
void bench_grid_clear(bench_grid *grid);
/** The library's call; a bench_fn of a bench_grid. */
void bench_grid_run(void *grid);
/** u' = Du lap u - u v^2 + F (1 - u), v' = Dv lap v + u v^2 - (F + k) v, y = {u, v}, c = {Du, Dv,
 * F, F + k}, with the unscaled Laplacian. */
void bench_gray_scott_rate(const saros_value *c, const saros_value *y, saros_value *rate);
/** `steps` steps from the inputs; the result is in the first arrays. */
void bench_heat_floor(void *grid);
void bench_gray_scott_floor(void *grid);

#endif
