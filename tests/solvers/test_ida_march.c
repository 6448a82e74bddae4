/** Runs of IDAS as values of a graph: Robertson with an algebraic row against its references and
 * against CVODES, algebraic unknowns that hang on parameters, masses that hang on the state, every
 * derivative forwards and backwards. */
#include "robertson.h"

#include <stdio.h>
#include <string.h>

#include "nvector_impl.h"
#include "saros/autodiff.h"
#include "saros/continuous.h"
#include "saros/memory.h"

typedef saros_value (*residual_builder)(saros_value t, saros_value y, saros_value rate,
                                        saros_value p);

/* An equation with its start and parameters. */
typedef struct dae {
    residual_builder build;
    int64_t n, parameters;
    int times;
    double start[3], p[3], time[5];
} dae;

/* y0 and p, and the states that IDAS gives. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[2], kept;
    saros_tensor *at[2];
    const dae *of;
} fixture;

static saros_status residual(saros_graph *g, saros_value t, saros_value y, saros_value rate,
                             void *user, saros_value *out) {
    (void)g;
    const fixture *f = user;
    *out = f->of->build(t, y, rate, f->in[1]);
    return SAROS_OK;
}

static void open_fixture(const dae *of, const saros_ida_options *options, fixture *f) {
    *f = (fixture){.of = of};
    ck_ok(saros_graph_make(&f->g));
    f->at[0] = vector(of->n, of->start), f->at[1] = vector(of->parameters, of->p);
    for (int k = 0; k < 2; ++k) {
        saros_type type = saros_tensor_type(f->at[k]);
        f->in[k] = saros_input(f->g, &type, k ? "p" : "y0");
    }
    f->kept = saros_ida_march(f->g, &(saros_ida_march_spec){.y0 = f->in[0],
                                                            .times = of->times,
                                                            .time = of->time,
                                                            .residual = residual,
                                                            .user = f,
                                                            .options = *options});
}

static void close_fixture(fixture *f) {
    for (int k = 0; k < 2; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

static saros_status call(const fixture *f, int outs, const saros_value *of, saros_tensor **out) {
    saros_function *function = NULL;
    saros_status status = saros_compile(f->g, 2, f->in, outs, of, NULL, &function);
    if (status == SAROS_OK) status = saros_function_call(function, f->at, out, NULL);
    saros_function_release(function);
    ck_assert_int_eq(saros_nvector_alive(), 0);
    return status;
}

/* A number that all outputs and unknowns enter, with weights of their own. */
static saros_value weighted(const fixture *f) {
    const saros_type type = *saros_value_type(f->kept);
    saros_tensor *w = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 2, type.shape, &w));
    for (int64_t i = 0; i < saros_tensor_count(w); ++i)
        ((double *)saros_tensor_data(w))[i] = 1 + 0.3 * cos(2.0 * (double)i);
    saros_value sum = saros_sum(saros_mul(f->kept, saros_constant(f->g, w)), 3);
    saros_tensor_release(w);
    return sum;
}

static saros_value entry(const fixture *f, int64_t j, int64_t unknown) {
    saros_value row = saros_slice(f->kept, 0, j, j + 1, 1);
    return saros_sum(saros_slice(row, 1, unknown, unknown + 1, 1), 3);
}

/* `value`, and its gradients by y0 and p backwards and, entry by entry, forwards. */
static void both_ways(fixture *f, saros_value value, double *number, double backward[2][3],
                      double forward[2][3]) {
    saros_value of[9];
    saros_tensor *out[9] = {NULL};
    int outs = 3;
    of[0] = value;
    saros_vjp(1, &value, NULL, 2, f->in, &of[1]);
    for (int k = 0; k < 2; ++k) {
        const int64_t n = k ? f->of->parameters : f->of->n;
        for (int64_t i = 0; i < n; ++i) {
            double unit[3] = {i == 0, i == 1, i == 2};
            saros_tensor *direction = vector(n, unit);
            saros_value along = saros_constant(f->g, direction);
            saros_jvp(1, &value, 1, &f->in[k], &along, &of[outs]);
            of[outs] = saros_instantiate(of[outs], value);
            outs++;
            saros_tensor_release(direction);
        }
    }
    ck_ok(call(f, outs, of, out));
    ck_ok(saros_tensor_item(out[0], number));
    for (int k = 0, at = 3; k < 2; ++k) {
        const int64_t n = k ? f->of->parameters : f->of->n;
        memcpy(backward[k], saros_tensor_const_data(out[1 + k]), (size_t)n * sizeof(double));
        for (int64_t i = 0; i < n; ++i) ck_ok(saros_tensor_item(out[at++], &forward[k][i]));
    }
    for (int k = 0; k < outs; ++k) saros_tensor_release(out[k]);
}

/* y1 and y2 by their rates, y3 from the sum, which is a guess at first */
static saros_value constrained(saros_value t, saros_value y, saros_value rate, saros_value p) {
    saros_value error = saros_sub(rate, robertson(t, y, p));
    saros_value sum = saros_add(saros_add(part(y, 0), part(y, 1)), part(y, 2));
    saros_value all[2] = {saros_slice(error, 0, 0, 2, 1), saros_sub(sum, saros_like(sum, 1))};
    return saros_concat(2, all, 0);
}

static const dae stiff = {constrained, 3, 3, 3, {1, 0, 0.5}, ROBERTSON_P, {0, 0.4, 4}};
static const saros_ida_options fine = {.rtol = 1e-9, .atol = 1e-13};

START_TEST(stiff_gradients_reach_their_references) {
    for (int j = 0; j < 2; ++j) {
        fixture f;
        double y1, backward[2][3], forward[2][3];
        open_fixture(&stiff, &fine, &f);
        both_ways(&f, entry(&f, j + 1, 0), &y1, backward, forward);
        ck_near(y1 / robertson_states[j][0], 1, 1e-7);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "t%d: backwards off by %.1e, forwards by %.1e\n", j,
                    backward[1][0] / robertson_sensitivities[j] - 1,
                    forward[1][0] / robertson_sensitivities[j] - 1);
        ck_near(backward[1][0] / robertson_sensitivities[j], 1, 1e-6);
        for (int k = 0; k < 3; ++k) ck_near(backward[1][k] / forward[1][k], 1, 1e-5);
        ck_assert(backward[0][2] == 0); /* a guess */
        close_fixture(&f);
    }
}
END_TEST

/* The same as an ordinary equation, by CVODES: y3 is algebraic here and has a rate there. */
static saros_status ordinary(saros_graph *g, saros_value t, saros_value y, void *user,
                             saros_value *out) {
    (void)g;
    *out = robertson(t, y, *(saros_value *)user);
    return SAROS_OK;
}

START_TEST(the_gradient_is_that_of_the_ordinary_form) {
    fixture f;
    saros_sparsity *dense = NULL;
    double number, backward[2][3], forward[2][3];
    open_fixture(&stiff, &fine, &f);
    f.kept = saros_slice(f.kept, 0, 1, 3, 1);
    both_ways(&f, weighted(&f), &number, backward, forward);
    ck_ok(saros_sparsity_dense(3, &dense));
    ((double *)saros_tensor_data(f.at[0]))[2] = 0;
    f.kept = saros_cvode_march(
        f.g,
        &(saros_cvode_march_spec){.y0 = f.in[0],
                                  .times = 3,
                                  .time = stiff.time,
                                  .rate = ordinary,
                                  .user = &f.in[1],
                                  .options = {.rtol = 1e-9, .atol = 1e-13, .sparsity = dense}});
    double other, other_back[2][3], other_forward[2][3];
    both_ways(&f, weighted(&f), &other, other_back, other_forward);
    ck_near(other / number, 1, 1e-7);
    for (int k = 0; k < 3; ++k) ck_near(backward[1][k] / other_back[1][k], 1, 1e-5);
    saros_sparsity_release(dense);
    close_fixture(&f);
}
END_TEST

/* x' = -p x, z = q x^2, so that z = q x0^2 exp(-2 p t) hangs on q at once and on x0 through x. */
static saros_value square(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    saros_value x = part(y, 0), all[2];
    all[0] = saros_add(part(rate, 0), saros_mul(part(p, 0), x));
    all[1] = saros_sub(part(y, 1), saros_mul(part(p, 1), saros_mul(x, x)));
    return saros_concat(2, all, 0);
}
static const dae follows = {square, 2, 2, 5, {1.5, 0}, {0.7, 2}, {0, 0.3, 0.5, 0.9, 1.4}};

START_TEST(algebraic_unknowns_have_the_derivatives_of_closed_form) {
    const saros_ida_options few = {.rtol = 1e-9, .atol = 1e-11, .checkpoint = 7};
    fixture f;
    double number, backward[2][3], forward[2][3], sum = 0, by_x = 0, by_p = 0, by_q = 0;
    open_fixture(&follows, &few, &f);
    both_ways(&f, weighted(&f), &number, backward, forward);
    for (int j = 0; j < 5; ++j) { /* the start too: z there is not the guess */
        const double t = follows.time[j], x = 1.5 * exp(-0.7 * t), z = 2 * x * x;
        const double a = 1 + 0.3 * cos(4.0 * j), b = 1 + 0.3 * cos(4.0 * j + 2);
        sum += a * x + b * z;
        by_x += a * x / 1.5 + 2 * b * z / 1.5;
        by_p += -t * (a * x + 2 * b * z);
        by_q += b * z / 2;
    }
    const double want[2][2] = {{by_x, 0}, {by_p, by_q}};
    ck_near(number, sum, 1e-7);
    for (int k = 0; k < 2; ++k)
        for (int i = 0; i < 2; ++i) {
            if (getenv("SAROS_SHOW"))
                fprintf(stderr, "follows: backwards off by %.1e, forwards by %.1e\n",
                        backward[k][i] - want[k][i], forward[k][i] - want[k][i]);
            ck_near(backward[k][i], want[k][i], 1e-6);
            ck_near(forward[k][i], want[k][i], 1e-6);
        }
    close_fixture(&f);
}
END_TEST

/* (1 + p1 y1^2 + t) y1' + y2' / 2 = -y1, y2' + y1' y2 / 4 = -p2 y2: masses that hang on state and
 * time, and are not diagonal */
static saros_value heavy(saros_value t, saros_value y, saros_value rate, saros_value p) {
    saros_value a = part(y, 0), b = part(y, 1), all[2];
    saros_value m = saros_add(saros_add(saros_like(a, 1), saros_mul(part(p, 0), saros_mul(a, a))),
                              saros_reshape(t, 1, (int64_t[]){1}));
    all[0] = saros_add(
        saros_add(saros_mul(m, part(rate, 0)), saros_mul(saros_like(a, 0.5), part(rate, 1))), a);
    all[1] = saros_add(
        saros_add(part(rate, 1), saros_mul(saros_mul(saros_like(a, 0.25), b), part(rate, 0))),
        saros_mul(part(p, 1), b));
    return saros_concat(2, all, 0);
}
static const dae massive = {heavy, 2, 2, 4, {1, 2}, {0.8, 1.3}, {0, 0.5, 1.1, 2}};

START_TEST(masses_may_hang_on_the_state) {
    fixture f;
    double number, backward[2][3], forward[2][3];
    open_fixture(&massive, &(saros_ida_options){.rtol = 1e-9, .atol = 1e-11}, &f);
    both_ways(&f, weighted(&f), &number, backward, forward);
    for (int k = 0; k < 2; ++k)
        for (int i = 0; i < 2; ++i) {
            if (getenv("SAROS_SHOW"))
                fprintf(stderr, "massive: %.9g backwards, off from forwards by %.1e\n",
                        backward[k][i], backward[k][i] - forward[k][i]);
            ck_near(backward[k][i], forward[k][i], 1e-6);
            ck_assert(fabs(forward[k][i]) > 0.05);
        }
    close_fixture(&f);
}
END_TEST

/* y' + y'^3/10 = -p y is not affine in y'. */
static saros_value bent(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    saros_value cube = saros_mul(saros_like(y, 0.1), saros_power(rate, 3));
    return saros_add(saros_add(rate, cube), saros_mul(p, y));
}
static saros_value rootless(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    (void)rate;
    return saros_add(saros_mul(y, y), p);
}

START_TEST(what_fails_says_why) {
    const dae bends = {bent, 1, 1, 2, {1}, {1}, {0, 1}},
              none = {rootless, 1, 1, 2, {1}, {1}, {0, 1}};
    fixture f;
    saros_value of[2], again, one, y;
    saros_tensor *out[2] = {NULL};
    open_fixture(&bends, &fine, &f);
    y = entry(&f, 1, 0);
    saros_vjp(1, &y, NULL, 1, &f.in[1], &of[0]);
    one = saros_constant(f.g, f.at[1]);
    saros_jvp(1, &y, 1, &f.in[1], &one, &of[1]);
    ck_ok(call(&f, 1, &of[1], out)); /* forwards it goes */
    saros_tensor_release(out[0]);
    out[0] = NULL;
    ck_fails(call(&f, 1, of, out), SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "affine"));
    of[1] = saros_sum(of[1], (1u << saros_value_rank(of[1])) - 1);
    saros_vjp(1, &of[1], NULL, 1, &f.in[1], &again);
    ck_assert(saros_is_poisoned(again));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "ida"));
    close_fixture(&f);
    open_fixture(&none, &fine, &f);
    y = entry(&f, 0, 0);
    ck_fails(call(&f, 1, &y, out), SAROS_ERR_NOT_CONVERGED);
    close_fixture(&f);
}
END_TEST

START_TEST(memory_of_gradients_is_flat) {
    int64_t held = 0;
    for (int round = 0; round < 4; ++round) {
        fixture f;
        double number, backward[2][3], forward[2][3];
        open_fixture(&follows, &(saros_ida_options){.checkpoint = 5}, &f);
        both_ways(&f, weighted(&f), &number, backward, forward);
        close_fixture(&f);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/ida_march", stiff_gradients_reach_their_references,
                the_gradient_is_that_of_the_ordinary_form,
                algebraic_unknowns_have_the_derivatives_of_closed_form,
                masses_may_hang_on_the_state, what_fails_says_why, memory_of_gradients_is_flat)
