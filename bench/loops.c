/* Gradients through loops against the run that they differentiate: 20 000 steps of the classical
 * Runge-Kutta method, of Burgers' equation u_t = -(u^2/2)_x + nu u_xx on a periodic line of 512
 * cells and of two species (Gray and Scott) on a periodic square of 64^2. Value and gradient are
 * asked for together, by the first state and by all coefficients; the column by hand is the value
 * alone, by the same library. Gradients with few states are compared bit for bit with those that
 * keep all of them.
 *
 * Beside them how many times a step has to run forward at least (Griewank and Walther, Algorithm
 * 799, ACM TOMS 26, 2000): r - C(s+r, r-1)/n with the least r for which C(s+r, s) >= n, and the
 * last one once more for the value. The transposed steps, one for each, come on top. */
#include <stdio.h>

#include "bench_impl.h"
#include "stencil_impl.h"

enum { FEW = 50 };

typedef void rate_fn(const saros_value *coefficient, const saros_value *y, saros_value *rate);

typedef struct problem {
    const char *name;
    int rank, fields, coefficients;
    int64_t side;
    int64_t steps;
    double dt, coefficient[4];
    double low, high; /* of the first state */
    rate_fn *rate;
} problem;

/* u_t = -((u_right^2 - u_left^2)/2)/(2 h) + nu (u_right - 2 u + u_left)/h^2, c = {1/(4 h), nu/h^2}
 */
static void burgers_rate(const saros_value *c, const saros_value *y, saros_value *rate) {
    const saros_value u = y[0], two = saros_like(u, 2);
    const int64_t n = saros_value_type(u)->shape[0];
    const saros_side wrap = {.kind = SAROS_SIDE_PERIODIC};
    const saros_value wide = saros_extend(u, 0, 1, 2, saros_like(u, 1), &wrap, &wrap);
    const saros_value left = saros_slice(wide, 0, 0, n, 1),
                      right = saros_slice(wide, 0, 2, n + 2, 1);
    const saros_value flux = saros_sub(saros_mul(left, left), saros_mul(right, right));
    const saros_value second = saros_sub(saros_add(left, right), saros_mul(two, u));
    rate[0] = saros_add(saros_mul(c[0], flux), saros_mul(c[1], second));
}

static const problem problems[] = {
    {.name = "Burgers loop",
     .rank = 1,
     .fields = 1,
     .coefficients = 2,
     .side = 512,
     .steps = 20000,
     .dt = 1e-4,
     .coefficient = {512 / 4.0, 1e-3 * 512 * 512},
     .low = -1,
     .high = 1,
     .rate = burgers_rate},
    {.name = "Gray-Scott loop",
     .rank = 2,
     .fields = 2,
     .coefficients = 4,
     .side = 64,
     .steps = 1000,
     .dt = GS_H,
     .coefficient = {GS_DU, GS_DV, GS_F, GS_F + GS_K},
     .low = 0.25,
     .high = 0.75,
     .rate = bench_gray_scott_rate},
};

typedef struct stepper {
    const problem *p;
    const saros_value *coefficient;
} stepper;

static saros_status step(saros_graph *body, saros_value index, const saros_value *carry,
                         const saros_value *input, void *user, saros_value *next,
                         saros_value *kept) {
    static const double ahead[] = {0.5, 0.5, 1}, part[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    const stepper *s = user;
    saros_value y[2], rate[2];
    (void)body, (void)index, (void)input, (void)kept;
    for (int k = 0; k < s->p->fields; ++k) next[k] = y[k] = carry[k];
    for (int stage = 0; stage < 4; ++stage) {
        s->p->rate(s->coefficient, y, rate);
        for (int k = 0; k < s->p->fields; ++k) {
            const double dt = s->p->dt;
            next[k] = saros_add(next[k], saros_mul(saros_like(rate[k], dt * part[stage]), rate[k]));
            if (stage < 3)
                y[k] =
                    saros_add(carry[k], saros_mul(saros_like(rate[k], dt * ahead[stage]), rate[k]));
        }
    }
    return SAROS_OK;
}

/* The value J = sum of the squares of the last state, or J and its gradient. */
static void make(const problem *p, int64_t steps, int64_t states, bool gradient, bench_call *call) {
    saros_graph *graph;
    saros_value in[BENCH_MOST], end[2], out[BENCH_MOST];
    const int64_t n = bench_size(p->side), ins = p->fields + p->coefficients;
    const saros_type field = saros_type_make(SAROS_F64, p->rank, (int64_t[]){n, n});
    const saros_type number = saros_type_scalar(SAROS_F64);
    bench_check(saros_graph_make(&graph));
    for (int k = 0; k < ins; ++k)
        in[k] = saros_input(graph, k < p->fields ? &field : &number, NULL);
    stepper user = {p, in + p->fields};
    saros_loop(graph,
               &(saros_loop_spec){.n = saros_scalar(graph, SAROS_I64, (double)steps),
                                  .bound = steps,
                                  .carries = p->fields,
                                  .carry = in,
                                  .states = states,
                                  .build = step,
                                  .user = &user},
               end, NULL);
    for (int k = 0; k < p->fields; ++k) {
        const saros_value square = saros_sum(saros_mul(end[k], end[k]), saros_all_axes(end[k]));
        out[0] = k ? saros_add(out[0], square) : square;
    }
    if (gradient) saros_vjp(1, out, NULL, (int)ins, in, out + 1);
    bench_call_make(graph, (int)ins, in, gradient ? (int)ins + 1 : 1, out, call);
    for (int k = 0; k < p->fields; ++k) {
        double *x = saros_tensor_data(call->in[k]); /* in [-1, 1) */
        for (int64_t i = 0; i < saros_tensor_count(call->in[k]); ++i)
            x[i] = p->low + 0.5 * (x[i] + 1) * (p->high - p->low);
    }
    for (int k = 0; k < p->coefficients; ++k)
        *(double *)saros_tensor_data(call->in[p->fields + k]) = p->coefficient[k];
}

typedef struct pair {
    bench_call value, gradient;
} pair;

static void run_value(void *user) {
    bench_call_run(&((pair *)user)->value);
}

static void run_gradient(void *user) {
    bench_call_run(&((pair *)user)->gradient);
}

/* Steps run forward for each step, to have the value and every state once in reverse order. */
static double runs_forward(int64_t n, int64_t states) {
    double steps = 1, r = 0; /* C(s+r, r) */
    while (steps < (double)n) {
        ++r;
        steps *= ((double)states + r) / r;
    }
    return r + (1 - steps * r / ((double)states + 1)) / (double)n;
}

static void compare(const problem *p, int64_t states, const char *how) {
    char name[64], runs[64];
    const int64_t steps = bench_quick() ? p->steps / 100 : p->steps;
    snprintf(name, sizeof name, "%s gradient %s", p->name, how);
    snprintf(runs, sizeof runs, "%s runs forward %s", p->name, how);
    if (!bench_wanted(name)) return;
    pair calls;
    bench_call all;
    make(p, steps, 0, true, &all);
    make(p, steps, 0, false, &calls.value);
    make(p, steps, states, true, &calls.gradient);
    bench_call_run(&all);
    run_value(&calls);
    run_gradient(&calls);
    bench_agree(name, calls.gradient.out[0], calls.value.out[0], 0);
    for (int k = 0; k < all.outs; ++k) bench_agree(name, calls.gradient.out[k], all.out[k], 0);
    bench_call_clear(&all);
    bench_compare(
        &(bench_case){.name = name, .run = run_gradient, .floor = run_value, .user = &calls});
    if (states) bench_value(runs, runs_forward(steps, states), "x");
    bench_call_clear(&calls.value);
    bench_call_clear(&calls.gradient);
}

void bench_loops(void) {
    for (size_t k = 0; k < sizeof problems / sizeof *problems; ++k) {
        compare(&problems[k], 0, "all states");
        compare(&problems[k], FEW, "50 states");
    }
}
