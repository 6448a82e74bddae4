/** Conds and calls, the communicator in bodies, failing allocations of regions. */
#include "region_examples.h"

#include <string.h>

/* ---- the communicator ---- */

static saros_status rank_evaluate(const saros_evaluation *e) {
    double *out = saros_tensor_data(e->out[0]);
    *out = e->communicator ? e->communicator->rank : -1;
    return SAROS_OK;
}
static const saros_primitive row_rank = {
    .name = "rank", .operands = 1, .outputs = 1, .type = like_first, .evaluate = rank_evaluate};

static saros_status add_rank(saros_graph *body, saros_value index, const saros_value *carry,
                             const saros_value *input, void *user, saros_value *next,
                             saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = saros_add(carry[0], unary(&row_rank, carry[0]));
    return SAROS_OK;
}

START_TEST(bodies_see_the_communicator_of_the_call) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), r;
    saros_value n = saros_scalar(g, SAROS_I64, 4);
    saros_loop_spec spec = {.n = n, .bound = 4, .carries = 1, .carry = &x, .build = add_rank};
    saros_loop(g, &spec, &r, NULL);
    saros_function *f = compile(g, 1, &x, 1, &r);
    saros_tensor *in = scalar_of(SAROS_F64, 1), *out[1] = {NULL};
    saros_communicator third = {.rank = 2, .ranks = 3};
    ck_ok(saros_function_call(f, &in, out, &(saros_call_options){.communicator = &third}));
    ck_assert_double_eq(item(out[0]), 1 + 4 * 2);
    ck_ok(saros_function_call(f, &in, out, NULL));
    ck_assert_double_eq(item(out[0]), 1 - 4);
    saros_tensor_release(in);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- cond ---- */

static saros_status then_branch(saros_graph *body, void *user, saros_value *out) {
    (void)body;
    const saros_value *x = user;
    out[0] = unary(&row_counted, saros_sin(x[0]));
    out[1] = x[1];
    return SAROS_OK;
}
static saros_status else_branch(saros_graph *body, void *user, saros_value *out) {
    const saros_value *x = user;
    saros_value inside = saros_build(body, &row_failing, NULL, 1, &x[0]);
    out[0] = inside;
    out[1] = saros_mul(inside, x[1]);
    return SAROS_OK;
}
static saros_status one_output(saros_graph *body, void *user, saros_value *out) {
    (void)body;
    out[0] = out[1] = saros_cast(*(const saros_value *)user, SAROS_F32);
    return SAROS_OK;
}

START_TEST(only_the_chosen_branch_runs) {
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_BOOL, 0, NULL, "mask"),
                        input_of(g, SAROS_F64, 0, NULL, "x"), input_of(g, SAROS_F64, 0, NULL, "y")};
    saros_value out_values[2];
    saros_cond(in[0], then_branch, &in[1], else_branch, &in[1], 2, out_values);
    saros_function *f = compile(g, 3, in, 2, out_values);
    saros_tensor *args[] = {scalar_of(SAROS_BOOL, 1), scalar_of(SAROS_F64, 2),
                            scalar_of(SAROS_F64, 7)};
    saros_tensor *out[2] = {NULL, NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    ck_assert_double_eq(item(out[0]), sin(2));
    ck_assert_double_eq(item(out[1]), 7);
    saros_tensor_release(out[0]);
    saros_tensor_release(out[1]);
    out[0] = out[1] = NULL;
    saros_tensor_release(args[0]);
    args[0] = scalar_of(SAROS_BOOL, 0);
    ck_fails(saros_function_call(f, args, out, NULL), SAROS_ERR_DIVERGED);
    for (int k = 0; k < 3; ++k) saros_tensor_release(args[k]);
    saros_function_release(f);
    saros_cond(in[0], then_branch, &in[1], one_output, &in[1], 2, out_values);
    ck_assert(saros_is_poisoned(out_values[0]));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
}
END_TEST

/* ---- call: y = [a*b, a] with numeric derivatives ---- */

static int calls_released;

static saros_status product_type(void *user, int ins, const saros_type *in, int outs,
                                 saros_type *out) {
    (void)user, (void)ins;
    for (int k = 0; k < outs; ++k) out[k] = in[0];
    return SAROS_OK;
}
static double *data_of(saros_tensor *tensor) {
    return saros_tensor_data(tensor);
}
static saros_status product(void *user, int ins, saros_tensor *const *in, int outs,
                            saros_tensor **out) {
    (void)ins, (void)outs;
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(out[0]); ++i) {
        data_of(out[0])[i] = scale * data_of(in[0])[i] * data_of(in[1])[i];
        data_of(out[1])[i] = data_of(in[0])[i];
    }
    return SAROS_OK;
}
static saros_status product_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **out) {
    ck_assert_int_eq(ins, 2);
    ck_assert_int_eq(outs, 2);
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(out[0]); ++i) {
        double a = data_of(in[0])[i], b = data_of(in[1])[i];
        double da = data_of(in[2])[i], db = data_of(in[3])[i];
        data_of(out[0])[i] = scale * (da * b + a * db);
        data_of(out[1])[i] = da;
    }
    return SAROS_OK;
}
static saros_status product_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **gradient) {
    ck_assert_int_eq(ins, 2);
    ck_assert_int_eq(outs, 2);
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(gradient[0]); ++i) {
        double a = data_of(in[0])[i], b = data_of(in[1])[i];
        double p = data_of(in[2])[i], q = data_of(in[3])[i];
        data_of(gradient[0])[i] = scale * p * b + q;
        data_of(gradient[1])[i] = scale * p * a;
    }
    return SAROS_OK;
}
static void product_release(void *user) {
    (void)user;
    ++calls_released;
}
static const saros_call_class product_class = {.name = "product",
                                               .pure = true,
                                               .type = product_type,
                                               .apply = product,
                                               .apply_jvp = product_jvp,
                                               .apply_vjp = product_vjp,
                                               .release = product_release};
static const saros_call_class plain_class = {
    .name = "plain", .type = product_type, .apply = product, .release = product_release};

/** The rule record of a node, as differentiation makes it. */
static saros_rule rule_of(saros_value first, saros_value *in, const saros_value *out) {
    saros_node node = saros_graph_node(first.graph, first.id, NULL);
    for (int k = 0; k < node.operands; ++k) in[k] = (saros_value){first.graph, node.operand[k]};
    return (saros_rule){first.graph, node.row, node.attributes, node.operands, node.outputs,
                        in,          out};
}

START_TEST(numeric_calls_compute_and_differentiate_once) {
    double scale = 3;
    int64_t n = 2;
    calls_released = 0;
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_F64, 1, &n, "a"), input_of(g, SAROS_F64, 1, &n, "b")};
    saros_value y[2], operand[4], tangent[2] = {SAROS_NONE, in[0]}, dy[2], gradient[2], second[2];
    saros_call(g, &product_class, &scale, 2, in, 2, y);
    saros_rule rule = rule_of(y[0], operand, y);
    rule.row->jvp(&rule, tangent, dy);
    saros_value cotangent[2] = {in[1], SAROS_NONE};
    bool wanted[4] = {true, true, true, true};
    rule.row->vjp(&rule, cotangent, wanted, gradient);
    saros_value out_values[] = {y[0], dy[0], dy[1], gradient[0], gradient[1]};
    saros_function *f = compile(g, 2, in, 5, out_values);
    saros_tensor *args[] = {vector_of(n, (double[]){2, 3}), vector_of(n, (double[]){5, 7})};
    saros_tensor *out[5] = {NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    ck_assert_double_eq(at(out[0], 1), 3 * 3 * 7);
    ck_assert_double_eq(at(out[1], 1), 3 * 3 * 3);
    ck_assert_double_eq(at(out[2], 1), 0);
    ck_assert_double_eq(at(out[3], 1), 3 * 7 * 7);
    ck_assert_double_eq(at(out[4], 1), 3 * 7 * 3);
    saros_rule again = rule_of(dy[0], operand, dy);
    again.row->jvp(&again, (saros_value[]){in[0], in[0], in[0], in[0]}, second);
    ck_assert(saros_is_poisoned(second[0]));
    ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "'product'"));
    for (int k = 0; k < 5; ++k) saros_tensor_release(out[k]);
    for (int k = 0; k < 2; ++k) saros_tensor_release(args[k]);
    saros_graph_release(g);
    ck_assert_int_eq(calls_released, 0);
    saros_function_release(f);
    ck_assert_int_eq(calls_released, 1);
}
END_TEST

START_TEST(impure_calls_never_merge_and_missing_derivatives_are_named) {
    double scale = 1;
    calls_released = 0;
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_F64, 0, NULL, "a"), input_of(g, SAROS_F64, 0, NULL, "b")};
    saros_value y[2], z[2], operand[2], dy[2];
    saros_call(g, &plain_class, &scale, 2, in, 2, y);
    saros_call(g, &plain_class, &scale, 2, in, 2, z);
    ck_assert(!saros_same(y[0], z[0]));
    saros_rule rule = rule_of(y[0], operand, y);
    rule.row->jvp(&rule, in, dy);
    ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "'plain' has no forward"));
    saros_graph_release(g);
    ck_assert_int_eq(calls_released, 2);
}
END_TEST

/* ---- failing allocations ---- */

static saros_status loop_cond_and_call(void) {
    static double scale = 2;
    saros_status status = SAROS_OK;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_tensor *args[3] = {NULL}, *out[3] = {NULL};
    SAROS_TRY(saros_graph_make(&g));
    saros_type mask = saros_type_scalar(SAROS_BOOL), real = saros_type_scalar(SAROS_F64);
    saros_value in[] = {saros_input(g, &mask, "mask"), saros_input(g, &real, "x"),
                        saros_input(g, &real, "y")};
    saros_value r[3], y[2];
    r[0] = double_n_times(g, saros_scalar(g, SAROS_I64, 3), 4, in[1]);
    saros_cond(in[0], then_branch, &in[1], else_branch, &in[1], 2, y);
    r[1] = y[0];
    saros_call(g, &product_class, &scale, 2, &in[1], 2, y);
    r[2] = y[0];
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 3, in, 3, r, NULL, &f));
    for (int k = 0; k < 3; ++k)
        SAROS_TRY(saros_tensor_scalar(k ? SAROS_F64 : SAROS_BOOL, 1, &args[k]));
    SAROS_TRY(saros_function_call(f, args, out, NULL));
done:
    for (int k = 0; k < 3; ++k) {
        saros_tensor_release(args[k]);
        saros_tensor_release(out[k]);
    }
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

START_TEST(each_allocation_of_regions_may_fail) {
    ck_assert_int_gt(fail_each_allocation(loop_cond_and_call), 60);
}
END_TEST

SAROS_TEST_MAIN("core/region_call", bodies_see_the_communicator_of_the_call,
                only_the_chosen_branch_runs, numeric_calls_compute_and_differentiate_once,
                impure_calls_never_merge_and_missing_derivatives_are_named,
                each_allocation_of_regions_may_fail)
