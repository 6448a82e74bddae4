/** Functions: where results go, what outlives what, order of effects, errors. */
#include "function_examples.h"

#include <string.h>

START_TEST(a_call_computes_and_gives_types) {
    two t = make_two(3, X, Y);
    saros_value r = saros_sub(saros_mul(t.in[0], t.in[1]), t.in[0]);
    saros_function *f = compile_two(&t, 1, &r);
    saros_graph_release(saros_graph_retain(t.g));
    ck_assert_int_eq(saros_function_inputs(f), 2);
    ck_assert_int_eq(saros_function_output_type(f, 0)->shape[0], 3);
    saros_tensor *out[1] = {NULL};
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    for (int k = 0; k < 3; ++k) ck_assert_double_eq(at(out[0], k), X[k] * Y[k] - X[k]);
    saros_tensor_release(out[0]);
    end_two(&t);
    saros_function_release(f);
}
END_TEST

START_TEST(a_function_outlives_its_graph) {
    int64_t held = saros_memory_held();
    two t = make_two(3, X, Y);
    saros_tensor *constant = vector_of(3, Y);
    saros_value r = saros_add(t.in[0], saros_constant(t.g, constant));
    saros_function *f = compile_two(&t, 1, &r);
    saros_tensor_release(constant);
    saros_graph_release(t.g);
    t.g = NULL;
    saros_tensor *out[1] = {NULL};
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    ck_assert_double_eq(at(out[0], 2), 33);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    end_two(&t);
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

START_TEST(given_outputs_are_written_in_place_whatever_their_strides) {
    two t = make_two(3, X, Y);
    saros_value r = saros_add(t.in[0], t.in[1]);
    saros_function *f = compile_two(&t, 1, &r);
    double dense[3] = {0}, spread[6] = {0};
    saros_tensor *out = NULL, *strided = NULL;
    int64_t n = 3, two_apart = 2;
    ck_ok(saros_tensor_wrap(SAROS_F64, 1, &n, NULL, dense, SAROS_BORROW, NULL, NULL, &out));
    ck_ok(saros_tensor_wrap(SAROS_F64, 1, &n, &two_apart, spread, SAROS_BORROW, NULL, NULL,
                            &strided));
    ck_ok(saros_function_call(f, t.tensor, &out, NULL));
    ck_ok(saros_function_call(f, t.tensor, &strided, NULL));
    for (int k = 0; k < 3; ++k) {
        ck_assert_double_eq(dense[k], X[k] + Y[k]);
        ck_assert_double_eq(spread[2 * k], X[k] + Y[k]);
        ck_assert_double_eq(spread[2 * k + 1], 0);
    }
    saros_tensor_release(out);
    saros_tensor_release(strided);
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(outputs_may_be_the_inputs_themselves) {
    two t = make_two(3, X, Y); /* x, y = y - x, x * y */
    saros_value r[] = {saros_sub(t.in[1], t.in[0]), saros_mul(t.in[0], t.in[1])};
    saros_function *f = compile_two(&t, 2, r);
    saros_tensor *out[] = {t.tensor[0], t.tensor[1]};
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    for (int k = 0; k < 3; ++k) {
        ck_assert_double_eq(at(t.tensor[0], k), Y[k] - X[k]);
        ck_assert_double_eq(at(t.tensor[1], k), Y[k] * X[k]);
    }
    saros_function_release(f);
    saros_value swapped[] = {t.in[1], t.in[0]};
    f = compile_two(&t, 2, swapped);
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    ck_assert_double_eq(at(t.tensor[0], 0), 10);
    ck_assert_double_eq(at(t.tensor[1], 0), 9);
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(inputs_constants_views_and_repeats_can_be_outputs) {
    two t = make_two(4, (double[]){1, 2, 3, 4}, (double[]){5, 6, 7, 8});
    int64_t square[] = {2, 2};
    saros_value sum = saros_add(t.in[0], t.in[1]), wide = saros_reshape(sum, 2, square);
    saros_value out_values[] = {t.in[0], wide,
                                sum,     saros_transpose(wide),
                                wide,    saros_splat(t.g, saros_value_type(sum), 2.5),
                                sum,     saros_slice(t.in[1], 0, 1, 3, 1)};
    saros_function *f = compile_two(&t, 8, out_values);
    saros_tensor *out[8] = {NULL};
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    ck_assert_double_eq(at(out[0], 3), 4);
    ck_assert_ptr_ne(saros_tensor_data(out[0]), saros_tensor_data(t.tensor[0]));
    ck_assert_int_eq(saros_tensor_rank(out[1]), 2);
    const double *w = saros_tensor_const_data(out[1]), *turned = saros_tensor_const_data(out[3]);
    ck_assert_double_eq(w[1], 8);
    ck_assert_double_eq(turned[1], w[2]);
    ck_assert_double_eq(at(out[2], 3), 12);
    ck_assert_double_eq(at(out[5], 3), 2.5);
    ck_assert_double_eq(at(out[6], 3), 12);
    ck_assert_ptr_ne(saros_tensor_data(out[6]), saros_tensor_data(out[2]));
    ck_assert_double_eq(at(out[7], 1), 7);
    for (int k = 0; k < 8; ++k) saros_tensor_release(out[k]);
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(strided_and_broadcast_inputs_are_read_rightly) {
    two t = make_two(3, X, Y);
    saros_value r = saros_add(t.in[0], t.in[1]);
    saros_function *f = compile_two(&t, 1, &r);
    int64_t n = 3, zero = 0, back = -1;
    saros_tensor *in[2], *out = NULL;
    ck_ok(saros_tensor_view(t.tensor[0], 1, &n, &zero, 1, &in[0]));
    ck_ok(saros_tensor_view(t.tensor[1], 1, &n, &back, 2, &in[1]));
    ck_ok(saros_function_call(f, in, &out, NULL));
    ck_assert_double_eq(at(out, 0), 32);
    ck_assert_double_eq(at(out, 2), 12);
    saros_tensor_release(out);
    saros_tensor_release(in[0]);
    saros_tensor_release(in[1]);
    saros_function_release(f);
    end_two(&t);
}
END_TEST
/* ---- opaque values, order ---- */

START_TEST(opaque_values_end_after_their_last_use) {
    two t = make_two(3, X, Y);
    saros_value x = saros_reshape(saros_slice(t.in[0], 0, 1, 2, 1), 0, NULL);
    saros_value box = unary(&row_box, x), held_box = unary(&row_box, saros_sin(x));
    saros_value out_values[] = {saros_add(unary(&row_unbox, box), unary(&row_unbox, box)),
                                held_box};
    saros_function *f = compile_two(&t, 2, out_values);
    for (int repeat = 0; repeat < 3; ++repeat) {
        saros_tensor *out[2] = {NULL, NULL};
        ck_ok(saros_function_call(f, t.tensor, out, NULL));
        ck_assert_double_eq(item(out[0]), 4);
        ck_assert_int_eq(atomic_load(&boxes), 1);
        double *payload = saros_tensor_payload(out[1], &box_class);
        ck_assert_double_eq(*payload, sin(2));
        saros_tensor_release(out[0]);
        saros_tensor_release(out[1]);
        ck_assert_int_eq(atomic_load(&boxes), 0);
    }
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(opaque_values_can_be_inputs_and_constants) {
    saros_graph *g = new_graph();
    saros_tensor *one = scalar_of(SAROS_F64, 1.5), *made[1] = {NULL}, *out[1] = {NULL};
    ck_ok(saros_apply(&row_box, NULL, 1, &one, made));
    saros_value box = input_of(g, SAROS_OPAQUE, 0, NULL, "box");
    saros_value r =
        saros_add(unary(&row_unbox, box), unary(&row_unbox, saros_constant(g, made[0])));
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &box, 1, &r, NULL, &f));
    ck_ok(saros_function_call(f, made, out, NULL));
    ck_assert_double_eq(item(out[0]), 3);
    ck_fails(saros_function_call(f, &one, out, NULL), SAROS_ERR_TYPE);
    saros_tensor_release(one);
    saros_tensor_release(out[0]);
    saros_tensor_release(made[0]);
    saros_graph_release(g);
    saros_function_release(f);
    ck_assert_int_eq(atomic_load(&boxes), 0);
}
END_TEST

START_TEST(a_failure_half_way_leaves_nothing_behind) {
    two t = make_two(1, X, Y);
    saros_graph_locate(t.g, "run.lua", 41);
    saros_value x = saros_reshape(t.in[0], 0, NULL), box = unary(&row_box, x);
    saros_value bad = unary(&row_failing, unary(&row_unbox, box));
    saros_value out_values[] = {saros_add(bad, unary(&row_unbox, box)), t.in[1]};
    saros_function *f = NULL;
    ck_ok(
        saros_compile(t.g, 2, t.in, 2, out_values, &(saros_compile_options){.name = "march"}, &f));
    saros_tensor *out[2] = {NULL, NULL};
    for (int repeat = 0; repeat < 2; ++repeat) {
        ck_fails(saros_function_call(f, t.tensor, out, NULL), SAROS_ERR_DIVERGED);
        ck_assert_int_eq(atomic_load(&boxes), 0);
        ck_assert_ptr_null(out[0]);
        ck_assert_ptr_null(out[1]);
    }
    ck_assert_str_eq(saros_error_last()->file, "run.lua");
    ck_assert_int_eq(saros_error_last()->line, 41);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->trace, "failing of march"));
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(ordered_nodes_run_though_nothing_uses_them_and_dead_ones_do_not) {
    two t = make_two(3, X, Y);
    unary(&row_tick, t.in[0]);
    unary(&row_counted, t.in[0]);
    saros_value r = saros_add(t.in[0], t.in[1]);
    saros_function *f = compile_two(&t, 1, &r), *narrow = NULL;
    saros_tensor *out[1] = {NULL};
    atomic_store(&evaluated, 0);
    ck_ok(saros_function_call(f, t.tensor, out, NULL));
    ck_assert_int_eq(atomic_load(&evaluated), 1);
    saros_tensor_release(out[0]);
    out[0] = NULL;
    saros_value y = saros_sin(t.in[1]); /* of y alone: the tick hangs on x and is left out */
    ck_ok(saros_compile(t.g, 1, &t.in[1], 1, &y, NULL, &narrow));
    ck_ok(saros_function_call(narrow, &t.tensor[1], out, NULL));
    ck_assert_int_eq(atomic_load(&evaluated), 1);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    saros_function_release(narrow);
    end_two(&t);
}
END_TEST

/* ---- errors ---- */

START_TEST(compiling_names_what_is_missing_or_foreign) {
    two t = make_two(3, X, Y);
    saros_value r = saros_add(t.in[0], t.in[1]), none = SAROS_NONE;
    saros_function *f = NULL;
    ck_fails(saros_compile(t.g, 1, t.in, 1, &r, NULL, &f), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "'y'"));
    ck_fails(saros_compile(t.g, 1, &r, 1, &r, NULL, &f), SAROS_ERR_USAGE);
    saros_value twice[] = {t.in[0], t.in[0]};
    ck_fails(saros_compile(t.g, 2, twice, 1, t.in, NULL, &f), SAROS_ERR_USAGE);
    ck_fails(saros_compile(t.g, 2, t.in, 1, &none, NULL, &f), SAROS_ERR_USAGE);
    saros_graph *other = new_graph();
    saros_value foreign = input_of(other, SAROS_F64, 0, NULL, "z");
    ck_fails(saros_compile(t.g, 2, t.in, 1, &foreign, NULL, &f), SAROS_ERR_USAGE);
    saros_compile_options nowhere = {.backend = "abacus"};
    ck_assert_int_ne(saros_compile(t.g, 2, t.in, 1, &r, &nowhere, &f), SAROS_OK);
    saros_value bad = saros_add(r, input_of(t.g, SAROS_F64, 1, (int64_t[]){7}, "w"));
    ck_fails(saros_compile(t.g, 2, t.in, 1, &bad, NULL, &f), SAROS_ERR_SHAPE);
    ck_assert_ptr_null(f);
    saros_graph_release(other);
    end_two(&t);
}
END_TEST

START_TEST(calls_check_inputs_and_outputs) {
    two t = make_two(3, X, Y);
    saros_value r = saros_add(t.in[0], t.in[1]);
    saros_function *f = compile_two(&t, 1, &r);
    saros_tensor *narrow = vector_of(2, X), *whole = scalar_of(SAROS_I64, 1), *out[1] = {NULL};
    saros_tensor *bad[] = {t.tensor[0], narrow}, *missing[] = {NULL, narrow};
    ck_fails(saros_function_call(f, bad, out, NULL), SAROS_ERR_SHAPE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "y is f64[2], needed f64[3]"));
    ck_fails(saros_function_call(f, missing, out, NULL), SAROS_ERR_USAGE);
    out[0] = narrow;
    ck_fails(saros_function_call(f, t.tensor, out, NULL), SAROS_ERR_SHAPE);
    out[0] = whole;
    ck_fails(saros_function_call(f, t.tensor, out, NULL), SAROS_ERR_SHAPE);
    saros_tensor_release(narrow);
    saros_tensor_release(whole);
    saros_function_release(f);
    end_two(&t);
}
END_TEST

START_TEST(check_finite_names_operation_and_line) {
    two t = make_two(3, (double[]){1, -1, 2}, Y);
    saros_graph_locate(t.g, "pde.lua", 3);
    saros_value a = saros_mul(t.in[0], t.in[1]);
    saros_graph_locate(t.g, "pde.lua", 4);
    saros_value r = saros_add(saros_log(a), a);
    saros_function *f = NULL;
    ck_ok(saros_compile(t.g, 2, t.in, 1, &r, &(saros_compile_options){.check_finite = true}, &f));
    saros_tensor *out[1] = {NULL};
    ck_fails(saros_function_call(f, t.tensor, out, NULL), SAROS_ERR_NAN);
    ck_assert_str_eq(saros_error_last()->where, "log");
    ck_assert_str_eq(saros_error_last()->file, "pde.lua");
    ck_assert_int_eq(saros_error_last()->line, 4);
    ck_assert_ptr_null(out[0]);
    saros_function_release(f);
    end_two(&t);
}
END_TEST
/* ---- eager application ---- */

START_TEST(apply_gives_the_same_with_and_without_a_plan) {
    saros_tensor *in[] = {vector_of(3, X), vector_of(3, Y)}, *out[2] = {NULL, NULL};
    for (int repeat = 0; repeat < 3; ++repeat) {
        ck_ok(saros_apply(&row_both, NULL, 1, in, out));
        ck_assert_double_eq(at(out[1], 2), -3);
    }
    ck_ok(saros_apply(&row_counted, NULL, 1, &in[0], &in[0])); /* given output is the operand */
    ck_assert_double_eq(at(in[0], 1), 2);
    ck_fails(saros_apply(&row_counted, NULL, 2, in, out), SAROS_ERR_USAGE);
    ck_fails(saros_apply(&row_failing, NULL, 1, in, out), SAROS_ERR_DIVERGED);
    for (int k = 0; k < 2; ++k) {
        saros_tensor_release(in[k]);
        saros_tensor_release(out[k]);
    }
}
END_TEST

SAROS_TEST_MAIN("core/function", a_call_computes_and_gives_types, a_function_outlives_its_graph,
                given_outputs_are_written_in_place_whatever_their_strides,
                outputs_may_be_the_inputs_themselves,
                inputs_constants_views_and_repeats_can_be_outputs,
                strided_and_broadcast_inputs_are_read_rightly,
                opaque_values_end_after_their_last_use, opaque_values_can_be_inputs_and_constants,
                a_failure_half_way_leaves_nothing_behind,
                ordered_nodes_run_though_nothing_uses_them_and_dead_ones_do_not,
                compiling_names_what_is_missing_or_foreign, calls_check_inputs_and_outputs,
                check_finite_names_operation_and_line, apply_gives_the_same_with_and_without_a_plan)
