/** GradBench's saddle and particle (github.com/gradbench/gradbench, after Pearlmutter and Siskind,
 * Lecture Notes in Computational Science and Engineering 64, 2008): derivatives of functions that
 * take derivatives inside, the outer and the inner each in forward or reverse mode.
 *
 *  saddle    min over (x1,y1) of max over (x2,y2) of (x1^2 + y1^2) - (x2^2 + y2^2), both by descent
 *            from a start; the outer gradient goes through the inner search
 *  particle  a charge starts at (0,8) with velocity (3/4,0); charges at (10,10-w) and (10,0) push
 *            it; w such that x^2 is least where its path (Euler, dt = 1/10) meets y = 0
 *
 *  The descent is that of GradBench: a step is taken if it lowers the value, ten in a row double
 * its length, one refused halves it; it ends where the gradient or the step is below 1e-5. Loops
 * with an early exit, nested. */
#ifndef SAROS_TESTS_GRADBENCH_DESCENT_H
#define SAROS_TESTS_GRADBENCH_DESCENT_H

#include "saros/autodiff.h"

enum { DESCENT_BOUND = 1000, PATH_BOUND = 1000, DESCENT_ROW = 10 };

/** Which mode takes the outer, which the inner derivative. */
typedef struct descent_modes {
    bool outer_reverse, inner_reverse;
} descent_modes;

/** A scalar of x (n). */
typedef saros_value descent_fn(saros_value x, const void *user);

static inline saros_value descent_scalar(saros_value like, double number) {
    return saros_scalar(like.graph, SAROS_F64, number);
}
static inline saros_value descent_at(saros_value v, int64_t k) {
    return saros_reshape(saros_slice(v, 0, k, k + 1, 1), 0, NULL);
}
static inline saros_value descent_squares(saros_value v) {
    return saros_sum(saros_mul(v, v), 1);
}

/** Gradient of y by x (n) in either mode. */
static inline saros_value descent_gradient(saros_value y, saros_value x, bool reverse) {
    const int64_t n = saros_value_type(x)->shape[0];
    saros_value g, entry[2];
    if (reverse) {
        saros_vjp(1, &y, NULL, 1, &x, &g);
        return saros_instantiate(g, x);
    }
    for (int64_t k = 0; k < n; ++k) {
        saros_value one = saros_reshape(descent_scalar(x, 1), 1, (int64_t[]){1});
        saros_value unit = saros_pad(one, 0, k, n - 1 - k, 0, 0);
        saros_jvp(1, &y, 1, &x, &unit, &entry[k]);
        entry[k] = saros_instantiate(entry[k], y);
    }
    return saros_stack((int)n, entry, 0);
}

/* ---- the search ---- */

typedef struct descent {
    descent_fn *f;
    const void *user;
    double sign; /**< -1: the greatest value is sought */
    bool reverse;
} descent;

enum { GOING, AT, VALUE, GRADIENT, LENGTH, ROW, DESCENT_CARRIES };

static inline void descent_values(const descent *d, saros_value x, saros_value out[2]) {
    saros_value y = d->f(x, d->user);
    y = saros_mul(descent_scalar(y, d->sign), y);
    out[0] = y;
    out[1] = descent_gradient(y, x, d->reverse);
}

static inline saros_status descent_step(saros_graph *body, saros_value index,
                                        const saros_value *carry, const saros_value *input,
                                        void *user, saros_value *next, saros_value *kept) {
    saros_value x = carry[AT], g = carry[GRADIENT], length = carry[LENGTH], new[2];
    saros_value small = descent_scalar(x, 1e-10), ten = saros_like(carry[ROW], DESCENT_ROW);
    saros_value to = saros_alias(saros_sub(x, saros_mul(length, g))), moved = saros_sub(x, to);
    saros_value flat = saros_le(descent_squares(g), small);
    saros_value doubles = saros_eq(carry[ROW], ten);
    saros_value end = saros_and(saros_not(doubles), saros_le(descent_squares(moved), small));
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    descent_values(user, to, new);
    next[GOING] = saros_not(saros_or(flat, end));
    saros_value tries = saros_and(next[GOING], saros_not(doubles));
    saros_value taken = saros_and(tries, saros_lt(new[0], carry[VALUE]));
    next[AT] = saros_where(taken, to, x);
    next[VALUE] = saros_where(taken, new[0], carry[VALUE]);
    next[GRADIENT] = saros_where(taken, new[1], g);
    saros_value grown = saros_mul(length, descent_scalar(x, 2));
    saros_value less = saros_mul(length, descent_scalar(x, 0.5));
    next[LENGTH] = saros_where(doubles, grown, saros_where(taken, length, less));
    saros_value one = saros_like(ten, 1), none = saros_like(ten, 0);
    next[ROW] = saros_where(taken, saros_add(carry[ROW], one), none);
    return SAROS_OK;
}

/** Where f is least (greatest for sign -1), searched from `start` (n), which may be of a graph that
 * encloses `graph`. */
static inline saros_value descent_search(saros_graph *graph, const descent *d, saros_value start) {
    saros_value x = saros_build(graph, &saros_row_alias, NULL, 1, &start), first[2];
    saros_value end[DESCENT_CARRIES];
    descent own = *d;
    descent_values(d, x, first);
    const saros_value carry[DESCENT_CARRIES] = {
        saros_eq(first[0], first[0]),     x, first[0], first[1], descent_scalar(x, 1e-5),
        saros_scalar(graph, SAROS_I64, 0)};
    saros_loop(graph,
               &(saros_loop_spec){.n = saros_scalar(graph, SAROS_I64, DESCENT_BOUND),
                                  .bound = DESCENT_BOUND,
                                  .carries = DESCENT_CARRIES,
                                  .carry = carry,
                                  .early = true,
                                  .build = descent_step,
                                  .user = &own},
               end, NULL);
    return end[AT];
}

/* ---- saddle ---- */

typedef struct saddle {
    descent_modes modes;
    saros_value start, first; /**< first: (x1,y1) of the inner function */
} saddle;

static inline saros_value saddle_inner(saros_value second, const void *user) {
    const saddle *s = user;
    return saros_sub(descent_squares(s->first), descent_squares(second));
}
static inline saros_value saddle_highest(const saddle *s, saros_value first) {
    saddle at = *s;
    at.first = first;
    return descent_search(first.graph, &(descent){saddle_inner, &at, -1, s->modes.inner_reverse},
                          s->start);
}
static inline saros_value saddle_outer(saros_value first, const void *user) {
    saddle at = *(const saddle *)user;
    at.first = first;
    return saddle_inner(saddle_highest(&at, first), &at);
}
/** (x1, y1, x2, y2) of the saddle, from `start` (2). */
static inline saros_value saddle_value(descent_modes modes, saros_value start) {
    const saddle s = {.modes = modes, .start = start};
    saros_value found[2];
    found[0] =
        descent_search(start.graph, &(descent){saddle_outer, &s, 1, modes.outer_reverse}, start);
    found[1] = saddle_highest(&s, found[0]);
    return saros_concat(2, found, 0);
}

/* ---- particle ---- */

typedef struct particle {
    descent_modes modes;
    saros_value w; /**< (1) */
} particle;

/** Potential at x (2). */
static inline saros_value particle_potential(const particle *p, saros_value x) {
    saros_value ten = descent_scalar(x, 10), sum = SAROS_NONE;
    for (int k = 0; k < 2; ++k) {
        saros_value y = k ? descent_scalar(x, 0) : saros_sub(ten, descent_at(p->w, 0));
        saros_value charge[2] = {ten, y};
        saros_value apart = saros_sub(x, saros_stack(2, charge, 0));
        saros_value inverse = saros_div(descent_scalar(x, 1), saros_sqrt(descent_squares(apart)));
        sum = k ? saros_add(sum, inverse) : inverse;
    }
    return sum;
}

static inline saros_status particle_step(saros_graph *body, saros_value index,
                                         const saros_value *carry, const saros_value *input,
                                         void *user, saros_value *next, saros_value *kept) {
    const particle *p = user;
    saros_value x = carry[1], v = carry[2], dt = descent_scalar(x, 0.1);
    saros_value push = descent_gradient(particle_potential(p, x), x, p->modes.inner_reverse);
    saros_value to = saros_add(x, saros_mul(dt, v));
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    next[0] = saros_gt(descent_at(to, 1), descent_scalar(x, 0));
    next[1] = saros_where(next[0], to, x);
    next[2] = saros_where(next[0], saros_sub(v, saros_mul(dt, push)), v);
    return SAROS_OK;
}

/** Square of x where the path of w (1) meets y = 0. */
static inline saros_value particle_miss(saros_value w, const void *user) {
    particle p = {((const particle *)user)->modes, w};
    saros_graph *graph = w.graph;
    saros_value start[4] = {descent_scalar(w, 0), descent_scalar(w, 8), descent_scalar(w, 0.75),
                            descent_scalar(w, 0)};
    const saros_value carry[3] = {saros_eq(start[1], start[1]), saros_stack(2, start, 0),
                                  saros_stack(2, start + 2, 0)};
    saros_value end[3];
    saros_loop(graph,
               &(saros_loop_spec){.n = saros_scalar(graph, SAROS_I64, PATH_BOUND),
                                  .bound = PATH_BOUND,
                                  .carries = 3,
                                  .carry = carry,
                                  .early = true,
                                  .build = particle_step,
                                  .user = &p},
               end, NULL);
    saros_value rest = saros_neg(saros_div(descent_at(end[1], 1), descent_at(end[2], 1)));
    saros_value x = saros_add(descent_at(end[1], 0), saros_mul(rest, descent_at(end[2], 0)));
    return saros_mul(x, x);
}
/** The w (1) found from `start` (1). */
static inline saros_value particle_value(descent_modes modes, saros_value start) {
    const particle p = {.modes = modes};
    return descent_search(start.graph, &(descent){particle_miss, &p, 1, modes.outer_reverse},
                          start);
}

#endif
