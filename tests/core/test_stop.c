/** The request to stop: loops of compiled functions see it between iterations. */
#include "engine_rows.h"

#include <string.h>

#include "saros/stop.h"

static saros_status type_of_first(void *user, int ins, const saros_type *in, int outs,
                                  saros_type *out) {
    (void)user, (void)ins;
    for (int k = 0; k < outs; ++k) out[k] = in[0];
    return SAROS_OK;
}

/** x -> x, and asks to stop where x is 0. */
static saros_status stop_at_zero(void *user, int ins, saros_tensor *const *in, int outs,
                                 saros_tensor **out) {
    (void)user, (void)ins, (void)outs;
    if (at(in[0], 0) == 0) saros_stop();
    return saros_tensor_assign(out[0], in[0]);
}
static const saros_call_class stopping_class = {
    .name = "stopping", .type = type_of_first, .apply = stop_at_zero};

/** x -> x - 1 */
static saros_status count_down(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    saros_value y;
    (void)index, (void)input, (void)kept;
    saros_call(body, &stopping_class, user, 1, carry, 1, &y);
    next[0] = saros_sub(y, saros_like(y, 1));
    return SAROS_OK;
}

START_TEST(a_request_to_stop_ends_a_loop_at_its_next_iteration) {
    saros_graph *g = new_graph();
    const saros_value in = input_of(g, SAROS_F64, 0, NULL, "x");
    saros_value end;
    saros_function *f = NULL;
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, 100),
                                  .bound = 100,
                                  .carries = 1,
                                  .carry = &in,
                                  .build = count_down},
               &end, NULL);
    ck_ok(saros_compile(g, 1, &in, 1, &end, NULL, &f));
    saros_tensor *x = scalar_of(SAROS_F64, 7), *out = NULL;
    ck_fails(saros_function_call(f, &x, &out, NULL), SAROS_ERR_STOPPED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "before iteration 8 of 100"));
    ck_fails(saros_function_call(f, &x, &out, NULL), SAROS_ERR_STOPPED); /* it stays */
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "before iteration 0 of 100"));
    ck_assert_ptr_null(out);
    saros_stop_clear();
    saros_tensor_release(x);
    x = scalar_of(SAROS_F64, -1);
    ck_ok(saros_function_call(f, &x, &out, NULL));
    ck_assert_double_eq(at(out, 0), -101);
    saros_tensor_release(x);
    saros_tensor_release(out);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("core/stop", a_request_to_stop_ends_a_loop_at_its_next_iteration)
