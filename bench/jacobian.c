/* Values of sparse Jacobians, in the order of the rows of a compressed matrix, against loops by
 * hand: Bratu's problem (512^2), three species that react and diffuse (256^2, periodic,
 * interleaved), a banded system (100 000 unknowns, five diagonals). Stated beside: time to find the
 * pattern and compile, time to colour, number of colours. */
#include "jacobian_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bratu_impl.h"

typedef saros_value graph_fn(saros_value x, int64_t n);

typedef struct problem {
    const char *name;
    int64_t n, unknowns;
    graph_fn *graph;
    bench_part *by_hand;
    int64_t rows; /* of the loop by hand */
} problem;

typedef struct run {
    const problem *p;
    saros_jacobian *entries;
    saros_tensor *x, *values, *floor;
} run;

/* u_s' = D_s lap u_s + u_s (1 - u_s - a u_{s+1} - b u_{s+2}) (May and Leonard 1975), periodic */
static saros_value reaction_graph(saros_value x, int64_t n) {
    const saros_value all = saros_reshape(x, 3, (int64_t[]){n, n, 3});
    const saros_side wrap = {.kind = SAROS_SIDE_PERIODIC};
    const int64_t square[] = {n, n}, size = 3 * n * n;
    saros_value u[3], rate[3];
    for (int s = 0; s < 3; ++s) u[s] = saros_reshape(saros_slice(all, 2, s, s + 1, 1), 2, square);
    for (int s = 0; s < 3; ++s) {
        const saros_value one = saros_like(x, 1), c = u[s];
        const saros_value tall = saros_extend(c, 0, 1, 2, one, &wrap, &wrap);
        const saros_value wide = saros_extend(c, 1, 1, 2, one, &wrap, &wrap);
        const saros_value near =
            saros_add(saros_add(saros_slice(wide, 1, 0, n, 1), saros_slice(wide, 1, 2, n + 2, 1)),
                      saros_add(saros_slice(tall, 0, 0, n, 1), saros_slice(tall, 0, 2, n + 2, 1)));
        const saros_value lap = saros_sub(near, saros_mul(saros_like(x, 4), c));
        const saros_value grow = saros_sub(
            saros_sub(saros_sub(one, c), saros_mul(saros_like(x, REACTION_A), u[(s + 1) % 3])),
            saros_mul(saros_like(x, REACTION_B), u[(s + 2) % 3]));
        rate[s] = saros_add(saros_mul(saros_like(x, reaction_diffusion(s) * (double)(n * n)), lap),
                            saros_mul(c, grow));
        rate[s] = saros_reshape(rate[s], 3, (int64_t[]){n, n, 1});
    }
    return saros_reshape(saros_concat(3, rate, 2), 1, &size);
}

/* x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + c x_i x_{i+2} (after Lorenz 1996), zeros around */
static saros_value banded_graph(saros_value x, int64_t n) {
    saros_value at[5];
    const saros_value wide = saros_pad(x, 0, 2, 2, 0, 0);
    for (int k = 0; k < 5; ++k) at[k] = saros_slice(wide, 0, k, n + k, 1);
    return saros_add(saros_sub(saros_mul(saros_sub(at[3], at[0]), at[1]), x),
                     saros_mul(saros_like(x, BANDED_C), saros_mul(x, at[4])));
}

static void make(run *r, bool coloured, saros_jacobian **out) {
    saros_graph *g;
    const saros_type state = saros_type_make(SAROS_F64, 1, &r->p->unknowns);
    bench_check(saros_graph_make(&g));
    const saros_value x = saros_input(g, &state, "x"), y = r->p->graph(x, r->p->n);
    bench_check(
        saros_jacobian_make(y, x, 1, &x, &(saros_jacobian_options){.coloured = coloured}, out));
    saros_graph_release(g);
}

static void run_values(void *user) {
    run *r = user;
    bench_check(saros_jacobian_values(r->entries, &r->x, saros_tensor_data(r->values)));
}

static void run_by_hand(void *user) {
    const run *r = user;
    bench_jacobian_loop l = {r->p->n, saros_tensor_const_data(r->x), saros_tensor_data(r->floor)};
    bench_parallel(r->p->rows, r->p->by_hand, &l);
}

static void row(const run *r, const char *what, double value, const char *unit) {
    char name[80];
    snprintf(name, sizeof name, "%s, %s", r->p->name, what);
    bench_value(name, value, unit);
}

/* What is paid once, and the coloured way to the same values. */
static void once(run *r) {
    saros_jacobian *coloured = NULL;
    saros_tensor *values = r->values;
    const int *of;
    int colours;
    double begun = bench_now();
    make(r, false, &r->entries);
    row(r, "pattern and code", 1e3 * (bench_now() - begun), "ms");
    begun = bench_now();
    bench_check(saros_sparsity_colour(saros_jacobian_sparsity(r->entries), &colours, &of));
    row(r, "colouring", 1e3 * (bench_now() - begun), "ms");
    row(r, "colours", colours, "");
    bench_check(saros_tensor_zeros(SAROS_F64, 1, saros_tensor_shape(values), &r->floor));
    make(r, true, &coloured);
    bench_check(saros_jacobian_values(coloured, &r->x, saros_tensor_data(r->floor)));
    run_values(r);
    bench_agree(r->p->name, r->values, r->floor, 1e-13);
    saros_jacobian_release(coloured);
}

static void measure(const problem *p) {
    if (!bench_wanted(p->name)) return;
    run r = {.p = p, .x = bench_tensor(SAROS_F64, 1, &p->unknowns)};
    make(&r, false, &r.entries);
    const int64_t entries = saros_sparsity_nonzeros(saros_jacobian_sparsity(r.entries));
    saros_jacobian_release(r.entries);
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &entries, &r.values));
    once(&r);
    run_by_hand(&r);
    bench_agree(p->name, r.values, r.floor, 1e-13);
    bench_compare(&(bench_case){.name = p->name,
                                .run = run_values,
                                .floor = run_by_hand,
                                .user = &r,
                                .bytes = 8 * (double)(entries + p->unknowns),
                                .limit = BENCH_L3});
    saros_jacobian_release(r.entries);
    saros_tensor_release(r.x);
    saros_tensor_release(r.values);
    saros_tensor_release(r.floor);
}

void bench_jacobian(void) {
    const int64_t a = bench_size(512), b = bench_size(256), c = bench_size(100000);
    const problem problems[] = {
        {"Jacobian Bratu 512^2", a, a * a, bench_bratu_graph, bench_jacobian_bratu, a},
        {"Jacobian reaction 256^2", b, 3 * b * b, reaction_graph, bench_jacobian_reaction, b},
        {"Jacobian banded 1e5", c, c, banded_graph, bench_jacobian_banded, c}};
    for (size_t k = 0; k < sizeof problems / sizeof *problems; ++k) measure(&problems[k]);
}
