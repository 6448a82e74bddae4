/** Row regions: what is cut, by the dump of the program, and that the results are those of the
 * reference backend, which cuts nothing.
 *
 *  Bound: sums and products of matrices are taken in another order, n terms in blocks and lanes;
 * each output may differ by 1e-13 of its norm, a hundred times the rounding of sums of 10^4 terms
 * added pairwise. Results are the same bits on any number of threads.
 */
#include <stdio.h>
#include <string.h>

#include "autodiff/graph_run.h"
#include "saros/pool.h"
#include "saros/stop.h"

enum { MOST = 16 };

/** A function under test: inputs with their tensors, outputs. */
typedef struct rows_case {
    saros_graph *graph;
    int ins, outs;
    saros_value in[MOST], out[MOST];
    saros_tensor *at[MOST];
    char *dump; /**< of the compiled program */
} rows_case;

static rows_case rows_open(void) {
    rows_case c = {0};
    run_state = 11;
    ck_ok(saros_graph_make(&c.graph));
    return c;
}

static saros_value rows_input(rows_case *c, int rank, const int64_t *shape, double scale) {
    saros_type type = saros_type_make(SAROS_F64, rank, shape);
    c->at[c->ins] = run_tensor(&type, -scale, scale);
    return c->in[c->ins++] = saros_input(c->graph, &type, NULL);
}

static saros_value matrix(rows_case *c, int64_t n, int64_t m) {
    return rows_input(c, 2, (int64_t[]){n, m}, n > 200 ? 1 : 1 / sqrt((double)n));
}

static saros_value vector(rows_case *c, int64_t n) {
    return rows_input(c, 1, &n, 1);
}

static saros_function *rows_compile(const rows_case *c, const char *backend) {
    saros_function *f = NULL;
    ck_ok(saros_compile(c->graph, c->ins, c->in, c->outs, c->out,
                        &(saros_compile_options){.backend = backend}, &f));
    return f;
}

static void rows_call(const rows_case *c, const saros_function *f, saros_tensor **out) {
    for (int k = 0; k < c->outs; ++k) out[k] = NULL;
    ck_ok(saros_function_call(f, c->at, out, NULL));
}

static void rows_compare(const rows_case *c, saros_tensor *const *got, saros_tensor *const *want) {
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
static void rows_check(rows_case *c) {
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

static void rows_close(rows_case *c) {
    for (int k = 0; k < c->ins; ++k) saros_tensor_release(c->at[k]);
    saros_release(c->dump);
    saros_graph_release(c->graph);
}

static int occurrences(const char *text, const char *what) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); ++at) ++n;
    return n;
}

static void ck_dump(const rows_case *c, const char *what, int times) {
    int found = occurrences(c->dump, what);
    if (found != times) fprintf(stderr, "%s", c->dump);
    ck_assert_msg(found == times, "'%s' %d times, wanted %d", what, found, times);
}

/* ---- networks ---- */

enum { HIDDEN = 48 };

typedef struct mlp {
    saros_value w[6]; /* W0 (2,H), b0, W1 (H,H), b1, W2 (H,1), b2 */
} mlp;

static mlp mlp_open(rows_case *c, int64_t hidden) {
    mlp m;
    m.w[0] = matrix(c, 2, hidden);
    m.w[1] = vector(c, hidden);
    m.w[2] = matrix(c, hidden, hidden);
    m.w[3] = vector(c, hidden);
    m.w[4] = matrix(c, hidden, 1);
    m.w[5] = vector(c, 1);
    return m;
}

static saros_value mlp_apply(const mlp *m, saros_value x) {
    saros_value h = saros_tanh(saros_add(saros_matmul(x, m->w[0]), m->w[1]));
    h = saros_tanh(saros_add(saros_matmul(h, m->w[2]), m->w[3]));
    return saros_add(saros_matmul(h, m->w[4]), m->w[5]);
}

static saros_value total(saros_value v) {
    return saros_sum(v, saros_all_axes(v));
}

static saros_value squares(saros_value v) {
    return total(saros_mul(v, v));
}

/** Outputs: the loss and its gradients. */
static void with_gradients(rows_case *c, saros_value loss, int n, const saros_value *w) {
    c->out[0] = loss;
    saros_vjp(1, &loss, NULL, n, w, c->out + 1);
    c->outs = n + 1;
}

START_TEST(a_networks_loss_and_gradient_are_one_sweep) {
    rows_case c = rows_open();
    const int64_t n = 5000;
    saros_value x = matrix(&c, n, 2), y = matrix(&c, n, 1);
    mlp m = mlp_open(&c, HIDDEN);
    with_gradients(&c, squares(saros_sub(mlp_apply(&m, x), y)), 6, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage 0", 1);
    ck_dump(&c, "class: 5000 rows", 1);
    ck_dump(&c, "7 added up, 0 stored", 1);
    rows_close(&c);
}
END_TEST

/* The root's cotangent needs the whole sum: the second sweep makes the network once more. */
START_TEST(the_root_of_a_loss_takes_two_sweeps) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2), y = matrix(&c, 4096, 1);
    mlp m = mlp_open(&c, HIDDEN);
    with_gradients(&c, saros_sqrt(squares(saros_sub(mlp_apply(&m, x), y))), 6, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage 0", 1);
    ck_dump(&c, "rows: stage 1", 1);
    ck_dump(&c, "1 added up, 1 stored", 1); /* the narrow residual */
    ck_dump(&c, "6 added up, 0 stored", 1);
    rows_close(&c);
}
END_TEST

/* Losses of slabs in time, weighted by exp(-sum of the earlier ones): the squares are stored, the
 * weights come between two sweeps. */
START_TEST(causal_weights_come_between_two_sweeps) {
    rows_case c = rows_open();
    const int64_t slabs = 16, n = 4096;
    saros_value x = matrix(&c, n, 2);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value r = mlp_apply(&m, x);
    saros_value each = saros_reshape(saros_mul(r, r), 2, (int64_t[]){slabs, n / slabs});
    saros_value slab = saros_mean(each, 2);
    saros_value before = saros_sub(saros_cumsum(slab, 0, false), slab);
    saros_value weight = saros_stop_gradient(saros_exp(saros_neg(before)));
    with_gradients(&c, saros_mean(saros_mul(weight, slab), 1), 6, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage", 2);
    ck_dump(&c, "class: 4096 rows", 2);
    rows_close(&c);
}
END_TEST

START_TEST(two_batches_share_one_list_of_tasks_and_accumulators) {
    rows_case c = rows_open();
    saros_value inside = matrix(&c, 4096, 2), edge = matrix(&c, 640, 2), value = matrix(&c, 640, 1);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value loss =
        saros_add(squares(mlp_apply(&m, inside)),
                  saros_mul(saros_like(value, 10), squares(saros_sub(mlp_apply(&m, edge), value))));
    with_gradients(&c, loss, 6, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage 0, 2 classes, 74 tasks, 32 lanes, 8 accumulators", 1);
    ck_dump(&c, "class: 4096 rows", 1);
    ck_dump(&c, "class: 640 rows", 1);
    rows_close(&c);
}
END_TEST

START_TEST(a_batch_as_large_as_the_layers_is_told_from_them) {
    rows_case c = rows_open();
    const int64_t n = 256;
    saros_value x = matrix(&c, n, 2);
    mlp m = mlp_open(&c, n);
    saros_value scale = saros_exp(total(m.w[5])); /* a number spread over rows and columns */
    saros_value h = saros_mul(saros_tanh(saros_matmul(x, m.w[0])), scale);
    h = saros_mul(saros_tanh(saros_matmul(h, saros_mul(m.w[2], scale))), scale);
    with_gradients(&c, squares(saros_matmul(h, m.w[4])), 3,
                   (saros_value[]){m.w[0], m.w[2], m.w[4]});
    rows_check(&c);
    ck_dump(&c, "rows: stage 0, 1 classes, 4 tasks", 1);
    rows_close(&c);
}
END_TEST

START_TEST(the_batch_may_be_the_last_axis) {
    rows_case c = rows_open();
    saros_value x = rows_input(&c, 2, (int64_t[]){2, 3000}, 1);
    saros_value w[3] = {matrix(&c, HIDDEN, 2), matrix(&c, HIDDEN, HIDDEN), matrix(&c, 1, HIDDEN)};
    saros_value h = saros_tanh(saros_matmul(w[0], x));
    h = saros_tanh(saros_matmul(w[1], h));
    with_gradients(&c, squares(saros_matmul(w[2], h)), 3, w);
    rows_check(&c);
    ck_dump(&c, "class: 3000 rows", 1);
    ck_dump(&c, "4 added up, 0 stored", 1);
    rows_close(&c);
}
END_TEST

START_TEST(factorised_weights_are_made_before_the_sweep) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2), in = matrix(&c, 2, HIDDEN), out = matrix(&c, HIDDEN, 1);
    saros_value w[2] = {matrix(&c, HIDDEN, HIDDEN), vector(&c, HIDDEN)};
    saros_value h = saros_tanh(saros_matmul(x, in));
    h = saros_tanh(saros_matmul(h, saros_mul(w[0], saros_exp(w[1]))));
    with_gradients(&c, squares(saros_matmul(h, out)), 2, w);
    rows_check(&c);
    ck_dump(&c, "rows: stage", 1);
    ck_dump(&c, "2 added up, 0 stored", 1); /* loss and gradient of the product */
    ck_assert(strstr(c.dump, "f64[48]") < strstr(c.dump, "rows: stage 0")); /* exp runs before */
    rows_close(&c);
}
END_TEST

START_TEST(a_gauss_newton_product_is_one_sweep) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value v[3] = {matrix(&c, 2, HIDDEN), matrix(&c, HIDDEN, HIDDEN), matrix(&c, HIDDEN, 1)};
    saros_value w[3] = {m.w[0], m.w[2], m.w[4]}, r = mlp_apply(&m, x), jv;
    saros_jvp(1, &r, 3, w, v, &jv);
    saros_vjp(1, &r, &jv, 3, w, c.out);
    c.outs = 3;
    rows_check(&c);
    ck_dump(&c, "rows: stage", 1);
    ck_dump(&c, "3 added up, 0 stored", 1);
    rows_close(&c);
}
END_TEST

START_TEST(rows_sliced_from_one_tensor_are_batches_of_their_own) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value inside = mlp_apply(&m, saros_slice(x, 0, 0, 3072, 1));
    saros_value edge = saros_sub(mlp_apply(&m, saros_slice(x, 0, 3072, 4096, 1)),
                                 saros_slice(saros_slice(x, 1, 0, 1, 1), 0, 3072, 4096, 1));
    with_gradients(&c, saros_add(squares(inside), squares(edge)), 6, m.w);
    rows_check(&c);
    ck_dump(&c, "class: 3072 rows", 1);
    ck_dump(&c, "class: 1024 rows", 1);
    ck_dump(&c, "2 classes", 1);
    rows_close(&c);
}
END_TEST

/* ---- operations of other kinds on the way ---- */

START_TEST(rows_know_their_place_and_find_their_entries_in_tables) {
    rows_case c = rows_open();
    const int64_t n = 3000, kinds = 7;
    saros_type count = saros_type_make(SAROS_F64, 1, &n);
    saros_type index = saros_type_make(SAROS_I64, 1, &n);
    saros_value x = matrix(&c, n, 2), table = matrix(&c, kinds, HIDDEN);
    c.at[c.ins] = run_tensor(&index, 0, (double)kinds);
    saros_value kind = c.in[c.ins++] = saros_input(c.graph, &index, NULL);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value h = saros_add(saros_matmul(x, m.w[0]), saros_gather(table, kind, 0));
    h = saros_tanh(saros_matmul(saros_tanh(h), m.w[2]));
    saros_value r = saros_reshape(saros_matmul(h, m.w[4]), 1, &n);
    r = saros_mul(r, saros_iota(c.graph, &count, 0));
    c.out[0] = saros_max(r, 1);
    c.out[1] = saros_min(r, 1);
    c.out[2] = saros_sum(saros_mul(r, r), 1);
    saros_vjp(1, &c.out[2], NULL, 1, &table, &c.out[3]);
    c.out[4] = h; /* wide, and not at its end */
    c.outs = 5;
    rows_check(&c);
    ck_dump(&c, "rows: stage", 1);
    ck_dump(&c, "4 added up, 1 stored", 1);
    rows_close(&c);
}
END_TEST

START_TEST(a_shift_along_the_rows_parts_sweeps) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2);
    mlp m = mlp_open(&c, HIDDEN);
    saros_value u = mlp_apply(&m, x);
    with_gradients(&c, squares(saros_sub(u, saros_shift(u, 0, 1, SAROS_EDGE_WRAP))), 5, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage", 3); /* u; squares; gradient */
    rows_close(&c);
}
END_TEST

START_TEST(a_request_to_stop_is_seen_between_blocks) {
    rows_case c = rows_open();
    saros_tensor *out[MOST] = {NULL};
    saros_value x = matrix(&c, 5000, 2);
    mlp m = mlp_open(&c, HIDDEN);
    with_gradients(&c, squares(mlp_apply(&m, x)), 6, m.w);
    rows_check(&c);
    ck_dump(&c, "rows: stage 0", 1);
    saros_function *f = rows_compile(&c, "cpu");
    saros_stop();
    ck_fails(saros_function_call(f, c.at, out, NULL), SAROS_ERR_STOPPED);
    saros_stop_clear();
    rows_call(&c, f, out);
    for (int k = 0; k < c.outs; ++k) saros_tensor_release(out[k]);
    saros_function_release(f);
    rows_close(&c);
}
END_TEST

START_TEST(few_rows_are_not_cut) {
    for (int64_t n = 0; n <= 64; n += n ? 63 : 1) {
        rows_case c = rows_open();
        saros_value x = matrix(&c, n, 2);
        mlp m = mlp_open(&c, HIDDEN);
        with_gradients(&c, squares(mlp_apply(&m, x)), 6, m.w);
        rows_check(&c);
        ck_dump(&c, "rows: stage", 0);
        rows_close(&c);
    }
}
END_TEST

START_TEST(opaque_values_stay_outside) {
    rows_case c = rows_open();
    saros_value x = matrix(&c, 4096, 2), a = matrix(&c, HIDDEN, HIDDEN);
    mlp m = mlp_open(&c, HIDDEN);
    m.w[3] = saros_solve(saros_mul(a, saros_like(a, 0.1)), m.w[3]);
    saros_value loss = squares(mlp_apply(&m, x));
    with_gradients(&c, loss, 1, &a);
    rows_check(&c);
    ck_dump(&c, "rows: stage 0", 1);
    rows_close(&c);
}
END_TEST

/* ---- inside a loop ---- */

typedef struct descent {
    saros_value x;
} descent;

static saros_status descend(saros_graph *body, saros_value index, const saros_value *carry,
                            const saros_value *input, void *user, saros_value *next,
                            saros_value *kept) {
    const descent *d = user;
    (void)body, (void)index, (void)input;
    mlp m;
    saros_value gradient[6];
    memcpy(m.w, carry, sizeof m.w);
    saros_value loss = saros_mean(saros_mul(mlp_apply(&m, d->x), mlp_apply(&m, d->x)), 3);
    saros_vjp(1, &loss, NULL, 6, m.w, gradient);
    for (int k = 0; k < 6; ++k)
        next[k] = saros_sub(m.w[k], saros_mul(saros_like(loss, 0.01), gradient[k]));
    kept[0] = loss;
    return SAROS_OK;
}

START_TEST(a_training_loop_runs_regions_in_its_body) {
    rows_case c = rows_open();
    descent d = {.x = matrix(&c, 4096, 2)};
    mlp m = mlp_open(&c, HIDDEN);
    saros_loop(c.graph,
               &(saros_loop_spec){.n = saros_scalar(c.graph, SAROS_I64, 5),
                                  .bound = 5,
                                  .carries = 6,
                                  .carry = m.w,
                                  .kept = 1,
                                  .build = descend,
                                  .user = &d},
               c.out, c.out + 6);
    c.outs = 7;
    rows_check(&c);
    ck_dump(&c, "rows: stage", 1);
    rows_close(&c);
}
END_TEST

int main(void) {
    int bits = 0;
    unsetenv("SAROS_BACKEND");
    saros_backend_default(&bits);
    if (bits == 0) {
        printf("no code generator here: nothing is cut\n");
        return EXIT_SUCCESS;
    }
    const TTest *const tests[] = {a_networks_loss_and_gradient_are_one_sweep,
                                  the_root_of_a_loss_takes_two_sweeps,
                                  causal_weights_come_between_two_sweeps,
                                  two_batches_share_one_list_of_tasks_and_accumulators,
                                  a_batch_as_large_as_the_layers_is_told_from_them,
                                  the_batch_may_be_the_last_axis,
                                  factorised_weights_are_made_before_the_sweep,
                                  a_gauss_newton_product_is_one_sweep,
                                  rows_sliced_from_one_tensor_are_batches_of_their_own,
                                  rows_know_their_place_and_find_their_entries_in_tables,
                                  a_shift_along_the_rows_parts_sweeps,
                                  a_request_to_stop_is_seen_between_blocks,
                                  few_rows_are_not_cut,
                                  opaque_values_stay_outside,
                                  a_training_loop_runs_regions_in_its_body};
    return saros_check_run("autodiff/rows", tests, (int)(sizeof tests / sizeof *tests));
}
