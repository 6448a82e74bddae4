/** The compiled backend against the reference: elementary functions in ulp over their range, random
 * graphs, layouts, dtypes, groups that would close a cycle. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/kernel_impl.h"
#include "saros/ops.h"

/* ---- both backends ---- */

static saros_function *compiled(saros_graph *g, int ins, const saros_value *in, int outs,
                                const saros_value *out, const char *backend) {
    saros_function *f = NULL;
    ck_ok(saros_compile(g, ins, in, outs, out, &(saros_compile_options){.backend = backend}, &f));
    return f;
}

/** Runs y = out(in) on both backends; results to release. */
static void run_both(saros_graph *g, int ins, const saros_value *in, int outs,
                     const saros_value *out, saros_tensor *const *at, saros_tensor **reference,
                     saros_tensor **cpu) {
    saros_function *a = compiled(g, ins, in, outs, out, "reference");
    saros_function *b = compiled(g, ins, in, outs, out, "cpu");
    ck_ok(saros_function_call(a, at, reference, NULL));
    ck_ok(saros_function_call(b, at, cpu, NULL));
    saros_function_release(a);
    saros_function_release(b);
}

static int64_t ulps(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : INT64_MAX;
    int64_t x = saros_bits(a), y = saros_bits(b);
    if (x < 0) x = INT64_MIN - x;
    if (y < 0) y = INT64_MIN - y;
    return x > y ? x - y : y - x;
}

/* ---- random graphs ---- */

static uint64_t state;
static int pick(int n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)(state >> 33) % n;
}

/** A random node on values of shape (rows, columns); reductions and permutations cut groups. */
static saros_value random_node(int n, const saros_value *v) {
    saros_value a = v[pick(n)], b = v[pick(n)], c = v[pick(n)];
    const int64_t *shape = saros_value_type(a)->shape;
    int64_t full[2] = {shape[0], shape[1]};
    switch (pick(13)) {
    case 0:
        return saros_add(a, b);
    case 1:
        return saros_sub(a, b);
    case 2:
        return saros_mul(a, b);
    case 3:
        return saros_div(a, saros_add(saros_mul(b, b), saros_like(b, 1.5)));
    case 4:
        return saros_fma(a, b, c);
    case 5:
        return saros_maximum(a, b);
    case 6:
        return saros_minimum(saros_neg(a), b);
    case 7:
        return saros_where(saros_lt(a, b), saros_abs(c), b);
    case 8:
        return saros_where(saros_and(saros_le(a, b), saros_not(saros_eq(b, c))), a, c);
    case 9:
        return saros_sqrt(saros_abs(a));
    case 10:
        return saros_broadcast(saros_max(a, 1), 2, full, NULL);
    case 11:
        return saros_broadcast(saros_reshape(saros_min(a, 2), 2, (int64_t[]){full[0], 1}), 2, full,
                               NULL);
    default:
        return saros_mul(saros_floor(saros_mul(a, saros_like(a, 3.0))), saros_power(b, 2));
    }
}

static void check_equal(saros_tensor *const *a, saros_tensor *const *b, int outs, int seed) {
    for (int m = 0; m < outs; ++m) {
        const double *x = saros_tensor_const_data(a[m]), *y = saros_tensor_const_data(b[m]);
        for (int64_t i = 0; i < saros_tensor_count(a[m]); ++i)
            ck_assert_msg(ulps(x[i], y[i]) == 0, "seed %d, output %d, element %lld: %.17g, %.17g",
                          seed, m, (long long)i, x[i], y[i]);
    }
}

START_TEST(random_graphs_agree_bitwise) {
    enum { NODES = 900, OUTS = 4 };
    for (int seed = 1; seed <= 64; ++seed) {
        const int nodes = seed <= 60 ? 60 : NODES; /* large ones meet the bounds on groups */
        state = (uint64_t)seed * 77777;
        int64_t shape[2] = {1 + pick(40), 1 + pick(90)};
        saros_graph *g = NULL;
        saros_tensor *at[2] = {0}, *reference[OUTS] = {0}, *cpu[OUTS] = {0};
        saros_type type = saros_type_make(SAROS_F64, 2, shape);
        ck_ok(saros_graph_make(&g));
        saros_value v[NODES + 2], in[2], out[OUTS];
        for (int k = 0; k < 2; ++k) {
            v[k] = in[k] = saros_input(g, &type, NULL);
            ck_ok(saros_tensor_make(SAROS_F64, 2, shape, &at[k]));
            double *x = saros_tensor_data(at[k]);
            for (int64_t i = 0; i < shape[0] * shape[1]; ++i) x[i] = pick(2001) * 1e-3 - 1.0;
        }
        for (int k = 2; k < nodes + 2; ++k) v[k] = random_node(k, v);
        for (int m = 0; m < OUTS; ++m) out[m] = v[nodes + 1 - m * 7];
        run_both(g, 2, in, OUTS, out, at, reference, cpu);
        check_equal(reference, cpu, OUTS, seed);
        for (int m = 0; m < OUTS; ++m) {
            saros_tensor_release(reference[m]);
            saros_tensor_release(cpu[m]);
        }
        saros_tensor_release(at[0]);
        saros_tensor_release(at[1]);
        saros_graph_release(g);
    }
}
END_TEST

/* ---- layouts, dtypes ---- */

static void compare_on(saros_unary_fn *op, saros_dtype dtype, int rank, const int64_t *shape) {
    saros_graph *g = NULL;
    saros_tensor *wide = NULL, *at = NULL, *a = NULL, *b = NULL;
    saros_type type = saros_type_make(dtype, rank, shape);
    ck_ok(saros_graph_make(&g));
    saros_value in = saros_input(g, &type, "x"), out = op(in);
    ck_ok(saros_tensor_make(SAROS_F64, rank, shape, &wide));
    double *x = saros_tensor_data(wide);
    for (int64_t i = 0; i < saros_tensor_count(wide); ++i) x[i] = (double)(i % 17) * 0.25 - 2.0;
    ck_ok(saros_tensor_cast(wide, dtype, &at));
    run_both(g, 1, &in, 1, &out, &at, &a, &b);
    ck_assert_int_eq(saros_tensor_dtype(a), saros_tensor_dtype(b));
    ck_assert_mem_eq(saros_tensor_const_data(a), saros_tensor_const_data(b),
                     (size_t)saros_tensor_count(a) * saros_dtype_bytes(saros_tensor_dtype(a)));
    saros_tensor_release(wide);
    saros_tensor_release(at);
    saros_tensor_release(a);
    saros_tensor_release(b);
    saros_graph_release(g);
}

static saros_value permuted(saros_value x) {
    saros_value t = saros_transpose(x);
    return saros_add(saros_mul(t, saros_like(t, 2.0)), t);
}
static saros_value sliced(saros_value x) {
    saros_value s = saros_slice(x, 1, 1, 60, 3);
    return saros_sub(saros_mul(s, s), s);
}
static saros_value outer(saros_value x) {
    int64_t n = saros_value_type(x)->shape[0], m = saros_value_type(x)->shape[1];
    saros_value row = saros_slice(x, 0, 0, 1, 1), column = saros_slice(x, 1, 0, 1, 1);
    saros_value a = saros_broadcast(row, 2, (int64_t[]){n, m}, NULL);
    saros_value b = saros_broadcast(column, 2, (int64_t[]){n, m}, NULL);
    return saros_add(saros_mul(a, b), saros_mul(x, b));
}
static saros_value mixed(saros_value x) {
    saros_value wide = saros_cast(x, SAROS_F64), narrow = saros_cast(x, SAROS_F32);
    saros_value y = saros_mul(wide, saros_cast(saros_mul(narrow, narrow), SAROS_F64));
    return saros_cast(saros_add(y, wide), SAROS_F32);
}
static saros_value masks(saros_value x) {
    saros_value m =
        saros_or(saros_lt(x, saros_like(x, 0.0)), saros_not(saros_le(x, saros_like(x, 1.0))));
    return saros_and(m, saros_ne(x, saros_like(x, -2.0)));
}
static saros_value powers(saros_value x) {
    saros_value y = saros_add(x, saros_like(x, 0.125));
    return saros_add(saros_power(y, 5), saros_mul(saros_power(y, -3), saros_power(y, 2)));
}
static saros_value twice(saros_value x) {
    return saros_add(saros_add(x, x), saros_mul(x, x));
}

START_TEST(layouts_and_dtypes_agree_bitwise) {
    saros_unary_fn *const ops[] = {permuted, sliced, outer, mixed, masks, powers};
    for (size_t k = 0; k < sizeof ops / sizeof *ops; ++k)
        for (int d = SAROS_F64; d <= SAROS_F32; ++d)
            compare_on(ops[k], (saros_dtype)d, 2, (int64_t[]){37, 61});
    compare_on(twice, SAROS_I64, 3, (int64_t[]){5, 7, 9});
    compare_on(twice, SAROS_I32, 1, (int64_t[]){1001});
    compare_on(twice, SAROS_F64, 2, (int64_t[]){0, 61});
    compare_on(twice, SAROS_F32, 4, (int64_t[]){2, 1, 3, 33});
}
END_TEST

/* ---- grouping ---- */

static int kernels(saros_value in, saros_value out) {
    saros_body *body = NULL, *fused = NULL;
    ck_ok(saros_body_extract(in.graph, 1, &in, 1, &out, &body, NULL));
    ck_ok(saros_kernel_fuse(body, 0, false, &fused));
    int count = 0;
    saros_graph *g = saros_body_graph(fused);
    for (int32_t id = 0; id < saros_graph_count(g);) {
        saros_node node = saros_graph_node(g, id, NULL);
        count += node.row == &saros_row_kernel;
        id += node.outputs;
    }
    saros_body_release(body);
    saros_body_release(fused);
    return count;
}

START_TEST(a_chain_is_one_kernel_and_a_reduction_in_between_makes_two) {
    saros_graph *g = NULL;
    int64_t n = 100;
    saros_type type = saros_type_make(SAROS_F64, 1, &n);
    ck_ok(saros_graph_make(&g));
    saros_value x = saros_input(g, &type, "x");
    saros_value chain = saros_add(saros_mul(saros_tanh(x), x), saros_like(x, 2.0));
    ck_assert_int_eq(kernels(x, chain), 1);
    /* e = x + 1 is used before and after the sum: the last product may not join its group */
    saros_value e = saros_mul(saros_add(x, saros_like(x, 1.0)), x);
    saros_value s = saros_sum(saros_mul(e, e), saros_all_axes(e));
    ck_assert_int_eq(kernels(x, saros_sub(saros_mul(e, s), saros_mul(x, x))), 2);
    saros_graph_release(g);
}
END_TEST

/** e stands in a group that grows after v was read from it: n may not join the group of g, because
 * n reads v, the grown group reads g. */
START_TEST(groups_that_grow_after_they_were_read_form_no_cycle) {
    int64_t shape[2] = {8, 8};
    saros_graph *g = NULL;
    saros_tensor *at[2] = {0}, *reference[2] = {0}, *cpu[2] = {0};
    saros_type type = saros_type_make(SAROS_F64, 2, shape);
    ck_ok(saros_graph_make(&g));
    saros_value in[2];
    for (int k = 0; k < 2; ++k) {
        in[k] = saros_input(g, &type, NULL);
        ck_ok(saros_tensor_make(SAROS_F64, 2, shape, &at[k]));
        for (int i = 0; i < 64; ++i) ((double *)saros_tensor_data(at[k]))[i] = i * (k + 0.5);
    }
    saros_value e = saros_add(in[0], saros_like(in[0], 1.0)), v = saros_transpose(e);
    saros_value square = saros_mul(in[1], in[1]), p = saros_transpose(square);
    saros_value grown = saros_maximum(e, p), n = saros_maximum(square, v);
    saros_value out[2] = {grown, n};
    run_both(g, 2, in, 2, out, at, reference, cpu);
    check_equal(reference, cpu, 2, 0);
    for (int k = 0; k < 2; ++k) {
        saros_tensor_release(at[k]);
        saros_tensor_release(reference[k]);
        saros_tensor_release(cpu[k]);
    }
    saros_graph_release(g);
}
END_TEST

/* ---- dumps ---- */

static const char want[] = "kernel: 2 loads, 2 operations, 1 stores\n"
                           "  %0 = load f64\n"
                           "  %1 = load f64, one element for the whole row\n"
                           "  %3 = fma(%0, %1, 2.5) : f64\n"
                           "  %4 = power(%3) [3] : f64\n"
                           "  store %4\n";

START_TEST(a_kernel_can_be_read) {
    char path[] = "/tmp/saros_kernels_XXXXXX", wish[64], text[2048] = "", function[2048];
    int64_t n = 100;
    saros_type type = saros_type_make(SAROS_F64, 1, &n),
               scalar = saros_type_make(SAROS_F64, 0, NULL);
    saros_graph *g = NULL;
    saros_tensor *at[2] = {0}, *y = NULL;
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    snprintf(wish, sizeof wish, "kernels:%s", path);
    ck_ok(saros_graph_make(&g));
    saros_value in[] = {saros_input(g, &type, "x"), saros_input(g, &scalar, "a")};
    saros_value x = in[0], a = saros_broadcast(in[1], 1, &n, NULL);
    saros_value out = saros_power(saros_add(saros_mul(x, a), saros_like(x, 2.5)), 3);
    saros_function *f = compiled(g, 2, in, 1, &out, "cpu");
    size_t length = saros_function_dump(f, function, sizeof function);
    ck_assert_uint_eq(length, strlen(function));
    ck_assert_uint_eq(length, saros_function_dump(f, NULL, 0));
    ck_assert_msg(strstr(function, "kernel f64[100], f64[100] -> f64[100]") != NULL, "%s",
                  function);
    ck_assert_msg(strstr(function, "fma(%0, %1, 2.5) : f64") != NULL, "%s", function);
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, &n, &at[0]));
    ck_ok(saros_tensor_zeros(SAROS_F64, 0, NULL, &at[1]));
    ck_assert_int_eq(setenv("SAROS_DUMP", wish, 1), 0);
    ck_ok(saros_function_call(f, at, &y, NULL));
    ck_assert_int_eq(unsetenv("SAROS_DUMP"), 0);
    ck_assert_double_eq(((const double *)saros_tensor_const_data(y))[n - 1], 15.625);
    ck_assert_int_gt(read(descriptor, text, sizeof text - 1), 0);
    ck_assert_str_eq(text, want);
    close(descriptor);
    remove(path);
    for (int k = 0; k < 2; ++k) saros_tensor_release(at[k]);
    saros_tensor_release(y);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

int main(void) {
    if (saros_jit_bits() == 0) {
        printf("no code generator here: the compiled backend is not tested\n");
        return EXIT_SUCCESS;
    }
    const TTest *const tests[] = {random_graphs_agree_bitwise, layouts_and_dtypes_agree_bitwise,
                                  a_chain_is_one_kernel_and_a_reduction_in_between_makes_two,
                                  groups_that_grow_after_they_were_read_form_no_cycle,
                                  a_kernel_can_be_read};
    return saros_check_run("core/kernel", tests, (int)(sizeof tests / sizeof *tests));
}
