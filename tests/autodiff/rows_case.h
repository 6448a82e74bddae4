/** What tests of row regions share: what is cut, by the dump of the program, and that the results
 * are those of the reference backend, which cuts nothing.
 *
 *  Bound: sums and products of matrices are taken in another order, n terms in blocks and lanes;
 * each output may differ by 1e-13 of its norm, a hundred times the rounding of sums of 10^4 terms
 * added pairwise. Results are the same bits on any number of threads.
 */
#ifndef ROWS_CASE_H
#define ROWS_CASE_H

#include <stdio.h>
#include <string.h>

#include "autodiff/graph_run.h"
#include "saros/pool.h"

enum { MOST = 16 };

/** A function under test: inputs with their tensors, outputs. */
typedef struct rows_case {
    saros_graph *graph;
    int ins, outs;
    saros_value in[MOST], out[MOST];
    saros_tensor *at[MOST];
    char *dump; /**< of the compiled program */
} rows_case;

static inline rows_case rows_open(void) {
    rows_case c = {0};
    run_state = 11;
    ck_ok(saros_graph_make(&c.graph));
    return c;
}

static inline saros_value rows_input(rows_case *c, int rank, const int64_t *shape, double scale) {
    saros_type type = saros_type_make(SAROS_F64, rank, shape);
    c->at[c->ins] = run_tensor(&type, -scale, scale);
    return c->in[c->ins++] = saros_input(c->graph, &type, NULL);
}

static inline saros_value matrix(rows_case *c, int64_t n, int64_t m) {
    return rows_input(c, 2, (int64_t[]){n, m}, n > 200 ? 1 : 1 / sqrt((double)n));
}

static inline saros_value vector(rows_case *c, int64_t n) {
    return rows_input(c, 1, &n, 1);
}

static inline saros_function *rows_compile(const rows_case *c, const char *backend) {
    saros_function *f = NULL;
    ck_ok(saros_compile(c->graph, c->ins, c->in, c->outs, c->out,
                        &(saros_compile_options){.backend = backend}, &f));
    return f;
}

static inline void rows_call(const rows_case *c, const saros_function *f, saros_tensor **out) {
    for (int k = 0; k < c->outs; ++k) out[k] = NULL;
    ck_ok(saros_function_call(f, c->at, out, NULL));
}

static inline void rows_compare(const rows_case *c, saros_tensor *const *got,
                                saros_tensor *const *want) {
    for (int k = 0; k < c->outs; ++k) {
        double *a = run_read(got[k]), *b = run_read(want[k]);
        int64_t n = saros_tensor_count(want[k]);
        double apart = run_distance(n, a, b), norm = run_norm(n, b);
        ck_assert_msg(apart <= 1e-13 * norm, "output %d: apart %g of %g", k, apart, norm);
        saros_release(a);
        saros_release(b);
    }
}

/** Runs both backends and several numbers of threads; keeps the dump. */
static inline void rows_check(rows_case *c) {
    saros_tensor *want[MOST], *first[MOST], *other[MOST];
    saros_function *f = rows_compile(c, "reference");
    rows_call(c, f, want);
    saros_function_release(f);
    f = rows_compile(c, "cpu");
    size_t bytes = saros_function_dump(f, NULL, 0) + 1;
    c->dump = saros_allocate(bytes);
    saros_function_dump(f, c->dump, bytes);
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        rows_call(c, f, threads == 1 ? first : other);
        if (threads == 1) rows_compare(c, first, want);
        for (int k = 0; threads > 1 && k < c->outs; ++k) {
            size_t size = (size_t)saros_tensor_count(first[k]) *
                          saros_dtype_bytes(saros_tensor_dtype(first[k]));
            ck_assert_msg(!memcmp(saros_tensor_data(first[k]), saros_tensor_data(other[k]), size),
                          "output %d differs on %d threads", k, threads);
            saros_tensor_release(other[k]);
        }
    }
    ck_ok(saros_threads_set(0));
    for (int k = 0; k < c->outs; ++k) {
        saros_tensor_release(first[k]);
        saros_tensor_release(want[k]);
    }
    saros_function_release(f);
}

static inline void rows_close(rows_case *c) {
    for (int k = 0; k < c->ins; ++k) saros_tensor_release(c->at[k]);
    saros_release(c->dump);
    saros_graph_release(c->graph);
}

static inline int occurrences(const char *text, const char *what) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); ++at) ++n;
    return n;
}

static inline void ck_dump(const rows_case *c, const char *what, int times) {
    int found = occurrences(c->dump, what);
    if (found != times) fprintf(stderr, "%s", c->dump);
    ck_assert_msg(found == times, "'%s' %d times, wanted %d", what, found, times);
}

/* ---- networks ---- */

enum { HIDDEN = 48 };

typedef struct mlp {
    saros_value w[6]; /* W0 (2,H), b0, W1 (H,H), b1, W2 (H,1), b2 */
} mlp;

static inline mlp mlp_open(rows_case *c, int64_t hidden) {
    mlp m;
    m.w[0] = matrix(c, 2, hidden);
    m.w[1] = vector(c, hidden);
    m.w[2] = matrix(c, hidden, hidden);
    m.w[3] = vector(c, hidden);
    m.w[4] = matrix(c, hidden, 1);
    m.w[5] = vector(c, 1);
    return m;
}

static inline saros_value mlp_apply(const mlp *m, saros_value x) {
    saros_value h = saros_tanh(saros_add(saros_matmul(x, m->w[0]), m->w[1]));
    h = saros_tanh(saros_add(saros_matmul(h, m->w[2]), m->w[3]));
    return saros_add(saros_matmul(h, m->w[4]), m->w[5]);
}

static inline saros_value total(saros_value v) {
    return saros_sum(v, saros_all_axes(v));
}

static inline saros_value squares(saros_value v) {
    return total(saros_mul(v, v));
}

/** Outputs: the loss and its gradients. */
static inline void with_gradients(rows_case *c, saros_value loss, int n, const saros_value *w) {
    c->out[0] = loss;
    saros_vjp(1, &loss, NULL, n, w, c->out + 1);
    c->outs = n + 1;
}

/** Without a code generator nothing is cut, and nothing is tested. */
static inline int rows_main(const char *name, const TTest *const *tests, int count) {
    int bits = 0;
    unsetenv("SAROS_BACKEND");
    saros_backend_default(&bits);
    if (bits > 0) return saros_check_run(name, tests, count);
    printf("no code generator here: nothing is cut\n");
    return EXIT_SUCCESS;
}

#endif
