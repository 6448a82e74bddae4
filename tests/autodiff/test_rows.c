/** Row regions of networks: losses, gradients, products with second derivatives. */
#include "autodiff/rows_case.h"

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

int main(void) {
    const TTest *const tests[] = {a_networks_loss_and_gradient_are_one_sweep,
                                  the_root_of_a_loss_takes_two_sweeps,
                                  causal_weights_come_between_two_sweeps,
                                  two_batches_share_one_list_of_tasks_and_accumulators,
                                  a_batch_as_large_as_the_layers_is_told_from_them,
                                  the_batch_may_be_the_last_axis,
                                  factorised_weights_are_made_before_the_sweep,
                                  a_gauss_newton_product_is_one_sweep,
                                  rows_sliced_from_one_tensor_are_batches_of_their_own};
    return rows_main("autodiff/rows", tests, (int)(sizeof tests / sizeof *tests));
}
