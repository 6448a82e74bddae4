/** Every word of forward and reverse mode up to length 4 against the jet; memory that runs out. */
#include "autodiff/graph_run.h"

enum { LENGTH = 4 };

typedef saros_value scalar_function(saros_graph *g, saros_value x);

static saros_value composite(saros_graph *g, saros_value x) {
    saros_value y =
        saros_div(saros_sin(saros_mul(x, x)), saros_add(saros_exp(x), saros_like(x, 1)));
    saros_value z = saros_where(saros_lt(x, saros_like(x, 5)), saros_tanh(y), saros_log(y));
    (void)g;
    return saros_add(saros_sqrt(saros_add(z, saros_like(x, 3))), saros_pow(x, saros_sigmoid(y)));
}

static saros_value through_arrays(saros_graph *g, saros_value x) {
    const int64_t shape[1] = {5}, square[2] = {5, 5};
    saros_type type = saros_type_make(SAROS_F64, 1, shape);
    saros_value i = saros_iota(g, &type, 0), v = saros_sin(saros_mul(x, i));
    saros_value m = saros_broadcast(saros_cos(v), 2, square, NULL);
    saros_value w = saros_matmul(saros_mul(m, saros_transpose(m)), saros_cumsum(v, 0, false));
    return saros_logsumexp(saros_concat(2, (saros_value[]){w, v}, 0), 1);
}

static saros_status body(saros_graph *inner, saros_value index, const saros_value *carry,
                         const saros_value *input, void *user, saros_value *next,
                         saros_value *kept) {
    saros_value x = *(const saros_value *)user;
    (void)inner;
    (void)index;
    (void)input;
    next[0] = saros_add(saros_mul(saros_like(x, 0.5), carry[0]), saros_sin(saros_mul(carry[0], x)));
    kept[0] = saros_mul(next[0], x);
    return SAROS_OK;
}

static saros_value through_a_loop(saros_graph *g, saros_value x) {
    saros_value end, stacked;
    saros_loop_spec spec = {.n = saros_scalar(g, SAROS_I64, 4),
                            .bound = 5,
                            .carries = 1,
                            .carry = &x,
                            .kept = 1,
                            .every = 2,
                            .build = body,
                            .user = &x};
    saros_loop(g, &spec, &end, &stacked);
    return saros_add(end, saros_sum(stacked, 1));
}

/* Newton's iteration for sqrt(1 + x), until it moves by less than 0.1 */
static saros_status newton(saros_graph *inner, saros_value index, const saros_value *carry,
                           const saros_value *input, void *user, saros_value *next,
                           saros_value *kept) {
    saros_value a = *(const saros_value *)user, half = saros_like(a, 0.5);
    (void)inner;
    (void)index;
    (void)input;
    (void)kept;
    next[1] = saros_mul(half, saros_add(carry[1], saros_div(a, carry[1])));
    next[0] = saros_lt(saros_like(a, 0.1), saros_abs(saros_sub(next[1], carry[1])));
    return SAROS_OK;
}

static saros_value ends_early(saros_graph *g, saros_value x) {
    saros_value a = saros_add(x, saros_like(x, 1)), end[2], stacked;
    saros_value yes = saros_lt(saros_scalar(g, SAROS_I64, 0), saros_scalar(g, SAROS_I64, 1));
    saros_loop_spec spec = {.n = saros_scalar(g, SAROS_I64, 50),
                            .bound = 50,
                            .carries = 2,
                            .carry = (saros_value[]){yes, saros_mul(a, saros_like(a, 3))},
                            .early = true,
                            .build = newton,
                            .user = &a};
    saros_loop(g, &spec, end, &stacked);
    return end[1];
}

static saros_value derivative(saros_value y, saros_value x, bool reverse) {
    saros_value one = saros_like(x, 1), d;
    if (reverse)
        saros_vjp(1, &y, NULL, 1, &x, &d);
    else
        saros_jvp(1, &y, 1, &x, &one, &d);
    return d;
}

START_TEST(all_words_of_four_modes_agree_with_the_jet) {
    scalar_function *const function[4] = {composite, through_arrays, through_a_loop, ends_early};
    const double factorial[LENGTH + 1] = {1, 1, 2, 6, 24};
    for (int f = 0; f < 4; ++f) {
        saros_graph *g = NULL;
        ck_ok(saros_graph_make(&g));
        saros_type real = saros_type_scalar(SAROS_F64);
        saros_value x = saros_input(g, &real, "x"), y = function[f](g, x);
        saros_value in[LENGTH] = {saros_like(x, 1), SAROS_NONE, SAROS_NONE, SAROS_NONE},
                    jet[LENGTH];
        saros_tensor *at = NULL;
        ck_ok(saros_tensor_scalar(SAROS_F64, 0.8, &at));
        saros_jet(1, &y, 1, &x, LENGTH, in, jet);
        for (unsigned word = 0; word < 1U << LENGTH; ++word) {
            saros_value d = y;
            for (int k = 0; k < LENGTH; ++k) {
                d = derivative(d, x, word >> k & 1);
                double got = run_scalar(1, &x, &at, d);
                double want = factorial[k + 1] * run_scalar(1, &x, &at, jet[k]);
                ck_assert_msg(fabs(got - want) < 1e-11 * fmax(1, fabs(want)),
                              "function %d, word %x, order %d: %.15g against %.15g", f, word, k + 1,
                              got, want);
            }
        }
        saros_tensor_release(at);
        saros_graph_release(g);
    }
}
END_TEST

/* ---- memory ---- */

static long allocations_left;

static void *allocate(size_t bytes, void *user) {
    (void)user;
    if (allocations_left-- == 0) return NULL; /* the next ones succeed */
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
static void release(void *memory, size_t bytes, void *user) {
    (void)bytes;
    (void)user;
    free(memory);
}

/** Builds derivatives of a loop in every mode; false if memory ran out somewhere. */
static bool build_all(void) {
    saros_graph *g = NULL;
    if (saros_graph_make(&g) != SAROS_OK) return false;
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_type rows = saros_type_make(SAROS_F64, 2, (int64_t[]){3, 2});
    saros_value x = saros_input(g, &real, "x"), y = through_a_loop(g, x), d[6];
    saros_value p = saros_input(g, &rows, "p"), series[2] = {saros_like(x, 1), SAROS_NONE};
    d[0] = derivative(y, x, false);
    d[1] = derivative(derivative(y, x, true), x, true);
    saros_jet(1, &y, 1, &x, 2, series, d + 2);
    d[4] = saros_laplacian(saros_sum(saros_erf(saros_mul(p, p)), 2), p);
    saros_value part = saros_add(through_arrays(g, x), ends_early(g, x));
    d[5] = derivative(part, x, true);
    bool fine = saros_graph_status(g) == SAROS_OK;
    for (int k = 0; fine && k < 6; ++k) fine = !saros_is_poisoned(d[k]) && !saros_is_none(d[k]);
    saros_graph_release(g);
    return fine;
}

START_TEST(each_allocation_may_fail_once) {
    saros_allocator failing = {allocate, release, NULL};
    saros_error_clear();
    saros_allocator_set(&failing);
    long n = 0;
    for (bool done = false; !done && n < 100000; n += n < 300 ? 1 : 17) {
        int64_t held = saros_memory_held();
        saros_error_clear();
        allocations_left = n;
        bool fine = build_all();
        done = allocations_left >= 0;
        ck_assert_msg(fine || !done, "allocation %ld", n);
        if (!fine) ck_assert_int_eq(saros_error_last()->status, SAROS_ERR_MEMORY);
        ck_assert_msg(saros_memory_held() == held, "allocation %ld leaks", n);
    }
    ck_assert_int_lt(n, 100000);
    saros_error_clear();
    saros_allocator_set(NULL);
}
END_TEST

SAROS_TEST_MAIN("autodiff/words", all_words_of_four_modes_agree_with_the_jet,
                each_allocation_may_fail_once)
