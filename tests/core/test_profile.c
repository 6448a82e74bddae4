/** Profiles: what is counted, to whom time is given, and how much memory it takes. */
#include "engine_rows.h"

#include <stdio.h>
#include <string.h>

#include "saros/pool.h"
#include "saros/profile.h"
#include "saros/rows.h"

static saros_profile *started(int64_t spans) {
    saros_profile *p = NULL;
    ck_ok(saros_profile_start(&(saros_profile_options){.spans = spans}, &p));
    return p;
}

/** The step whose name begins with `name`, of a function if that is given; calls 0 if none. */
static saros_profile_step find(const saros_profile *p, const char *function, const char *name) {
    for (int64_t k = 0; k < saros_profile_steps(p); ++k) {
        const saros_profile_step step = saros_profile_step_at(p, k);
        if ((!function || strcmp(step.function, function) == 0) &&
            strncmp(step.name, name, strlen(name)) == 0)
            return step;
    }
    return (saros_profile_step){.function = "", .name = "", .file = ""};
}

static saros_function *compile(saros_graph *g, int inputs, const saros_value *in, saros_value out,
                               const char *name, const char *backend) {
    saros_function *f = NULL;
    ck_ok(saros_compile(g, inputs, in, 1, &out,
                        &(saros_compile_options){.name = name, .backend = backend}, &f));
    return f;
}

static void call(const saros_function *f, saros_tensor *const *in, int times) {
    for (int k = 0; k < times; ++k) {
        saros_tensor *out = NULL;
        ck_ok(saros_function_call(f, in, &out, NULL));
        saros_tensor_release(out);
    }
}

/** sum(tanh(a b)), a (30, 40), b (40, 50), line 12 of net.lua. */
static saros_function *dot_tanh_sum(const char *backend) {
    saros_graph *g = new_graph();
    const saros_value in[] = {input_of(g, SAROS_F64, 2, (int64_t[]){30, 40}, "a"),
                              input_of(g, SAROS_F64, 2, (int64_t[]){40, 50}, "b")};
    saros_graph_locate(g, "net.lua", 12);
    saros_function *f =
        compile(g, 2, in, saros_sum(saros_tanh(saros_matmul(in[0], in[1])), 3), "net", backend);
    saros_graph_release(g);
    return f;
}

static void zeros(int n, const int64_t (*shape)[2], saros_tensor **out) {
    for (int k = 0; k < n; ++k) ck_ok(saros_tensor_zeros(SAROS_F64, 2, shape[k], &out[k]));
}
static const int64_t factor_shapes[2][2] = {{30, 40}, {40, 50}};

START_TEST(steps_carry_calls_operations_bytes_and_the_script_line) {
    saros_function *f = dot_tanh_sum("reference");
    saros_tensor *in[2];
    zeros(2, factor_shapes, in);
    call(f, in, 3); /* before the profile: not counted */
    saros_profile *p = started(0);
    call(f, in, 7);
    ck_ok(saros_profile_stop(p));
    call(f, in, 5); /* after it */
    saros_function_release(f);
    const saros_profile_step dot = find(p, "net", "dot f64[30,50]");
    ck_assert_int_eq(dot.calls, 7);
    ck_assert_double_eq(dot.operations, 7 * 2.0 * 30 * 40 * 50);
    ck_assert_double_eq(dot.bytes, 7 * 8.0 * (30 * 40 + 40 * 50 + 30 * 50));
    ck_assert_str_eq(dot.file, "net.lua");
    ck_assert_int_eq(dot.line, 12);
    const saros_profile_step tanh_ = find(p, "net", "tanh"), sum = find(p, "net", "sum");
    ck_assert_int_eq(tanh_.calls, 7);
    ck_assert_double_eq(tanh_.operations, 7 * 1500);
    ck_assert_double_eq(sum.operations, 7 * 1500);
    ck_assert_double_eq(sum.bytes, 7 * 8.0 * 1501);
    ck_assert_int_eq(saros_profile_steps(p), 3);
    for (int64_t k = 1; k < 3; ++k)
        ck_assert(saros_profile_step_at(p, k - 1).seconds >= saros_profile_step_at(p, k).seconds);
    saros_profile_release(p);
    for (int k = 0; k < 2; ++k) saros_tensor_release(in[k]);
}
END_TEST

/** Calls y of three vectors of n once and adds up the operations of all steps. */
static double operations_of(saros_graph *g, const saros_value *in, int64_t n, saros_value y) {
    saros_tensor *args[3];
    double operations = 0;
    saros_function *f = compile(g, 3, in, y, "chain", NULL);
    for (int k = 0; k < 3; ++k) ck_ok(saros_tensor_zeros(SAROS_F64, 1, &n, &args[k]));
    saros_profile *p = started(0);
    call(f, args, 1);
    ck_ok(saros_profile_stop(p));
    for (int64_t k = 0; k < saros_profile_steps(p); ++k)
        operations += saros_profile_step_at(p, k).operations;
    saros_profile_release(p);
    for (int k = 0; k < 3; ++k) saros_tensor_release(args[k]);
    saros_function_release(f);
    return operations;
}

START_TEST(kernels_count_their_arithmetic_on_any_backend) {
    const int64_t n = 5000;
    saros_graph *g = new_graph();
    saros_value in[3], y;
    for (int k = 0; k < 3; ++k) in[k] = input_of(g, SAROS_F64, 1, &n, "x");
    y = saros_add(saros_mul(in[0], in[1]), in[2]);         /* fma: 2 */
    y = saros_div(saros_sub(y, in[0]), saros_sqrt(in[1])); /* 3 */
    y = saros_where(saros_lt(y, in[0]), y, in[2]);         /* none */
    ck_assert_double_eq(operations_of(g, in, n, y), 5.0 * (double)n);
    ck_assert_double_eq(operations_of(g, in, n, saros_sum(saros_mul(in[0], in[1]), 1)),
                        2.0 * (double)n);
    saros_graph_release(g);
}
END_TEST

START_TEST(sums_of_products_count_every_product) {
    const int64_t shape[] = {32, 32};
    saros_graph *g = new_graph();
    saros_value in[4];
    saros_tensor *args[4];
    for (int k = 0; k < 4; ++k) {
        in[k] = input_of(g, SAROS_F64, 2, shape, "m");
        ck_ok(saros_tensor_zeros(SAROS_F64, 2, shape, &args[k]));
    }
    saros_function *f = compile(
        g, 4, in, saros_add(saros_matmul(in[0], in[1]), saros_matmul(in[2], in[3])), "sum", NULL);
    saros_profile *p = started(0);
    call(f, args, 1);
    ck_ok(saros_profile_stop(p));
    double operations = 0;
    for (int64_t k = 0; k < saros_profile_steps(p); ++k)
        operations += saros_profile_step_at(p, k).operations;
    const double products = 2 * 2.0 * 32 * 32 * 32; /* the sum may be part of the second */
    ck_assert(operations >= products && operations <= products + 32 * 32);
    saros_profile_release(p);
    for (int k = 0; k < 4; ++k) saros_tensor_release(args[k]);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- loops ---- */

/** c -> c b */
static saros_status times_b(saros_graph *body, saros_value index, const saros_value *carry,
                            const saros_value *input, void *user, saros_value *next,
                            saros_value *kept) {
    (void)body, (void)index, (void)input, (void)kept;
    next[0] = saros_matmul(carry[0], *(const saros_value *)user);
    return SAROS_OK;
}

/** (n, c, b) -> c b^n, matrices of 40 by 40. */
static saros_function *powers(void) {
    saros_graph *g = new_graph();
    const int64_t shape[] = {40, 40};
    saros_value in[] = {input_of(g, SAROS_I64, 0, NULL, "n"), input_of(g, SAROS_F64, 2, shape, "c"),
                        input_of(g, SAROS_F64, 2, shape, "b")};
    saros_value end;
    saros_loop(g,
               &(saros_loop_spec){.n = in[0],
                                  .bound = 1000000,
                                  .carries = 1,
                                  .carry = &in[1],
                                  .build = times_b,
                                  .user = &in[2]},
               &end, NULL);
    saros_function *f = compile(g, 3, in, end, "powers", NULL);
    saros_graph_release(g);
    return f;
}

static void call_powers(const saros_function *f, double n) {
    static const int64_t shapes[2][2] = {{40, 40}, {40, 40}};
    saros_tensor *in[3] = {scalar_of(SAROS_I64, n)};
    zeros(2, shapes, in + 1);
    call(f, in, 1);
    for (int k = 0; k < 3; ++k) saros_tensor_release(in[k]);
}

START_TEST(time_inside_a_body_is_the_bodys_own_and_adds_up_to_the_wall) {
    ck_ok(saros_threads_set(1));
    saros_function *f = powers();
    saros_profile *p = started(0);
    call_powers(f, 5000);
    ck_ok(saros_profile_stop(p));
    const saros_profile_step loop = find(p, "powers", "loop"), dot = find(p, NULL, "dot");
    ck_assert_int_eq(loop.calls, 1);
    ck_assert_int_eq(dot.calls, 5000);
    ck_assert_ptr_nonnull(strstr(dot.function, "powers / "));
    ck_assert_double_eq(dot.operations, 5000 * 2.0 * 40 * 40 * 40);
    ck_assert_double_eq(loop.operations + loop.bytes, 0);
    ck_near(loop.whole_seconds, loop.seconds + dot.whole_seconds, 1e-12);
    double sum = 0;
    for (int64_t k = 0; k < saros_profile_steps(p); ++k) sum += saros_profile_step_at(p, k).seconds;
    ck_assert(sum <= saros_profile_seconds(p) + 1e-12);
    ck_assert(sum >= 0.5 * saros_profile_seconds(p)); /* all there was to do was this loop */
    saros_profile_release(p);
    saros_function_release(f);
}
END_TEST

START_TEST(memory_does_not_grow_with_the_length_of_loops) {
    saros_function *f = powers();
    saros_profile *p = started(100);
    call_powers(f, 10);
    const int64_t held = saros_memory_held();
    call_powers(f, 20000);
    ck_assert_int_eq(saros_memory_held(), held);
    ck_ok(saros_profile_stop(p));
    ck_assert_int_eq(find(p, NULL, "dot").calls, 20010);
    saros_profile_release(p);
    saros_function_release(f);
}
END_TEST

START_TEST(functions_without_end_share_one_record) {
    enum { FUNCTIONS = 1030, STEPS = 64 }; /* more steps than are kept apart */
    saros_profile *p = started(0);
    saros_tensor *x = vector_of(1, (double[]){2});
    int64_t calls = 0;
    for (int k = 0; k < FUNCTIONS; ++k) {
        saros_graph *g = new_graph();
        const saros_value in = input_of(g, SAROS_F64, 1, (int64_t[]){1}, "x");
        saros_value y = in;
        for (int s = 0; s < STEPS; ++s) y = saros_cumsum(y, 0, false);
        saros_function *f = compile(g, 1, &in, y, "many", "reference");
        call(f, &x, 1);
        saros_function_release(f);
        saros_graph_release(g);
    }
    ck_ok(saros_profile_stop(p));
    for (int64_t k = 0; k < saros_profile_steps(p); ++k) calls += saros_profile_step_at(p, k).calls;
    ck_assert_int_eq(calls, FUNCTIONS * STEPS);
    ck_assert_int_gt(find(p, "other functions", "all steps").calls, 0);
    saros_profile_release(p);
    saros_tensor_release(x);
}
END_TEST

/* ---- threads ---- */

typedef struct shared_call {
    const saros_function *function;
    saros_tensor *in[2];
} shared_call;

static saros_status call_once(void *user, int64_t task) {
    const shared_call *c = user;
    saros_tensor *out = NULL;
    (void)task;
    saros_status status = saros_function_call(c->function, c->in, &out, NULL);
    saros_tensor_release(out);
    return status;
}

START_TEST(threads_share_the_records_of_a_function) {
    saros_function *f = dot_tanh_sum("reference");
    shared_call c = {.function = f};
    zeros(2, factor_shapes, c.in);
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        saros_profile *p = started(1000);
        ck_ok(saros_pool_run(200, call_once, &c));
        ck_ok(saros_profile_stop(p));
        const saros_profile_step dot = find(p, "net", "dot");
        ck_assert_int_eq(dot.calls, 200);
        ck_assert_double_eq(dot.operations, 200 * 2.0 * 30 * 40 * 50);
        ck_assert_int_eq(dot.parallel, threads > 1);
        saros_profile_release(p);
    }
    for (int k = 0; k < 2; ++k) saros_tensor_release(c.in[k]);
    saros_function_release(f);
}
END_TEST

/* ---- eager rows, one profile at a time, texts ---- */

START_TEST(rows_applied_by_themselves_are_seen) {
    saros_tensor *x = vector_of(3, (double[]){1, 2, 3});
    saros_profile *p = started(0);
    for (int k = 0; k < 5; ++k) {
        saros_tensor *y = NULL;
        ck_ok(saros_apply(&saros_row_mul, NULL, 2, (saros_tensor *[]){x, x}, &y));
        saros_tensor_release(y);
    }
    ck_ok(saros_profile_stop(p));
    const saros_profile_step mul = find(p, "eager", "mul");
    ck_assert_int_eq(mul.calls, 5);
    ck_assert_double_eq(mul.operations, 15);
    ck_assert_double_eq(mul.bytes, 5 * 9 * 8);
    saros_profile_release(p);
    saros_tensor_release(x);
}
END_TEST

START_TEST(one_profile_records_at_a_time) {
    saros_profile *p = started(0), *q = NULL;
    ck_fails(saros_profile_start(NULL, &q), SAROS_ERR_USAGE);
    ck_assert_ptr_null(q);
    ck_fails(saros_profile_trace(p, "nowhere.json"), SAROS_ERR_USAGE);
    saros_profile_release(p); /* without a stop */
    q = started(0);
    ck_ok(saros_profile_stop(q));
    ck_assert_int_eq(saros_profile_steps(q), 0);
    saros_profile_release(q);
    saros_profile_release(NULL);
}
END_TEST

START_TEST(the_table_names_steps_and_limits) {
    saros_machine machine, again;
    ck_ok(saros_machine_measure(&machine));
    ck_assert(machine.operations > 0 && isfinite(machine.operations));
    ck_assert(machine.bytes > 0 && isfinite(machine.bytes));
    ck_ok(saros_machine_measure(&again));
    ck_assert(again.operations == machine.operations && again.threads == saros_threads());
    saros_function *f = dot_tanh_sum("reference");
    saros_tensor *in[2];
    zeros(2, factor_shapes, in);
    saros_profile *p = started(0);
    call(f, in, 7);
    ck_ok(saros_profile_stop(p));
    const saros_profile_step dot = find(p, "net", "dot");
    const double share = saros_profile_share(&dot, &machine);
    ck_assert(share > 0 && share >= dot.operations / dot.seconds / machine.operations * 0.999);
    char text[4096];
    const size_t length = saros_profile_text(p, text, sizeof text);
    ck_assert_uint_lt(length, sizeof text);
    ck_assert_uint_eq(strlen(text), length);
    ck_assert_ptr_nonnull(strstr(text, "net  dot f64[30,50]  net.lua:12"));
    ck_assert_ptr_nonnull(strstr(text, "Gflop/s (f64)"));
    ck_assert_uint_eq(saros_profile_text(p, text, 10), length);
    ck_assert_uint_eq(strlen(text), 9);
    saros_profile_release(p);
    for (int k = 0; k < 2; ++k) saros_tensor_release(in[k]);
    saros_function_release(f);
}
END_TEST

/** Brackets that match outside of texts; the program's test reads a trace with a JSON parser. */
static bool balanced(const char *text) {
    int depth = 0;
    bool inside = false;
    for (const char *c = text; *c; ++c) {
        if (inside && *c == '\\' && c[1])
            ++c;
        else if (*c == '"')
            inside = !inside;
        else if (!inside)
            depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
        if (depth < 0) return false;
    }
    return depth == 0 && !inside;
}

START_TEST(a_trace_keeps_the_first_spans_and_says_so) {
    saros_function *f = powers();
    saros_profile *p = started(50);
    call_powers(f, 200);
    ck_ok(saros_profile_stop(p));
    saros_function_release(f);
    ck_ok(saros_profile_trace(p, "trace_of_test_profile.json"));
    ck_fails(saros_profile_trace(p, "/no/such/folder/trace.json"), SAROS_ERR_IO);
    saros_profile_release(p);
    static char text[1 << 16];
    FILE *file = fopen("trace_of_test_profile.json", "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    remove("trace_of_test_profile.json");
    ck_assert(balanced(text));
    int spans = 0;
    for (const char *at = text; (at = strstr(at, "\"ph\":\"X\"")) != NULL; ++at) ++spans;
    ck_assert_int_eq(spans, 50);
    ck_assert_ptr_nonnull(strstr(text, "\"spans\":201,\"kept\":50"));
}
END_TEST

SAROS_TEST_MAIN("core/profile", steps_carry_calls_operations_bytes_and_the_script_line,
                kernels_count_their_arithmetic_on_any_backend, sums_of_products_count_every_product,
                time_inside_a_body_is_the_bodys_own_and_adds_up_to_the_wall,
                memory_does_not_grow_with_the_length_of_loops,
                functions_without_end_share_one_record, threads_share_the_records_of_a_function,
                rows_applied_by_themselves_are_seen, one_profile_records_at_a_time,
                the_table_names_steps_and_limits, a_trace_keeps_the_first_spans_and_says_so)
