/* Bratu's problem lap u + lambda e^u = 0 on the unit square, u = 0 around, by PETSc's SNES:
 * residual and Jacobian product by the library against loops by hand, then the whole solve against
 * a plain C program with the same options (Newton, GMRES, algebraic multigrid on the assembled
 * Jacobian). */
#include "bratu_impl.h"

#if SAROS_HAVE_PETSC
#include <stdlib.h>

/* ---- the library's ---- */
saros_value bench_bratu_graph(saros_value x, int64_t n) {
    const int64_t size = n * n;
    const saros_value u = saros_reshape(x, 2, (int64_t[]){n, n});
    const saros_value wide = saros_pad(saros_pad(u, 0, 1, 1, 0, 0), 1, 1, 1, 0, 0);
    const saros_value tall = saros_slice(wide, 1, 1, n + 1, 1);
    const saros_value flat = saros_slice(wide, 0, 1, n + 1, 1);
    const saros_value along =
        saros_add(saros_slice(tall, 0, 0, n, 1), saros_slice(tall, 0, 2, n + 2, 1));
    const saros_value across =
        saros_add(saros_slice(flat, 1, 0, n, 1), saros_slice(flat, 1, 2, n + 2, 1));
    const saros_value lap = saros_sub(saros_add(across, along), saros_mul(saros_like(u, 4), u));
    const double scale = (double)((n + 1) * (n + 1));
    const saros_value f = saros_add(saros_mul(saros_like(u, scale), lap),
                                    saros_mul(saros_like(u, BRATU_LAMBDA), saros_exp(u)));
    return saros_reshape(f, 1, &size);
}

static void make_call(int64_t n, bool product, bench_call *call) {
    saros_graph *graph;
    const int64_t size = n * n;
    const saros_type state = saros_type_make(SAROS_F64, 1, &size);
    bench_check(saros_graph_make(&graph));
    const saros_value in[] = {saros_input(graph, &state, "x"), saros_input(graph, &state, "v")};
    const saros_value value = bench_bratu_graph(in[0], n);
    saros_value out = value;
    if (product) saros_jvp(1, &value, 1, &in[0], &in[1], &out);
    bench_call_make(graph, product ? 2 : 1, in, 1, &out, call);
}

/* The 5-point pattern. */
static saros_sparsity *make_pattern(int64_t n) {
    saros_sparsity *pattern = NULL;
    int64_t *row = malloc((size_t)(n * n + 1 + 5 * n * n) * sizeof *row), count = 0;
    if (!row) exit(1);
    int64_t *column = row + n * n + 1;
    for (int64_t k = 0; k < n * n; ++k) {
        const int64_t i = k / n, j = k % n;
        row[k] = count;
        if (i > 0) column[count++] = k - n;
        if (j > 0) column[count++] = k - 1;
        column[count++] = k;
        if (j < n - 1) column[count++] = k + 1;
        if (i < n - 1) column[count++] = k + n;
    }
    row[n * n] = count;
    bench_check(saros_sparsity_make(n * n, row, column, &pattern));
    free(row);
    return pattern;
}

static void run_residual(void *user) {
    bench_call_run(&((bench_bratu_run *)user)->residual);
}
static void run_product(void *user) {
    bench_call_run(&((bench_bratu_run *)user)->product);
}

static void run_whole(void *user) {
    bench_bratu_run *b = user;
    saros_tensor *found = NULL;
    saros_snes_info info;
    const saros_snes_options options = {
        .sparsity = b->pattern, .rtol = BRATU_RTOL, .petsc = "ksp_type gmres pc_type gamg"};
    bench_check(saros_snes_solve(b->residual.function, b->product.function, 0, NULL, b->start,
                                 &options, &found, &info));
    bench_check(saros_tensor_assign(b->end, found));
    saros_tensor_release(found);
}

static void floor_residual(void *user) {
    bench_bratu_run *b = user;
    bench_bratu_loop x = {b->n, saros_tensor_const_data(b->residual.in[0]), NULL,
                          saros_tensor_data(b->residual.floor[0])};
    bench_parallel(b->n, bench_bratu_residual, &x);
}

static void floor_product(void *user) {
    bench_bratu_run *b = user;
    bench_bratu_loop x = {b->n, saros_tensor_const_data(b->product.in[0]),
                          saros_tensor_const_data(b->product.in[1]),
                          saros_tensor_data(b->product.floor[0])};
    bench_parallel(b->n, bench_bratu_product, &x);
}

static void measure(const char *name, bench_bratu_run *b, const bench_call *call, bench_fn *run,
                    bench_fn *floor, double numbers) {
    if (!bench_wanted(name)) return;
    run(b);
    floor(b);
    if (call)
        bench_agree(name, call->out[0], call->floor[0], 1e-11);
    else
        bench_agree(name, b->end, b->by_hand, 1e-6); /* both to the tolerance of Newton */
    bench_compare(&(bench_case){.name = name,
                                .run = run,
                                .floor = floor,
                                .user = b,
                                .bytes = 8 * numbers * (double)(b->n * b->n),
                                .limit = call ? BENCH_L3 : BENCH_NO_LIMIT});
}

void bench_bratu(void) {
    static const char *const name[] = {"Bratu residual 512^2", "Bratu product 512^2",
                                       "Bratu snes 512^2"};
    bench_bratu_run b = {.n = bench_size(512)};
    const int64_t size = b.n * b.n;
    if (!bench_wanted(name[0]) && !bench_wanted(name[1]) && !bench_wanted(name[2])) return;
    make_call(b.n, false, &b.residual);
    make_call(b.n, true, &b.product);
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.start));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.end));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.by_hand));
    b.pattern = make_pattern(b.n);
    measure(name[0], &b, &b.residual, run_residual, floor_residual, 2);
    measure(name[1], &b, &b.product, run_product, floor_product, 3);
    bench_check(saros_petsc_start());
    measure(name[2], &b, NULL, run_whole, bench_bratu_plain, 0);
    saros_petsc_stop();
    bench_call_clear(&b.residual);
    bench_call_clear(&b.product);
    saros_sparsity_release(b.pattern);
    saros_tensor_release(b.start);
    saros_tensor_release(b.end);
    saros_tensor_release(b.by_hand);
}
#else
void bench_bratu(void) {}
#endif
