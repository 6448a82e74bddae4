/* The Brusselator by hand: rate, Jacobian product, and the plain C program around CVODES. */
#include "brusselator_impl.h"

#if SAROS_HAVE_SUNDIALS
#include <cvodes/cvodes.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sunlinsol/sunlinsol_spgmr.h>

/* Rows i - 1, i, i + 1 of a species; its neighbours in a row are at j + left and j + right. */
typedef struct line {
    const double *up, *at, *down;
} line;

static inline line line_of(const double *field, int64_t n, int64_t i) {
    return (line){field + (i + n - 1) % n * n, field + i * n, field + (i + 1) % n * n};
}

/* alpha/h^2 times the unscaled Laplacian */
static inline double lap(line w, int64_t j, int64_t left, int64_t right, double scale) {
    return scale * ((w.at[j + left] + w.at[j + right]) + (w.up[j] + w.down[j]) - 4 * w.at[j]);
}

static void rate_run(line u, line v, double *restrict ru, double *restrict rv, int64_t first,
                     int64_t last, int64_t left, int64_t right, double scale) {
    for (int64_t j = first; j < last; ++j) {
        const double a = u.at[j], aab = a * a * v.at[j];
        ru[j] = BR_A + aab - (BR_B + 1) * a + lap(u, j, left, right, scale);
        rv[j] = BR_B * a - aab + lap(v, j, left, right, scale);
    }
}

static void product_run(const double *u, const double *v, line w, line z, double *restrict ru,
                        double *restrict rv, int64_t first, int64_t last, int64_t left,
                        int64_t right, double scale) {
    for (int64_t j = first; j < last; ++j) {
        const double s = 2 * u[j] * v[j] * w.at[j] + u[j] * u[j] * z.at[j];
        ru[j] = s - (BR_B + 1) * w.at[j] + lap(w, j, left, right, scale);
        rv[j] = BR_B * w.at[j] - s + lap(z, j, left, right, scale);
    }
}

void bench_brusselator_rate(void *user, int64_t first, int64_t last) {
    const bench_reaction *x = user;
    const int64_t n = x->n;
    const double scale = BR_ALPHA * (double)(n * n);
    for (int64_t i = first; i < last; ++i) {
        const line u = line_of(x->y, n, i), v = line_of(x->y + n * n, n, i);
        double *ru = x->out + i * n, *rv = ru + n * n;
        rate_run(u, v, ru, rv, 0, 1, n - 1, 1, scale);
        rate_run(u, v, ru, rv, 1, n - 1, -1, 1, scale);
        rate_run(u, v, ru, rv, n - 1, n, -1, 1 - n, scale);
    }
}

void bench_brusselator_product(void *user, int64_t first, int64_t last) {
    const bench_reaction *x = user;
    const int64_t n = x->n;
    const double scale = BR_ALPHA * (double)(n * n);
    for (int64_t i = first; i < last; ++i) {
        const double *u = x->y + i * n, *v = u + n * n;
        const line w = line_of(x->v, n, i), z = line_of(x->v + n * n, n, i);
        double *ru = x->out + i * n, *rv = ru + n * n;
        product_run(u, v, w, z, ru, rv, 0, 1, n - 1, 1, scale);
        product_run(u, v, w, z, ru, rv, 1, n - 1, -1, 1, scale);
        product_run(u, v, w, z, ru, rv, n - 1, n, -1, 1 - n, scale);
    }
}

/* ---- the whole run ---- */
static int plain_rate(realtype t, N_Vector y, N_Vector rate, void *user) {
    bench_reaction x = {((bench_brusselator_run *)user)->n, N_VGetArrayPointer(y), NULL,
                        N_VGetArrayPointer(rate)};
    (void)t;
    bench_parallel(x.n, bench_brusselator_rate, &x);
    return 0;
}

static int plain_product(N_Vector v, N_Vector product, realtype t, N_Vector y, N_Vector rate,
                         void *user, N_Vector work) {
    bench_reaction x = {((bench_brusselator_run *)user)->n, N_VGetArrayPointer(y),
                        N_VGetArrayPointer(v), N_VGetArrayPointer(product)};
    (void)t, (void)rate, (void)work;
    bench_parallel(x.n, bench_brusselator_product, &x);
    return 0;
}

static void plain_check(bool good) {
    if (good) return;
    fprintf(stderr, "the plain program of the Brusselator failed\n");
    exit(1);
}

void bench_brusselator_plain(void *user) {
    bench_brusselator_run *b = user;
    const int64_t size = saros_tensor_count(b->start);
    SUNContext context;
    realtype t = 0;
    plain_check(SUNContext_Create(NULL, &context) == 0);
    N_Vector y = N_VNew_Serial(size, context);
    plain_check(y != NULL);
    memcpy(N_VGetArrayPointer(y), saros_tensor_const_data(b->start), (size_t)size * sizeof(double));
    void *memory = CVodeCreate(CV_BDF, context);
    SUNLinearSolver solver = SUNLinSol_SPGMR(y, SUN_PREC_NONE, 20, context);
    plain_check(memory && solver && CVodeInit(memory, plain_rate, 0, y) == 0 &&
                CVodeSStolerances(memory, BR_RTOL, BR_ATOL) == 0 &&
                CVodeSetUserData(memory, b) == 0 && CVodeSetStopTime(memory, BR_END) == 0 &&
                CVodeSetLinearSolver(memory, solver, NULL) == 0 &&
                CVodeSetJacTimes(memory, NULL, plain_product) == 0);
    while (t < BR_END) plain_check(CVode(memory, BR_END, y, &t, CV_ONE_STEP) >= 0);
    memcpy(saros_tensor_data(b->by_hand), N_VGetArrayPointer(y), (size_t)size * sizeof(double));
    long steps = 0;
    CVodeGetNumSteps(memory, &steps);
    b->plain_steps = steps;
    CVodeFree(&memory);
    SUNLinSolFree(solver);
    N_VDestroy(y);
    SUNContext_Free(&context);
}

#else
typedef int bench_no_sundials; /* a file must not be empty */
#endif
