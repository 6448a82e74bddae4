/** Contractions against sums written out: roles of axes, transposed and broadcast operands, lengths
 * on both sides of every switch of method, degenerate shapes, matmul's ranks. */
#include "core/primitive_run.h"
#include "saros/pool.h"

/** One contraction of a (batch i, free f, contracted k) with axes in a given order. */
typedef struct dot_case {
    int64_t batch, rows, columns, k;
    int order_a[3], order_b[3]; /* axis of each role (batch, free, contracted) */
} dot_case;

static const dot_case *now;

static saros_value build_dot(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_dot_general(x[0], x[1], 1, &now->order_a[2], &now->order_b[2], 1, &now->order_a[0],
                             &now->order_b[0]);
}

static saros_tensor *operand(saros_dtype dtype, const int *order, int64_t batch, int64_t rows,
                             int64_t k, unsigned seed) {
    int64_t shape[3];
    shape[order[0]] = batch;
    shape[order[1]] = rows;
    shape[order[2]] = k;
    return run_random(dtype, 3, shape, -9, 9, seed);
}

static double element(const saros_tensor *x, const int *order, int64_t i, int64_t f, int64_t k) {
    int64_t index[3];
    index[order[0]] = i;
    index[order[1]] = f;
    index[order[2]] = k;
    return run_at(x, 3, index);
}

static void check_dot(const dot_case *c, saros_dtype dtype) {
    now = c;
    saros_tensor *in[] = {operand(dtype, c->order_a, c->batch, c->rows, c->k, 1),
                          operand(dtype, c->order_b, c->batch, c->columns, c->k, 2)};
    saros_tensor *y = run(build_dot, 2, in);
    run_has_shape(y, 3, SHAPE(c->batch, c->rows, c->columns));
    for (int64_t i = 0; i < c->batch; ++i)
        for (int64_t m = 0; m < c->rows; ++m)
            for (int64_t n = 0; n < c->columns; ++n) {
                double sum = 0, size = 1;
                for (int64_t k = 0; k < c->k; ++k) {
                    double term =
                        element(in[0], c->order_a, i, m, k) * element(in[1], c->order_b, i, n, k);
                    sum += term;
                    size += fabs(term);
                }
                double got = run_item(y, (i * c->rows + m) * c->columns + n);
                ck_near(got / size, sum / size, dtype == SAROS_F32 ? 2e-6 : 2e-15);
            }
    run_release(2, in);
    saros_tensor_release(y);
}

START_TEST(every_order_of_axes_and_every_method) {
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const int64_t sizes[][4] = {{2, 3, 5, 7}, {1, 1, 6, 9},   {3, 6, 1, 9}, {2, 5, 4, 1},
                                       {2, 5, 4, 2}, {1, 3, 140, 3}, {2, 5, 4, 4}, {1, 1, 1, 30},
                                       {2, 3, 4, 0}, {0, 3, 4, 5},   {2, 0, 4, 5}, {1, 9, 11, 20}};
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32};
    for (int k = 0; k < 36; ++k)
        for (int d = 0; d < 4; ++d) {
            dot_case c = {sizes[_i][0], sizes[_i][1], sizes[_i][2], sizes[_i][3], {0}, {0}};
            memcpy(c.order_a, orders[k / 6], sizeof c.order_a);
            memcpy(c.order_b, orders[k % 6], sizeof c.order_b);
            check_dot(&c, dtypes[d]);
        }
}
END_TEST

static saros_value build_two_pairs(saros_graph *g, const saros_value *x) {
    (void)g; /* contracts axes that do not merge into one: a copy has to be made */
    return saros_dot_general(x[0], x[1], 2, (int[]){0, 2}, (int[]){1, 0}, 0, NULL, NULL);
}
START_TEST(several_contracted_axes) {
    saros_tensor *in[] = {run_random(SAROS_F64, 3, SHAPE(4, 3, 5), -1, 1, 1),
                          run_random(SAROS_F64, 3, SHAPE(5, 4, 2), -1, 1, 2)};
    saros_tensor *y = run(build_two_pairs, 2, in);
    for (int64_t m = 0; m < 3; ++m)
        for (int64_t n = 0; n < 2; ++n) {
            double sum = 0;
            for (int64_t i = 0; i < 4; ++i)
                for (int64_t j = 0; j < 5; ++j)
                    sum +=
                        run_item(in[0], (i * 3 + m) * 5 + j) * run_item(in[1], (j * 4 + i) * 2 + n);
            ck_near(run_item(y, m * 2 + n), sum, 1e-14);
        }
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_views(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value repeated = saros_broadcast(x[0], 2, SHAPE(6, 9), NULL); /* stride 0 */
    saros_value reversed = saros_reverse(saros_slice(x[1], 0, 0, 18, 2), 0);
    return saros_matmul(repeated, reversed);
}
START_TEST(broadcast_strided_and_reversed_operands) {
    saros_tensor *in[] = {run_random(SAROS_F64, 1, SHAPE(9), -1, 1, 1),
                          run_random(SAROS_F64, 2, SHAPE(18, 5), -1, 1, 2)};
    saros_tensor *y = run(build_views, 2, in);
    for (int64_t m = 0; m < 6; ++m)
        for (int64_t n = 0; n < 5; ++n) {
            double sum = 0;
            for (int64_t k = 0; k < 9; ++k)
                sum += run_item(in[0], k) * run_item(in[1], 2 * (8 - k) * 5 + n);
            ck_near(run_item(y, m * 5 + n), sum, 1e-14);
        }
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

/* ---- classes of size: every method and both sides of its limits ---- */

static bool stored_transposed[2];

static saros_value build_product(saros_graph *g, const saros_value *x) {
    (void)g;
    int of_a = stored_transposed[0] ? 0 : 1, of_b = stored_transposed[1] ? 1 : 0;
    return saros_dot_general(x[0], x[1], 1, &of_a, &of_b, 0, NULL, NULL);
}

static double number_at(const saros_tensor *x, int64_t i) {
    const void *data = saros_tensor_const_data(x);
    return saros_tensor_dtype(x) == SAROS_F64 ? ((const double *)data)[i]
                                              : (double)((const float *)data)[i];
}

/** Against a plain triple loop. Whatever the order of a sum of k products, its error is at most
 * about k eps times the sum of their sizes (Higham, Accuracy and Stability, 3.5). */
static void check_product(const saros_tensor *a, const saros_tensor *b, const saros_tensor *y,
                          int64_t m, int64_t n, int64_t k) {
    const double eps = saros_tensor_dtype(y) == SAROS_F64 ? 0x1p-53 : 0x1p-24;
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
            double sum = 0, size = 0;
            for (int64_t l = 0; l < k; ++l) {
                double term = number_at(a, stored_transposed[0] ? l * m + i : i * k + l) *
                              number_at(b, stored_transposed[1] ? j * k + l : l * n + j);
                sum += term;
                size += fabs(term);
            }
            ck_assert_msg(fabs(number_at(y, i * n + j) - sum) <= (double)(k + 1) * eps * size,
                          "(%d, %d) of %d x %d x %d", (int)i, (int)j, (int)m, (int)n, (int)k);
        }
}

/** On one thread, then on more: the same bits. */
static void check_threads(saros_tensor **in, int64_t m, int64_t n, int64_t k) {
    saros_tensor *one = NULL;
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        saros_tensor *y = run(build_product, 2, in);
        if (!one) check_product(in[0], in[1], one = y, m, n, k);
        ck_assert_mem_eq(saros_tensor_const_data(one), saros_tensor_const_data(y),
                         (size_t)(m * n) * saros_dtype_bytes(saros_tensor_dtype(y)));
        if (y != one) saros_tensor_release(y);
    }
    ck_ok(saros_threads_set(0));
    saros_tensor_release(one);
}

START_TEST(every_class_of_size_in_every_layout_on_any_threads) {
    static const int64_t sizes[][3] = {
        {2, 2, 5},       {17, 3, 40},     {3, 17, 40},     {250, 1, 128},
        {1, 250, 128},   {5, 1, 5},       {64, 64, 1},     {64, 130, 4},
        {250, 128, 128}, {128, 128, 250}, {131, 129, 385}, {200, 7, 600},
        {31, 520, 64},   {300, 530, 90},  {1030, 30, 70},  {66, 65, 1000}};
    const int64_t m = sizes[_i][0], n = sizes[_i][1], k = sizes[_i][2];
    for (int layout = 0; layout < 8; ++layout) {
        const saros_dtype dtype = layout < 4 ? SAROS_F64 : SAROS_F32;
        stored_transposed[0] = layout & 1;
        stored_transposed[1] = layout & 2;
        saros_tensor *in[] = {
            run_random(dtype, 2, stored_transposed[0] ? SHAPE(k, m) : SHAPE(m, k), -1, 1, 1),
            run_random(dtype, 2, stored_transposed[1] ? SHAPE(n, k) : SHAPE(k, n), -1, 1, 2)};
        check_threads(in, m, n, k);
        run_release(2, in);
    }
}
END_TEST

static saros_value build_matmul(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_matmul(x[0], x[1]);
}
START_TEST(matmul_has_the_ranks_of_numpy) {
    static const struct {
        int rank[2], out;
        int64_t shape[2][4], result[4];
    } cases[] = {
        {{1, 1}, 0, {{3}, {3}}, {0}},
        {{2, 1}, 1, {{2, 3}, {3}}, {2}},
        {{1, 2}, 1, {{3}, {3, 4}}, {4}},
        {{3, 2}, 3, {{5, 2, 3}, {3, 4}}, {5, 2, 4}},
        {{2, 3}, 3, {{2, 3}, {5, 3, 4}}, {5, 2, 4}},
        {{1, 3}, 2, {{3}, {5, 3, 4}}, {5, 4}},
        {{3, 1}, 2, {{5, 2, 3}, {3}}, {5, 2}},
        {{4, 3}, 4, {{2, 1, 2, 3}, {5, 3, 4}}, {2, 5, 2, 4}},
    };
    saros_tensor *in[2];
    for (int k = 0; k < 2; ++k)
        in[k] = run_random(SAROS_F64, cases[_i].rank[k], cases[_i].shape[k], 1, 2, (unsigned)k);
    saros_tensor *y = run(build_matmul, 2, in);
    run_has_shape(y, cases[_i].out, cases[_i].result);
    int64_t index[SAROS_MAX_RANK] = {0};
    int rank = saros_tensor_rank(y), ra = cases[_i].rank[0], rb = cases[_i].rank[1];
    do {
        int64_t at_a[4] = {0}, at_b[4] = {0};
        int lead = rank - (ra > 1) - (rb > 1);
        for (int a = 0; a < ra - 2; ++a)
            at_a[a] = cases[_i].shape[0][a] == 1 ? 0 : index[lead - (ra - 2) + a];
        for (int a = 0; a < rb - 2; ++a) at_b[a] = index[lead - (rb - 2) + a];
        if (ra > 1) at_a[ra - 2] = index[lead];
        if (rb > 1) at_b[rb - 1] = index[rank - 1];
        double sum = 0, a, b;
        for (int64_t k = 0; k < 3; ++k) {
            at_a[ra - 1] = at_b[rb > 1 ? rb - 2 : 0] = k;
            ck_ok(saros_tensor_get(in[0], at_a, &a));
            ck_ok(saros_tensor_get(in[1], at_b, &b));
            sum += a * b;
        }
        ck_near(run_at(y, rank, index), sum, 1e-14);
    } while (run_next(y, index));
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

START_TEST(matmul_rejects_inner_size_mismatch) {
    saros_type types[] = {saros_type_make(SAROS_F64, 2, SHAPE(2, 3)),
                          saros_type_make(SAROS_F64, 2, SHAPE(4, 5))};
    ck_assert_str_eq(run_message(build_matmul, 2, types, SAROS_ERR_SHAPE),
                     "shapes (2,3) and (4,5) do not multiply");
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_dot", {every_order_of_axes_and_every_method, 12},
                 {every_class_of_size_in_every_layout_on_any_threads, 16},
                 {several_contracted_axes, 1}, {broadcast_strided_and_reversed_operands, 1},
                 {matmul_has_the_ranks_of_numpy, 8}, {matmul_rejects_inner_size_mismatch, 1})
