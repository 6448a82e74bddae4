/** An example for every primitive row of core: see primitive_table.h. Ranges keep clear of kinks
 * and of the ends of domains; matrices are made well conditioned. */
#ifndef SAROS_TESTS_CORE_EXAMPLES_H
#define SAROS_TESTS_CORE_EXAMPLES_H

#include "autodiff/region_examples.h"
#include "autodiff/primitive_table.h"

/* ---- pointwise ---- */

static int build_fma(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_fma(x[0], x[1], x[2]);
    return 1;
}
static int build_power(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_power(x[0], 3);
    y[1] = saros_power(saros_add(x[0], saros_like(x[0], 2)), -2);
    return 2;
}
static int build_where(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_where(x[0], x[1], x[2]);
    return 1;
}
static int build_cast(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_cast(x[0], saros_value_dtype(x[0]) == SAROS_F64 ? SAROS_F32 : SAROS_F64);
    return 1;
}
static int build_cast_down(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_cast(x[0], SAROS_I64);
    y[1] =
        saros_mul(x[0], saros_cast(saros_gt(x[0], saros_like(x[0], 0)), saros_value_dtype(x[0])));
    return 2;
}

/* ---- structure ---- */

static int build_reshape(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    int64_t n = saros_value_type(x[0])->shape[0];
    y[0] = saros_reshape(x[0], 3, (int64_t[]){3, n, 2});
    return 1;
}
static int build_permute(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_permute(x[0], (int[]){2, 0, 1});
    return 1;
}
static int build_broadcast(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    int64_t n = saros_value_type(x[0])->shape[0];
    y[0] = saros_broadcast(x[0], 3, (int64_t[]){2, n, 4}, NULL);
    y[1] = saros_broadcast(x[0], 3, (int64_t[]){n, 2, 1}, (int[]){0, 2});
    return 2;
}
static int build_slice(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_slice(x[0], 1, 1, 5, 2);
    y[1] = saros_slice(x[0], -1, 2, 2, 1);
    return 2;
}
static int build_pad(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_pad(x[0], 1, 1, 2, 1, 0.5);
    return 1;
}
static int build_shift(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_shift(x[0], 1, 2, SAROS_EDGE_ZERO);
    y[1] = saros_shift(x[0], 1, -1, SAROS_EDGE_WRAP);
    y[2] = saros_shift(x[0], 0, -1, SAROS_EDGE_ZERO);
    return 3;
}
static int build_reverse(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_reverse(x[0], 1);
    return 1;
}
static int build_concat(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_concat(3, x, 1);
    return 1;
}
static int build_gather(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_gather(x[0], x[1], 1);
    return 1;
}
static int build_scatter_add(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_scatter_add(x[0], x[1], 1, 5);
    return 1;
}
static int build_iota(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_type type = *saros_value_type(x[0]);
    y[0] = saros_mul(x[0], saros_iota(g, &type, 1));
    return 1;
}
static int build_constant(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_tensor *wide = run_from(1, (int64_t[]){3}, (double[]){0.5, -1.5, 2.5}), *t = NULL;
    ck_ok(saros_tensor_cast(wide, saros_value_dtype(x[0]), &t));
    y[0] = saros_mul(x[0], saros_constant(g, t));
    saros_tensor_release(wide);
    saros_tensor_release(t);
    return 1;
}

/* ---- reductions, contraction ---- */

static int build_sum(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_sum(x[0], 2);
    y[1] = saros_sum(x[0], 5);
    y[2] = saros_sum(x[0], saros_all_axes(x[0]));
    return 3;
}
static int build_max(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_max(x[0], 2);
    y[1] = saros_max(x[0], 6);
    return 2;
}
static int build_min(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_min(x[0], 4);
    return 1;
}
/* every element twice: the sum of the gradients counts each once */
static int build_ties(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    saros_value twice = saros_concat(2, (saros_value[]){x[0], x[0]}, 1);
    y[0] = saros_max(twice, 2);
    y[1] = saros_min(twice, 2);
    y[2] = saros_maximum(x[0], x[0]);
    y[3] = saros_minimum(saros_sin(x[0]), saros_sin(x[0]));
    return 4;
}
static int build_argmax(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_argmax(x[0], 1);
    return 1;
}
static int build_cumsum(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_cumsum(x[0], 1, false);
    y[1] = saros_cumsum(x[0], 0, true);
    return 2;
}
static int build_dot(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_dot_general(x[0], x[1], 1, (int[]){2}, (int[]){1}, 1, (int[]){0}, (int[]){0});
    return 1;
}
static int build_dot_two(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_dot_general(x[0], x[1], 2, (int[]){0, 1}, (int[]){1, 0}, 0, NULL, NULL);
    return 1;
}

/* ---- random: keys are operands ---- */

static int build_random(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){5});
    saros_value key = saros_random_fold(x[0], x[1]);
    y[0] = saros_random_uniform(key, &type);
    y[1] = saros_random_normal(x[0], &type);
    return 2;
}

/* ---- transforms ---- */

static int build_rfft(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    saros_rfft(x[0], &y[0], &y[1]);
    saros_rfft(saros_slice(x[0], 1, 0, 5, 1), &y[2], &y[3]);
    return 4;
}
static int build_irfft(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    y[0] = saros_irfft(x[0], x[1], 8);
    y[1] = saros_irfft(x[0], x[1], 9);
    return 2;
}
static int build_fft(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    saros_fft(x[0], x[1], false, &y[0], &y[1]);
    saros_fft(x[0], x[1], true, &y[2], &y[3]);
    return 4;
}

/* ---- dense linear algebra ---- */

/** x plus `shift` times the unit matrix, or times diag(0, 1, 2 …). */
static saros_value shifted(saros_graph *g, saros_value x, double shift, bool spaced) {
    int64_t n = saros_value_type(x)->shape[0];
    double diagonal[9] = {0};
    for (int64_t k = 0; k < n; ++k) diagonal[k * n + k] = shift * (spaced ? (double)k : 1);
    saros_tensor *wide = run_from(2, (int64_t[]){n, n}, diagonal), *t = NULL;
    ck_ok(saros_tensor_cast(wide, saros_value_dtype(x), &t));
    saros_value sum = saros_add(x, saros_constant(g, t));
    saros_tensor_release(wide);
    saros_tensor_release(t);
    return sum;
}
static int build_solve(saros_graph *g, const saros_value *x, saros_value *y) {
    y[0] = saros_solve(shifted(g, x[0], 3, false), x[1]);
    return 1;
}
static int build_solve_transposed(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_value a = shifted(g, x[0], 3, false);
    y[0] = saros_lu_solve(saros_lu(a), a, x[1], true);
    return 1;
}
static int build_cholesky(saros_graph *g, const saros_value *x, saros_value *y) {
    y[0] = saros_cholesky(shifted(g, saros_matmul(x[0], saros_transpose(x[0])), 2, false));
    return 1;
}
static int build_triangular(saros_graph *g, const saros_value *x, saros_value *y) {
    y[0] = saros_triangular_solve(shifted(g, x[0], 2, false), x[1], false);
    y[1] = saros_triangular_solve(shifted(g, x[0], 2, false), x[1], true);
    return 2;
}
static int build_eigh(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_value even = saros_add(x[0], saros_transpose(x[0]));
    saros_eigh(shifted(g, even, 4, true), &y[0], &y[1]);
    return 2;
}
static int build_det(saros_graph *g, const saros_value *x, saros_value *y) {
    y[0] = saros_det(shifted(g, x[0], 1, false));
    return 1;
}

/* ---- the table ---- */

#define ONE(lo, hi)                                                                                \
    1, {                                                                                           \
        TABLE_F2(lo, hi, N, 4)                                                                     \
    }
#define TWO(lo, hi, low, high)                                                                     \
    2, {                                                                                           \
        TABLE_F2(lo, hi, N, 4), TABLE_F2(low, high, N, 4)                                          \
    }
#define MATRIX TABLE_F2(-1, 1, 3, 3)

static const table_example core_examples[] = {
    {"input", ONE(-1, 1), .unary = saros_sin},
    {"constant", 1, {TABLE_F2(-1, 1, N, 3)}, .build = build_constant},
    {"add", TWO(-1, 1, -1, 1), .binary = saros_add},
    {"add", 2, {TABLE_F2(-1, 1, N, 4), TABLE_F1(-1, 1, 4)}, .binary = saros_add},
    {"sub", TWO(-1, 1, -1, 1), .binary = saros_sub},
    {"mul", TWO(-1, 1, -1, 1), .binary = saros_mul},
    {"mul", 2, {TABLE_F0(-1, 1), TABLE_F3(-1, 1, 2, N, 3)}, .binary = saros_mul},
    {"div", TWO(-1, 1, 0.7, 1.5), .binary = saros_div},
    {"fma", 3, {TABLE_F1(-1, 1, N), TABLE_F1(-1, 1, N), TABLE_F1(-1, 1, N)}, .build = build_fma},
    {"neg", ONE(-1, 1), .unary = saros_neg},
    {"pow", TWO(0.7, 1.5, -1, 1), .binary = saros_pow},
    {"power", ONE(-1, 1), .build = build_power},
    {"abs", ONE(-1, 1), .unary = saros_abs},
    {"sign", ONE(-1, 1), .unary = saros_sign},
    {"floor", ONE(-3, 3), .unary = saros_floor},
    {"round", ONE(-3, 3), .unary = saros_round},
    {"maximum", TWO(-1, 1, -1, 1), .binary = saros_maximum},
    {"minimum", TWO(-1, 1, -1, 1), .binary = saros_minimum},
#define EXAMPLE(name, low, high) {#name, ONE(low, high), .unary = saros_##name},
    SAROS_ELEMENTARY_ROWS(EXAMPLE)
#undef EXAMPLE
        {"atan2", TWO(0.7, 1.5, -1, 1), .binary = saros_atan2},
    {"relu", ONE(-1, 1), .unary = saros_relu},
    {"eq", TWO(-1, 1, -1, 1), .binary = saros_eq},
    {"ne", TWO(-1, 1, -1, 1), .binary = saros_ne},
    {"lt", TWO(-1, 1, -1, 1), .binary = saros_lt},
    {"le", TWO(-1, 1, -1, 1), .binary = saros_le},
    {"and", 2, {{'b', 1, {N}, 0, 0}, {'b', 1, {N}, 0, 0}}, .binary = saros_and},
    {"or", 2, {{'b', 1, {N}, 0, 0}, {'b', 1, {N}, 0, 0}}, .binary = saros_or},
    {"not", 1, {{'b', 1, {N}, 0, 0}}, .unary = saros_not},
    {"where",
     3,
     {{'b', 2, {N, 4}, 0, 0}, TABLE_F2(-1, 1, N, 4), TABLE_F1(-1, 1, 4)},
     .build = build_where},
    {"cast", ONE(-3, 3), .build = build_cast_down},
    {"cast", ONE(-3, 3), .build = build_cast, .without = TABLE_ROUNDS, .slack = 1e7}, /* via f32 */
    {"stop_gradient", ONE(-1, 1), .unary = saros_stop_gradient, .without = TABLE_NO_DIFFERENCES},
    {"alias", ONE(-1, 1), .unary = saros_alias},
    {"spread", ONE(-1, 1), .unary = saros_spread},
    {"allreduce", ONE(-1, 1), .unary = saros_allreduce},
    {"reshape", 1, {TABLE_F3(-1, 1, N, 2, 3)}, .build = build_reshape},
    {"permute", 1, {TABLE_F3(-1, 1, N, 2, 4)}, .build = build_permute},
    {"broadcast", 1, {TABLE_F2(-1, 1, N, 1)}, .build = build_broadcast},
    {"slice", 1, {TABLE_F2(-1, 1, N, 5)}, .build = build_slice},
    {"pad", 1, {TABLE_F2(-1, 1, N, 3)}, .build = build_pad},
    {"shift", 1, {TABLE_F2(-1, 1, N, 5)}, .build = build_shift},
    {"reverse", 1, {TABLE_F2(-1, 1, N, 5)}, .build = build_reverse},
    {"concat",
     3,
     {TABLE_F2(-1, 1, 2, 3), TABLE_F2(-1, 1, 2, N), TABLE_F2(-1, 1, 2, 1)},
     .build = build_concat},
    {"gather", 2, {TABLE_F3(-1, 1, N, 4, 2), {'i', 2, {2, 3}, 0, 4}}, .build = build_gather},
    {"scatter_add", 2, {TABLE_F3(-1, 1, N, 4, 2), {'i', 1, {4}, 0, 5}}, .build = build_scatter_add},
    {"iota", 1, {TABLE_F2(-1, 1, N, 5)}, .build = build_iota},
    {"sum", 1, {TABLE_F3(-1, 1, N, 4, 2)}, .build = build_sum},
    {"max", 1, {TABLE_F3(-9, 9, N, 4, 2)}, .build = build_max},
    {"min", 1, {TABLE_F3(-9, 9, N, 4, 2)}, .build = build_min},
    {"max", 1, {TABLE_F2(-9, 9, N, 4)}, .build = build_ties},
    {"min", 1, {TABLE_F2(-9, 9, N, 4)}, .build = build_ties},
    {"argmax", 1, {TABLE_F2(-1, 1, N, 4)}, .build = build_argmax},
    {"cumsum", 1, {TABLE_F2(-1, 1, N, 4)}, .build = build_cumsum},
    {"dot", 2, {TABLE_F3(-1, 1, N, 2, 4), TABLE_F3(-1, 1, N, 4, 3)}, .build = build_dot},
    {"dot", 2, {TABLE_F3(-1, 1, 2, 3, N), TABLE_F2(-1, 1, 3, 2)}, .build = build_dot_two},
    {"dot", 2, {TABLE_F2(-1, 1, 2, N), TABLE_F2(-1, 1, N, 4)}, .binary = saros_matmul},
    {"dot", 2, {TABLE_F2(-1, 1, 4, 3), TABLE_F1(-1, 1, 3)}, .binary = saros_matmul},
    {"random_fold", 2, {{'i', 1, {2}, 0, 1e6}, {'i', 0, {0}, 0, 1e6}}, .build = build_random},
    {"random_uniform", 2, {{'i', 1, {2}, 0, 1e6}, {'i', 0, {0}, 0, 1e6}}, .build = build_random},
    {"random_normal", 2, {{'i', 1, {2}, 0, 1e6}, {'i', 0, {0}, 0, 1e6}}, .build = build_random},
    {"rfft", 1, {TABLE_F2(-1, 1, N, 8)}, .build = build_rfft},
    {"irfft", 2, {TABLE_F2(-1, 1, N, 5), TABLE_F2(-1, 1, N, 5)}, .build = build_irfft},
    {"fft", 2, {TABLE_F2(-1, 1, N, 6), TABLE_F2(-1, 1, N, 6)}, .build = build_fft},
    {"lu", 2, {MATRIX, TABLE_F2(-1, 1, 3, N)}, .build = build_solve},
    {"lu_solve", 2, {MATRIX, TABLE_F1(-1, 1, 3)}, .build = build_solve},
    {"lu_solve", 2, {MATRIX, TABLE_F2(-1, 1, 3, 2)}, .build = build_solve_transposed},
    {"cholesky", 1, {MATRIX}, .build = build_cholesky},
    {"triangular_solve", 2, {MATRIX, TABLE_F2(-1, 1, 3, N)}, .build = build_triangular},
    {"eigh", 1, {MATRIX}, .build = build_eigh},
    {"det", 1, {MATRIX}, .build = build_det},
    {"loop",
     4,
     {TABLE_F1(-1, 1, N), TABLE_F0(-1, 1), TABLE_F2(-1, 1, 5, N), {'i', 0, {0}, 2, 6}},
     .build = build_loop},
    {"loop",
     4,
     {TABLE_F1(-1, 1, N), TABLE_F0(-1, 1), TABLE_F2(-1, 1, 5, N), {'i', 0, {0}, 2, 6}},
     .build = build_early_loop},
    {"loop",
     4,
     {TABLE_F1(-1, 1, N), TABLE_F0(-1, 1), TABLE_F2(-1, 1, 5, N), {'i', 0, {0}, 2, 6}},
     .build = build_early_loop_states},
    {"loop_reverse",
     4,
     {TABLE_F1(-1, 1, N), TABLE_F0(-1, 1), TABLE_F2(-1, 1, 5, N), {'i', 0, {0}, 2, 6}},
     .build = build_loop_reverse},
    {"cond", 3, {{'b', 0, {0}, 0, 0}, TABLE_F1(-1, 1, N), TABLE_F0(-1, 1)}, .build = build_cond},
    {"call", 2, {TABLE_F1(-1, 1, N), TABLE_F1(-1, 1, N)}, .build = build_call},
    {"call",
     2,
     {TABLE_F1(-1, 1, N), TABLE_F1(-1, 1, N)},
     .build = build_call_numeric,
     .without = TABLE_NO_SECOND},
};

#undef ONE
#undef TWO
#undef MATRIX

#endif
