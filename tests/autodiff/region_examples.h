/** Builders of the examples with bodies: loops, conds, foreign calls. */
#ifndef SAROS_TESTS_REGION_EXAMPLES_H
#define SAROS_TESTS_REGION_EXAMPLES_H

#include "autodiff/foreign_example.h"
#include "autodiff/graph_run.h"

static saros_status loop_step(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    const saros_value *x = user;
    (void)body;
    saros_value time = saros_cast(index, saros_value_dtype(carry[0]));
    next[0] = saros_add(saros_sin(saros_mul(carry[0], x[1])), saros_mul(input[0], saros_cos(time)));
    kept[0] = saros_mul(carry[0], next[0]);
    return SAROS_OK;
}
static int build_loop(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_loop_spec spec = {.n = x[3],
                            .bound = 5,
                            .carries = 1,
                            .carry = x,
                            .inputs = 1,
                            .input = x + 2,
                            .kept = 1,
                            .every = 2,
                            .build = loop_step,
                            .user = (void *)x};
    saros_loop(g, &spec, &y[0], &y[1]);
    return 2;
}
/* ends after x[3] of five iterations, each lane in its own time */
static saros_status early_step(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    const saros_value *x = user;
    saros_value done = saros_add(index, saros_like(index, 1));
    next[0] = saros_lt(done, x[3]);
    return loop_step(body, index, carry + 1, input, user, next + 1, kept);
}
static int early_loop(saros_graph *g, const saros_value *x, int64_t states, saros_value *y) {
    saros_value carry[2] = {saros_lt(saros_like(x[3], 0), x[3]), x[0]}, end[2];
    saros_loop_spec spec = {.n = saros_like(x[3], 5),
                            .bound = 5,
                            .carries = 2,
                            .carry = carry,
                            .inputs = 1,
                            .input = x + 2,
                            .kept = 1,
                            .every = 2,
                            .states = states,
                            .early = true,
                            .build = early_step,
                            .user = (void *)x};
    saros_loop(g, &spec, end, &y[1]);
    y[0] = end[1];
    return 2;
}
static int build_early_loop(saros_graph *g, const saros_value *x, saros_value *y) {
    return early_loop(g, x, 0, y);
}
static int build_early_loop_states(saros_graph *g, const saros_value *x, saros_value *y) {
    return early_loop(g, x, 2, y);
}
/* the gradient of a loop that keeps two of five states */
static int build_loop_reverse(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_value end, stacked;
    saros_loop_spec spec = {.n = x[3],
                            .bound = 5,
                            .carries = 1,
                            .carry = x,
                            .inputs = 1,
                            .input = x + 2,
                            .kept = 1,
                            .states = 2,
                            .build = loop_step,
                            .user = (void *)x};
    saros_loop(g, &spec, &end, &stacked);
    saros_value out[2] = {end, stacked}, ct[2];
    ct[0] = saros_splat(g, saros_value_type(end), 0.7);
    ct[1] = saros_splat(g, saros_value_type(stacked), -0.4);
    saros_vjp(2, out, ct, 3, x, y);
    return 3;
}
/* outer values get a place in the branch, so that it computes and not the graph around it */
static saros_value inside(saros_graph *body, saros_value v) {
    return saros_build(body, &saros_row_alias, NULL, 1, &v);
}
static saros_status then_branch(saros_graph *body, void *user, saros_value *out) {
    const saros_value *x = user;
    out[0] = saros_mul(saros_sin(inside(body, x[1])), x[2]);
    return SAROS_OK;
}
static saros_status else_branch(saros_graph *body, void *user, saros_value *out) {
    const saros_value *x = user;
    saros_value own = inside(body, x[1]);
    out[0] = saros_mul(saros_exp(own), saros_mul(own, own));
    return SAROS_OK;
}
static int build_cond(saros_graph *g, const saros_value *x, saros_value *y) {
    (void)g;
    saros_cond(x[0], then_branch, (void *)x, else_branch, (void *)x, 1, y);
    return 1;
}

static int build_call(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_call(g, &foreign_builder, NULL, 2, x, 1, y);
    return 1;
}
static int build_call_numeric(saros_graph *g, const saros_value *x, saros_value *y) {
    saros_call(g, &foreign_numeric, NULL, 2, x, 1, y);
    return 1;
}

#endif
