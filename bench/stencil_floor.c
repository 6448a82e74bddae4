/* The steps of stencil.c as one writes them by hand: arrays with a ghost around, every step (every
 * stage) one fused loop over rows that the threads share; who computes a row also puts its periodic
 * images. */
#include <string.h>

#include "stencil_impl.h"

void bench_grid_begin(bench_grid *grid, int arrays) {
    grid->stride = (grid->n + 2 + 7) / 8 * 8;
    for (int k = 0; k < arrays; ++k) {
        bench_check(saros_tensor_zeros(SAROS_F64, 2, (int64_t[]){grid->n + 2, grid->stride},
                                       &grid->held[k]));
        grid->array[k] = (double *)saros_tensor_data(grid->held[k]) + grid->stride + 1;
    }
}

void bench_grid_clear(bench_grid *grid) {
    for (int k = 0; k < GRID_ARRAYS; ++k) saros_tensor_release(grid->held[k]);
    bench_call_clear(&grid->call);
}

void bench_grid_run(void *user) {
    bench_call_run(&((bench_grid *)user)->call);
}

/* Periodic images of row i. */
static void put_images(const bench_grid *grid, double *u, int64_t i) {
    const int64_t n = grid->n, s = grid->stride;
    u[i * s - 1] = u[i * s + n - 1];
    u[i * s + n] = u[i * s];
    const size_t bytes = (size_t)(n + 2) * sizeof *u;
    if (i == 0) memcpy(u + n * s - 1, u - 1, bytes);
    if (i == n - 1) memcpy(u - s - 1, u + i * s - 1, bytes);
}

/* The input of a field into its array. */
static void put_input(const bench_grid *grid, int field) {
    const double *from = saros_tensor_const_data(grid->call.in[field]);
    for (int64_t i = 0; i < grid->n; ++i) {
        memcpy(grid->array[field] + i * grid->stride, from + i * grid->n,
               (size_t)grid->n * sizeof *from);
        put_images(grid, grid->array[field], i);
    }
}

void bench_grid_end(bench_grid *grid, int fields) {
    for (int k = 0; k < fields; ++k) {
        double *to = saros_tensor_data(grid->call.floor[k]);
        for (int64_t i = 0; i < grid->n; ++i)
            memcpy(to + i * grid->n, grid->array[k] + i * grid->stride,
                   (size_t)grid->n * sizeof *to);
    }
}

/* ---- heat: array 0 -> array 1 ---- */
static void heat_rows(void *user, int64_t first, int64_t last) {
    const bench_grid *grid = user;
    const int64_t n = grid->n, s = grid->stride;
    for (int64_t i = first; i < last; ++i) {
        const double *restrict u = grid->array[0] + i * s;
        double *restrict to = grid->array[1] + i * s;
        for (int64_t j = 0; j < n; ++j)
            to[j] = u[j] + HEAT_R * ((u[j - 1] + u[j + 1]) + (u[j - s] + u[j + s]) - 4 * u[j]);
        put_images(grid, grid->array[1], i);
    }
}

static void swap(bench_grid *grid, int a, int b) {
    double *kept = grid->array[a];
    grid->array[a] = grid->array[b];
    grid->array[b] = kept;
}

void bench_heat_floor(void *user) {
    bench_grid *grid = user;
    put_input(grid, 0);
    for (int64_t k = 0; k < grid->steps; ++k) {
        bench_parallel(grid->n, heat_rows, grid);
        swap(grid, 0, 1);
    }
}

/* ---- Gray-Scott: arrays 0, 1 hold y; 2, 3 the sum of Runge and Kutta; 4, 5 and 6, 7 states of
 * stages in turn ---- */
typedef struct stage {
    const bench_grid *grid;
    double *const *y, *const *from, *const *sum, *const *to; /* two species each */
    double ahead, part;
    enum { FIRST, INNER, LAST } which;
} stage;

typedef struct rates {
    double u, v;
} rates;

static inline rates rates_at(const double *u, const double *v, int64_t s) {
    const double uvv = *u * (*v * *v);
    const double lap_u = (u[-1] + u[1]) + (u[-s] + u[s]) - 4 * *u;
    const double lap_v = (v[-1] + v[1]) + (v[-s] + v[s]) - 4 * *v;
    return (rates){GS_DU * lap_u - uvv + GS_F * (1 - *u), GS_DV * lap_v + uvv - (GS_F + GS_K) * *v};
}

static void stage_rows(void *user, int64_t first, int64_t last) {
    const stage *x = user;
    const int64_t n = x->grid->n, s = x->grid->stride;
    for (int64_t i = first; i < last; ++i) {
        const int64_t at = i * s;
        const double *restrict u = x->from[0] + at, *restrict v = x->from[1] + at;
        const double *restrict y0 = x->y[0] + at, *restrict y1 = x->y[1] + at;
        double *restrict sum0 = x->sum[0] + at, *restrict sum1 = x->sum[1] + at;
        double *restrict to0 = x->to[0] + at, *restrict to1 = x->to[1] + at;
        const double part = x->part, ahead = x->ahead;
        if (x->which == FIRST) {
            for (int64_t j = 0; j < n; ++j) {
                const rates r = rates_at(u + j, v + j, s);
                sum0[j] = u[j] + part * r.u, sum1[j] = v[j] + part * r.v;
                to0[j] = u[j] + ahead * r.u, to1[j] = v[j] + ahead * r.v;
            }
        } else if (x->which == INNER) {
            for (int64_t j = 0; j < n; ++j) {
                const rates r = rates_at(u + j, v + j, s);
                sum0[j] += part * r.u, sum1[j] += part * r.v;
                to0[j] = y0[j] + ahead * r.u, to1[j] = y1[j] + ahead * r.v;
            }
        } else {
            for (int64_t j = 0; j < n; ++j) {
                const rates r = rates_at(u + j, v + j, s);
                sum0[j] += part * r.u, sum1[j] += part * r.v;
            }
        }
        for (int k = 0; k < 2; ++k) put_images(x->grid, x->which == LAST ? x->sum[k] : x->to[k], i);
    }
}

void bench_gray_scott_floor(void *user) {
    bench_grid *grid = user;
    double **y = grid->array, **sum = y + 2, **one = y + 4, **other = y + 6;
    for (int k = 0; k < 2; ++k) put_input(grid, k);
    for (int64_t k = 0; k < grid->steps; ++k) {
        const stage stages[] = {{grid, y, y, sum, one, 0.5 * GS_H, GS_H / 6, FIRST},
                                {grid, y, one, sum, other, 0.5 * GS_H, GS_H / 3, INNER},
                                {grid, y, other, sum, one, GS_H, GS_H / 3, INNER},
                                {grid, y, one, sum, other, 0, GS_H / 6, LAST}};
        for (int m = 0; m < 4; ++m)
            bench_parallel(grid->n, stage_rows, (void *)(uintptr_t)&stages[m]);
        swap(grid, 0, 2);
        swap(grid, 1, 3);
    }
}
