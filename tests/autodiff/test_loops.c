/** Derivatives of loops and conds, in every word of modes, against the same steps unrolled. */
#include "autodiff/graph_run.h"

enum { INPUTS = 4, STEPS = 7, BOUND = 10 };

/** Scalar inputs a, b; vector c (3); stack s (BOUND, 3). */
typedef struct scene {
    saros_graph *graph;
    saros_value in[INPUTS + 1]; /* the last is n, i64 */
    saros_tensor *at[INPUTS + 1];
} scene;

static scene scene_open(void) {
    scene s = {0};
    ck_ok(saros_graph_make(&s.graph));
    const int rank[INPUTS] = {0, 0, 1, 2};
    const int64_t shape[INPUTS][2] = {{0}, {0}, {3}, {BOUND, 3}};
    run_state = 3;
    for (int k = 0; k < INPUTS; ++k) {
        saros_type type = saros_type_make(SAROS_F64, rank[k], shape[k]);
        s.in[k] = saros_input(s.graph, &type, NULL);
        s.at[k] = run_tensor(&type, 0.3, 0.7);
    }
    saros_type count = saros_type_scalar(SAROS_I64);
    s.in[INPUTS] = saros_input(s.graph, &count, "n");
    ck_ok(saros_tensor_scalar(SAROS_I64, STEPS, &s.at[INPUTS]));
    return s;
}

static void scene_close(scene *s) {
    for (int k = 0; k <= INPUTS; ++k) saros_tensor_release(s->at[k]);
    saros_graph_release(s->graph);
}

static saros_value total(saros_value v) {
    return saros_sum(v, saros_all_axes(v));
}

static void compare(const scene *s, const char *word, saros_value a, saros_value b) {
    ck_assert_msg(saros_graph_status(s->graph) == SAROS_OK, "%s: %s", word,
                  saros_error_last()->message);
    if (saros_is_none(a) && saros_is_none(b)) return;
    a = saros_instantiate(a, b); /* the branch not taken gives zeros */
    b = saros_instantiate(b, a);
    double *x = run_one(INPUTS + 1, s->in, s->at, a);
    double *y = run_one(INPUTS + 1, s->in, s->at, b);
    int64_t n = saros_type_count(saros_value_type(b));
    double error = run_distance(n, x, y) / (1e-3 + run_norm(n, y));
    ck_assert_msg(error < 1e-12, "%s: loop is off the unrolled steps by %.2g (%.15g, %.15g)", word,
                  error, x[0], y[0]);
    saros_release(x);
    saros_release(y);
}

/** A scalar that uses all of `values`, unevenly. */
static saros_value mixed(int n, const saros_value *values) {
    saros_value sum = SAROS_NONE;
    for (int k = 0; k < n; ++k) {
        if (saros_is_none(values[k])) continue;
        saros_value term =
            total(saros_sin(saros_mul(saros_like(values[k], 1 + 0.3 * k), values[k])));
        sum = saros_is_none(sum) ? term : saros_add(sum, term);
    }
    return sum;
}

/** All words of modes up to order two, and a jet of order three, on two forms of one scalar. */
static void compare_words(const scene *s, saros_value looped, saros_value unrolled) {
    const saros_value form[2] = {looped, unrolled};
    saros_value gradient[2][INPUTS], tangent[2], again[2][INPUTS], series[2][3], v[INPUTS];
    saros_value curve[3 * INPUTS], forward[2][INPUTS];
    compare(s, "value", looped, unrolled);
    for (int k = 0; k < INPUTS; ++k) {
        v[k] = saros_cos(s->in[k]);
        curve[3 * k] = v[k];
        curve[3 * k + 1] = SAROS_NONE;
        curve[3 * k + 2] = s->in[k];
    }
    for (int f = 0; f < 2; ++f) {
        saros_vjp(1, &form[f], NULL, INPUTS, s->in, gradient[f]);
        saros_jvp(1, &form[f], INPUTS, s->in, v, &tangent[f]);
        saros_jet(1, &form[f], INPUTS, s->in, 3, curve, series[f]);
    }
    compare(s, "jvp", tangent[0], tangent[1]);
    for (int j = 0; j < 3; ++j) compare(s, "jet", series[0][j], series[1][j]);
    for (int k = 0; k < INPUTS; ++k) compare(s, "vjp", gradient[0][k], gradient[1][k]);
    for (int f = 0; f < 2; ++f) {
        saros_value e = mixed(INPUTS, gradient[f]);
        saros_vjp(1, &e, NULL, INPUTS, s->in, again[f]);
        saros_jvp(INPUTS, gradient[f], INPUTS, s->in, v, forward[f]);
    }
    for (int k = 0; k < INPUTS; ++k) {
        compare(s, "vjp of vjp", again[0][k], again[1][k]);
        compare(s, "jvp of vjp", forward[0][k], forward[1][k]);
    }
    for (int f = 0; f < 2; ++f) {
        saros_vjp(1, &tangent[f], NULL, INPUTS, s->in, again[f]);
        saros_value second = series[f][1];
        saros_vjp(1, &second, NULL, INPUTS, s->in, forward[f]);
    }
    for (int k = 0; k < INPUTS; ++k) {
        compare(s, "vjp of jvp", again[0][k], again[1][k]);
        compare(s, "vjp of jet", forward[0][k], forward[1][k]);
    }
}

/* ---- one step of everything: two carries, an input, captures, the index, a kept output ---- */

static void step(saros_value i, saros_value p, saros_value q, saros_value slice, saros_value a,
                 saros_value c, saros_value *p2, saros_value *q2, saros_value *kept) {
    saros_value time = saros_mul(saros_like(p, 0.1), saros_cast(i, SAROS_F64));
    *p2 = saros_add(saros_mul(a, saros_sin(q)), saros_mul(slice, saros_like(p, 0.5)));
    *q2 = saros_add(saros_mul(q, saros_like(q, 0.9)), saros_mul(saros_mul(c, p), saros_cos(time)));
    *kept = saros_mul(*p2, q);
}

static saros_status step_body(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    const scene *s = user;
    (void)body;
    step(index, carry[0], carry[1], input[0], s->in[0], s->in[2], &next[0], &next[1], &kept[0]);
    return SAROS_OK;
}

/** Objective of final carry and kept rows: by loop, or unrolled. */
static saros_value objective(const scene *s, bool unrolled, int64_t every, bool reverse,
                             int64_t states) {
    saros_value p0 = saros_mul(s->in[1], s->in[2]), q0 = saros_sin(s->in[2]);
    saros_value final[2] = {p0, q0}, stacked;
    const int64_t shape[1] = {3};
    if (!unrolled) {
        saros_loop_spec spec = {.n = s->in[INPUTS],
                                .bound = BOUND,
                                .carries = 2,
                                .carry = final,
                                .inputs = 1,
                                .input = &s->in[3],
                                .kept = 1,
                                .every = every,
                                .reverse = reverse,
                                .states = states,
                                .build = step_body,
                                .user = (void *)s};
        saros_value end[2];
        saros_loop(s->graph, &spec, end, &stacked);
        saros_value all[3] = {end[0], end[1], stacked};
        return mixed(3, all);
    }
    saros_value rows[BOUND], zero = saros_splat(s->graph, saros_value_type(p0), 0);
    for (int64_t r = 0; r < BOUND; ++r) rows[r] = zero;
    for (int64_t j = 0; j < STEPS; ++j) {
        int64_t i = reverse ? STEPS - 1 - j : j;
        saros_value index = saros_scalar(s->graph, SAROS_I64, (double)i), kept;
        saros_value slice = saros_reshape(saros_slice(s->in[3], 0, i, i + 1, 1), 1, shape);
        step(index, final[0], final[1], slice, s->in[0], s->in[2], &final[0], &final[1], &kept);
        if ((i + 1) % every == 0) rows[(i + 1) / every - 1] = kept;
    }
    saros_value all[3] = {final[0], final[1], saros_stack((int)(BOUND / every), rows, 0)};
    return mixed(3, all);
}

START_TEST(a_loop_differentiates_as_its_unrolled_steps) {
    scene s = scene_open();
    compare_words(&s, objective(&s, false, 1, false, 0), objective(&s, true, 1, false, 0));
    scene_close(&s);
}
END_TEST

START_TEST(a_loop_that_keeps_every_third_step_differentiates) {
    scene s = scene_open();
    compare_words(&s, objective(&s, false, 3, false, 0), objective(&s, true, 3, false, 0));
    scene_close(&s);
}
END_TEST

START_TEST(a_reversed_loop_differentiates) {
    scene s = scene_open();
    compare_words(&s, objective(&s, false, 2, true, 0), objective(&s, true, 2, true, 0));
    scene_close(&s);
}
END_TEST

START_TEST(a_loop_in_bounded_memory_differentiates_in_every_word) {
    for (int64_t states = 1; states <= 3; ++states)
        for (int back = 0; back < 2; ++back) {
            scene s = scene_open();
            compare_words(&s, objective(&s, false, 2, back, states),
                          objective(&s, true, 2, back, 0));
            scene_close(&s);
        }
}
END_TEST

/* ---- nested loops with captures at two levels ---- */

static saros_value inner_step(saros_value y, saros_value a, saros_value x) {
    return saros_add(y, saros_mul(saros_mul(saros_like(y, 0.2), a), saros_sin(saros_mul(y, x))));
}

typedef struct levels {
    const scene *s;
    saros_value x; /* carry of the outer loop, captured by the inner one */
} levels;

static saros_status inner_body(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    const levels *l = user;
    (void)body;
    (void)index;
    (void)input;
    next[0] = inner_step(carry[0], l->s->in[0], l->x);
    kept[0] = saros_mul(next[0], l->s->in[1]);
    return SAROS_OK;
}

static saros_value outer_step(const scene *s, saros_graph *graph, saros_value x, bool unrolled) {
    saros_value y = saros_mul(x, s->in[2]), stacked, end;
    if (unrolled) {
        saros_value rows[3];
        for (int j = 0; j < 3; ++j) {
            y = inner_step(y, s->in[0], x);
            rows[j] = saros_mul(y, s->in[1]);
        }
        return saros_add(y, saros_sum(saros_stack(3, rows, 0), 1));
    }
    levels l = {s, x};
    saros_loop_spec spec = {.n = saros_scalar(graph, SAROS_I64, 3),
                            .bound = 3,
                            .carries = 1,
                            .carry = &y,
                            .kept = 1,
                            .build = inner_body,
                            .user = &l};
    saros_loop(graph, &spec, &end, &stacked);
    return saros_add(end, saros_sum(stacked, 1));
}

static saros_status outer_body(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    (void)index;
    (void)input;
    (void)kept;
    next[0] = outer_step(user, body, carry[0], false);
    return SAROS_OK;
}

START_TEST(nested_loops_differentiate) {
    scene s = scene_open();
    saros_value x = saros_mul(s.in[1], s.in[2]), end, u = x;
    saros_loop_spec spec = {.n = s.in[INPUTS],
                            .bound = BOUND,
                            .carries = 1,
                            .carry = &x,
                            .build = outer_body,
                            .user = &s};
    saros_loop(s.graph, &spec, &end, NULL);
    for (int j = 0; j < STEPS; ++j) u = outer_step(&s, s.graph, u, true);
    compare_words(&s, mixed(1, &end), mixed(1, &u));
    scene_close(&s);
}
END_TEST

/* ---- a derivative taken inside a body ---- */

static saros_value descent(saros_value w, saros_value a) {
    saros_value x = saros_alias(w), loss, g;
    loss = total(saros_mul(a, saros_mul(saros_sin(x), saros_sin(x))));
    saros_vjp(1, &loss, NULL, 1, &x, &g);
    return saros_sub(w, saros_mul(saros_like(w, 0.1), g));
}

static saros_status descent_body(saros_graph *body, saros_value index, const saros_value *carry,
                                 const saros_value *input, void *user, saros_value *next,
                                 saros_value *kept) {
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    next[0] = descent(carry[0], ((const scene *)user)->in[0]);
    return SAROS_OK;
}

START_TEST(a_gradient_taken_inside_a_body_differentiates) {
    scene s = scene_open();
    saros_value w = s.in[2], end;
    saros_loop_spec spec = {.n = s.in[INPUTS],
                            .bound = BOUND,
                            .carries = 1,
                            .carry = &s.in[2],
                            .build = descent_body,
                            .user = &s};
    saros_loop(s.graph, &spec, &end, NULL);
    for (int j = 0; j < STEPS; ++j) w = descent(w, s.in[0]);
    compare_words(&s, mixed(1, &end), mixed(1, &w));
    scene_close(&s);
}
END_TEST

START_TEST(differentiating_by_an_enclosing_value_inside_a_body_is_an_error) {
    scene s = scene_open();
    saros_graph *inner = saros_body_open(s.graph);
    saros_value y = saros_build(inner, &saros_row_sin, NULL, 1, &s.in[0]), d;
    saros_vjp(1, &y, NULL, 1, &s.in[0], &d);
    ck_assert(saros_is_poisoned(d));
    ck_fails(saros_graph_status(inner), SAROS_ERR_UNSUPPORTED);
    saros_graph_release(inner);
    scene_close(&s);
}
END_TEST

/* ---- cond ---- */

typedef struct choice {
    const scene *s;
    saros_value x;
    bool first;
} choice;

static saros_status branch_body(saros_graph *body, void *user, saros_value *out) {
    const choice *c = user;
    (void)body;
    out[0] = c->first ? saros_mul(saros_sin(c->x), c->s->in[0])
                      : saros_mul(saros_exp(c->x), c->s->in[1]);
    out[1] = c->first ? saros_mul(c->x, c->x) : saros_zeros_like(c->x);
    return SAROS_OK;
}

START_TEST(a_cond_differentiates_as_the_branch_it_takes) {
    for (int taken = 0; taken < 2; ++taken) {
        scene s = scene_open();
        choice then = {&s, saros_sin(s.in[2]), true}, otherwise = {&s, saros_sin(s.in[2]), false};
        saros_value mask =
            saros_lt(s.in[INPUTS], saros_scalar(s.graph, SAROS_I64, taken ? 100 : 0));
        saros_value out[2], plain[2];
        saros_cond(mask, branch_body, &then, branch_body, &otherwise, 2, out);
        ck_ok(branch_body(s.graph, taken ? &then : &otherwise, plain));
        compare_words(&s, mixed(2, out), mixed(2, plain));
        scene_close(&s);
    }
}
END_TEST

SAROS_TEST_MAIN("autodiff/loops", a_loop_differentiates_as_its_unrolled_steps,
                a_loop_that_keeps_every_third_step_differentiates, a_reversed_loop_differentiates,
                a_loop_in_bounded_memory_differentiates_in_every_word, nested_loops_differentiate,
                a_gradient_taken_inside_a_body_differentiates,
                differentiating_by_an_enclosing_value_inside_a_body_is_an_error,
                a_cond_differentiates_as_the_branch_it_takes)
