/** Functions: memory that is reused, shared by threads, or not to be had. */
#include "function_examples.h"

#include <pthread.h>
#include <string.h>

/* ---- the memory plan ---- */

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/** A random program of pointwise nodes, views and two-output nodes over f64[4]. */
static int random_program(two *t, uint32_t seed, int n, saros_value *value) {
    int64_t shape[] = {4}, square[] = {2, 2};
    value[0] = t->in[0];
    value[1] = t->in[1];
    for (int k = 2; k < n; ++k) {
        saros_value a = value[next_random(&seed) % (uint32_t)k];
        saros_value b = value[next_random(&seed) % (uint32_t)k];
        switch (next_random(&seed) % 6) {
        case 0:
            value[k] = saros_add(a, b);
            break;
        case 1:
            value[k] = saros_sub(a, saros_mul(b, saros_scalar(t->g, SAROS_F64, 0.5)));
            break;
        case 2:
            value[k] = saros_sin(a);
            break;
        case 3:
            value[k] = saros_reshape(saros_transpose(saros_reshape(a, 2, square)), 1, shape);
            break;
        case 4:
            value[k] = saros_reverse(b, 0);
            break;
        default:
            value[k] = saros_output(unary(&row_both, a), 1);
        }
    }
    return n;
}

START_TEST(reused_memory_changes_no_result) {
    enum { N = 80 };
    for (uint32_t seed = 1; seed < 60; ++seed) {
        two t = make_two(4, (double[]){1, 2, 3, 4}, (double[]){0.5, -6, 7, 8});
        saros_value value[N], few[3];
        saros_tensor *all_out[N] = {NULL}, *few_out[3] = {NULL};
        random_program(&t, seed, N, value);
        for (int k = 0; k < 3; ++k) few[k] = value[N - 1 - 7 * k];
        saros_function *all = compile_two(&t, N, value), *f = compile_two(&t, 3, few);
        ck_ok(saros_function_call(all, t.tensor, all_out, NULL));
        for (int repeat = 0; repeat < 2; ++repeat) {
            ck_ok(saros_function_call(f, t.tensor, few_out, NULL));
            for (int k = 0; k < 3; ++k)
                for (int i = 0; i < 4; ++i)
                    ck_assert_double_eq(at(few_out[k], i), at(all_out[N - 1 - 7 * k], i));
        }
        for (int k = 0; k < N; ++k) saros_tensor_release(all_out[k]);
        for (int k = 0; k < 3; ++k) saros_tensor_release(few_out[k]);
        saros_function_release(all);
        saros_function_release(f);
        end_two(&t);
    }
}
END_TEST

START_TEST(a_long_chain_needs_the_memory_of_few_values) {
    enum { N = 100000, DEPTH = 50 };
    double *data = calloc(N, sizeof *data);
    two t = make_two(N, data, data);
    saros_value y = t.in[0];
    for (int k = 0; k < DEPTH; ++k) y = unary(&row_counted, saros_add(y, t.in[1]));
    saros_function *f = compile_two(&t, 1, &y);
    int64_t held = saros_memory_held();
    saros_tensor *out[1] = {NULL};
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    int64_t grown = saros_memory_held() - held;
    ck_assert_int_lt(grown, (int64_t)sizeof(double) * N * 4); /* two in the arena, one is `out` */
    held += grown;
    for (int k = 0; k < 10; ++k) ck_ok(saros_function_call(f, t.tensor, out, NULL));
    ck_assert_int_eq(saros_memory_held(), held);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    end_two(&t);
    free(data);
}
END_TEST

START_TEST(a_donated_input_becomes_an_output) {
    two t = make_two(3, X, Y);
    saros_value r = saros_mul(saros_add(t.in[0], t.in[1]), t.in[1]);
    saros_function *f = compile_two(&t, 1, &r);
    saros_tensor *out[1] = {NULL};
    ck_ok(saros_function_call(f, t.tensor, out, &(saros_call_options){.donate = 1}));
    ck_assert_ptr_eq(saros_tensor_data(out[0]), saros_tensor_data(t.tensor[0]));
    ck_assert_double_eq(at(out[0], 2), 33 * 30);
    saros_tensor_release(out[0]);
    out[0] = NULL; /* y is read by the step that writes the output over it */
    ck_ok(saros_function_call(f, t.tensor, out, &(saros_call_options){.donate = 2}));
    ck_assert_ptr_eq(saros_tensor_data(out[0]), saros_tensor_data(t.tensor[1]));
    ck_assert_double_eq(at(out[0], 1), (22 * 20 + 20) * 20); /* x is the first call's result */
    saros_tensor_release(out[0]);
    saros_function_release(f);
    out[0] = NULL; /* not by a row that reads in another order */
    r = saros_add(t.in[0], saros_reverse(t.in[0], 0));
    f = compile_two(&t, 1, &r);
    ck_ok(saros_function_call(f, t.tensor, out, &(saros_call_options){.donate = 1}));
    ck_assert_ptr_ne(saros_tensor_data(out[0]), saros_tensor_data(t.tensor[0]));
    saros_tensor_release(out[0]);
    saros_function_release(f);
    end_two(&t);
}
END_TEST
/* ---- threads ---- */

typedef struct job {
    const saros_function *f;
    double factor;
    int wrong;
} job;

static void *call_often(void *argument) {
    job *j = argument;
    double x[64], y[64];
    for (int k = 0; k < 64; ++k) {
        x[k] = j->factor * k;
        y[k] = j->factor;
    }
    saros_tensor *in[] = {vector_of(64, x), vector_of(64, y)}, *out[1] = {NULL};
    for (int repeat = 0; repeat < 2000; ++repeat) {
        if (saros_function_call(j->f, in, out, NULL) != SAROS_OK) j->wrong++;
        for (int k = 0; k < 64; ++k) j->wrong += at(out[0], k) != (x[k] + y[k]) * y[k] - x[k];
    }
    saros_tensor_release(in[0]);
    saros_tensor_release(in[1]);
    saros_tensor_release(out[0]);
    return NULL;
}

START_TEST(several_threads_call_one_function) {
    enum { THREADS = 4 };
    double data[64] = {0};
    two t = make_two(64, data, data);
    saros_value r = saros_sub(saros_mul(saros_add(t.in[0], t.in[1]), t.in[1]), t.in[0]);
    saros_function *f = compile_two(&t, 1, &r);
    pthread_t thread[THREADS];
    job jobs[THREADS];
    for (int k = 0; k < THREADS; ++k) {
        jobs[k] = (job){f, k + 1, 0};
        ck_assert_int_eq(pthread_create(&thread[k], NULL, call_often, &jobs[k]), 0);
    }
    for (int k = 0; k < THREADS; ++k) {
        pthread_join(thread[k], NULL);
        ck_assert_int_eq(jobs[k].wrong, 0);
    }
    saros_function_release(f);
    end_two(&t);
}
END_TEST
/* ---- failing allocations ---- */

static saros_status compile_and_call(void) {
    saros_status status = SAROS_OK;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_tensor *in = NULL, *turned = NULL, *out[3] = {NULL, NULL, NULL};
    int64_t n = 4, back = -1;
    double data[] = {1, 2, 3, 4};
    SAROS_TRY(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, &n);
    saros_value x = saros_input(g, &type, "x");
    saros_value s = saros_reshape(saros_slice(x, 0, 0, 1, 1), 0, NULL);
    saros_value r[] = {saros_sub(saros_sin(saros_add(x, x)), x), unary(&row_box, s), x};
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 1, &x, 3, r, NULL, &f));
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, &n, data, &in));
    SAROS_TRY(saros_tensor_view(in, 1, &n, &back, 3, &turned));
    SAROS_TRY(saros_function_call(f, &turned, out, NULL));
done:
    for (int k = 0; k < 3; ++k) saros_tensor_release(out[k]);
    saros_tensor_release(in);
    saros_tensor_release(turned);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

START_TEST(each_allocation_of_compile_and_call_may_fail) {
    ck_assert_int_gt(fail_each_allocation(compile_and_call), 30);
    ck_assert_int_eq(atomic_load(&boxes), 0);
}
END_TEST

SAROS_TEST_MAIN("core/function_memory", reused_memory_changes_no_result,
                a_long_chain_needs_the_memory_of_few_values, a_donated_input_becomes_an_output,
                several_threads_call_one_function, each_allocation_of_compile_and_call_may_fail)
