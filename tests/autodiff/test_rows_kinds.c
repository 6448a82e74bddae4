/** Row regions of other operations, beside values that are not cut, and inside loops. */
#include "autodiff/rows_case.h"
#include "saros/stop.h"

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
    const TTest *const tests[] = {rows_know_their_place_and_find_their_entries_in_tables,
                                  a_shift_along_the_rows_parts_sweeps,
                                  a_request_to_stop_is_seen_between_blocks,
                                  few_rows_are_not_cut,
                                  opaque_values_stay_outside,
                                  a_training_loop_runs_regions_in_its_body};
    return rows_main("autodiff/rows_kinds", tests, (int)(sizeof tests / sizeof *tests));
}
