/* Values of sparse Hessians, in the order of the rows of a compressed matrix, against loops by
 * hand: the energy of a grid (512^2, five points) and chained Rosenbrock (100 000 unknowns, three
 * diagonals). Stated beside: time to find the pattern and compile, number of star colours, and the
 * time of one gradient, with the same values by colours. */
#include <stdio.h>

#include "bench_impl.h"

typedef saros_value graph_fn(saros_value x, int64_t n);

typedef struct problem {
    const char *name;
    int64_t n, unknowns;
    graph_fn *graph;
    bench_part *by_hand;
} problem;

typedef struct run {
    const problem *p;
    saros_jacobian *entries, *coloured;
    saros_function *gradient;
    saros_tensor *x, *values, *floor, *slope;
} run;

/* sum of d^2 + d^4 over the edges of a grid, d the difference along the edge */
static saros_value energy_graph(saros_value x, int64_t n) {
    saros_value u = saros_reshape(x, 2, (int64_t[]){n, n}), sum = SAROS_NONE;
    for (int axis = 0; axis < 2; ++axis) {
        saros_value d = saros_sub(saros_slice(u, axis, 1, n, 1), saros_slice(u, axis, 0, n - 1, 1));
        d = saros_mul(d, d);
        d = saros_sum(saros_add(d, saros_mul(d, d)), 3);
        sum = axis ? saros_add(sum, d) : d;
    }
    return sum;
}

static double bend(const double *u, int64_t i, int64_t j) {
    double d = u[i] - u[j];
    return 2 + 12 * d * d;
}

static void energy_by_hand(void *user, int64_t first, int64_t last) {
    const run *r = user;
    const int64_t n = r->p->n, *row = saros_sparsity_rows(saros_jacobian_sparsity(r->entries));
    const double *u = saros_tensor_const_data(r->x);
    double *values = saros_tensor_data(r->floor);
    for (int64_t i = first; i < last; ++i) {
        double *to = values + row[i], *own = NULL, sum = 0;
        const bool there[4] = {i >= n, i % n > 0, i % n < n - 1, i < n * n - n};
        const int64_t at[4] = {i - n, i - 1, i + 1, i + n};
        for (int k = 0; k < 4; ++k) {
            if (k == 2) own = to++;
            if (!there[k]) continue;
            double b = bend(u, i, at[k]);
            sum += b;
            *to++ = -b;
        }
        *own = sum;
    }
}

/* sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 */
static saros_value rosenbrock_graph(saros_value x, int64_t n) {
    saros_value low = saros_slice(x, 0, 0, n - 1, 1), high = saros_slice(x, 0, 1, n, 1);
    saros_value a = saros_sub(high, saros_mul(low, low)), b = saros_sub(saros_like(low, 1), low);
    a = saros_mul(saros_like(a, 100), saros_mul(a, a));
    return saros_sum(saros_add(a, saros_mul(b, b)), 1);
}

static void rosenbrock_by_hand(void *user, int64_t first, int64_t last) {
    const run *r = user;
    const int64_t n = r->p->n;
    const double *x = saros_tensor_const_data(r->x);
    double *values = saros_tensor_data(r->floor);
    for (int64_t i = first; i < last; ++i) {
        double *to = values + (i ? 3 * i - 1 : 0), own = i > 0 ? 200 : 0;
        if (i > 0) *to++ = -400 * x[i - 1];
        if (i < n - 1) own += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
        *to++ = own;
        if (i < n - 1) *to = -400 * x[i];
    }
}

static void make(run *r) {
    saros_graph *g = NULL;
    const int64_t unknowns = r->p->unknowns;
    saros_type vector = saros_type_make(SAROS_F64, 1, &unknowns);
    bench_check(saros_graph_make(&g));
    saros_value x = saros_input(g, &vector, "x"), y = r->p->graph(x, r->p->n), slope;
    saros_vjp(1, &y, NULL, 1, &x, &slope);
    bench_check(saros_compile(g, 1, &x, 1, &slope, NULL, &r->gradient));
    double begun = bench_now();
    bench_check(saros_hessian_make(y, x, 1, &x, NULL, &r->entries));
    char name[80];
    snprintf(name, sizeof name, "%s, pattern and code", r->p->name);
    bench_value(name, 1e3 * (bench_now() - begun), "ms");
    bench_check(
        saros_hessian_make(y, x, 1, &x, &(saros_jacobian_options){.coloured = true}, &r->coloured));
    snprintf(name, sizeof name, "%s, star colours", r->p->name);
    bench_value(name, saros_jacobian_arrays(r->coloured), "");
    saros_graph_release(g);
}

static void run_values(void *user) {
    run *r = user;
    bench_check(saros_jacobian_values(r->entries, &r->x, saros_tensor_data(r->values)));
}
static void run_coloured(void *user) {
    run *r = user;
    bench_check(saros_jacobian_values(r->coloured, &r->x, saros_tensor_data(r->values)));
}
static void run_by_hand(void *user) {
    run *r = user;
    bench_parallel(r->p->unknowns, r->p->by_hand, r);
}
static void run_gradient(void *user) {
    run *r = user;
    bench_check(saros_function_call(r->gradient, &r->x, &r->slope, NULL));
}

static void measure(const problem *p) {
    if (!bench_wanted(p->name)) return;
    run r = {.p = p, .x = bench_tensor(SAROS_F64, 1, &p->unknowns)};
    make(&r);
    const int64_t entries = saros_sparsity_nonzeros(saros_jacobian_sparsity(r.entries));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &entries, &r.values));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &entries, &r.floor));
    run_by_hand(&r);
    run_coloured(&r);
    bench_agree(p->name, r.values, r.floor, 1e-13);
    run_values(&r);
    bench_agree(p->name, r.values, r.floor, 1e-13);
    char coloured[80];
    snprintf(coloured, sizeof coloured, "%s, by colours (beside a gradient)", p->name);
    bench_compare(&(bench_case){.name = p->name,
                                .run = run_values,
                                .floor = run_by_hand,
                                .user = &r,
                                .bytes = 8 * (double)(entries + p->unknowns),
                                .limit = BENCH_L3});
    bench_compare(
        &(bench_case){.name = coloured, .run = run_coloured, .floor = run_gradient, .user = &r});
    saros_jacobian_release(r.entries);
    saros_jacobian_release(r.coloured);
    saros_function_release(r.gradient);
    saros_tensor_release(r.x);
    saros_tensor_release(r.values);
    saros_tensor_release(r.floor);
    saros_tensor_release(r.slope);
}

void bench_hessian(void) {
    const int64_t a = bench_size(512), b = bench_size(100000);
    const problem problems[] = {
        {"Hessian grid energy 512^2", a, a * a, energy_graph, energy_by_hand},
        {"Hessian Rosenbrock 1e5", b, b, rosenbrock_graph, rosenbrock_by_hand}};
    for (size_t k = 0; k < sizeof problems / sizeof *problems; ++k) measure(&problems[k]);
}
