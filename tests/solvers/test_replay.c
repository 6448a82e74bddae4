/** Replays of adaptive runs inside a graph: the numbers of the run, their derivatives, and how
 * accurate these are. */
#include "adaptive_run.h"

typedef struct replay {
    saros_graph *g;
    saros_value in[5], final, kept;
    saros_tensor *at[5];
} replay;

/* A march over given steps: inputs y0, times, counts, h, p. */
static replay replay_make(const problem *of, const char *name, const saros_steps *steps) {
    replay f = {0};
    ck_ok(saros_graph_make(&f.g));
    f.at[0] = vector(of->n, of->start), f.at[1] = vector(of->times, of->time);
    f.at[4] = vector(of->parameters, of->p);
    ck_ok(saros_steps_tensors(steps, &f.at[2], &f.at[3]));
    for (int k = 0; k < 5; ++k) {
        saros_type type = saros_tensor_type(f.at[k]);
        f.in[k] = saros_input(f.g, &type, NULL);
    }
    context c = {of, f.in[4]};
    saros_march(f.g,
                &(saros_march_spec){.integrator = saros_integrator_find(name),
                                    .y0 = f.in[0],
                                    .times = f.in[1],
                                    .steps = f.in[2],
                                    .bound = steps->most,
                                    .h = f.in[3],
                                    .rate = rate,
                                    .user = &c},
                &f.final, &f.kept);
    return f;
}

static void replay_free(replay *f) {
    for (int k = 0; k < 5; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

START_TEST(a_replay_gives_the_numbers_of_the_run) {
    const problem *const of[2] = {&smooth, &stiff};
    for (int k = 0; k < ADAPTIVE + STIFF; ++k) {
        record r = {0};
        ck_ok(run(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], NULL, &r));
        replay f = replay_make(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], &r.steps);
        saros_function *function = NULL;
        saros_tensor *out = NULL;
        ck_ok(saros_compile(f.g, 5, f.in, 1, &f.kept, NULL, &function));
        ck_ok(saros_function_call(function, f.at, &out, NULL));
        const double *kept = saros_tensor_const_data(out);
        for (int j = 0; j < 2; ++j)
            for (int i = 0; i < of[k / ADAPTIVE]->n; ++i)
                ck_near(kept[j * of[k / ADAPTIVE]->n + i], r.state[j + 1][i], 1e-13);
        saros_tensor_release(out);
        saros_function_release(function);
        replay_free(&f);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* J = sum of squares at both outputs; dJ/dp by reverse mode, then J at p (1 +- e). */
static void differences(replay *f, const problem *of, double *gradient, double *difference) {
    saros_value j = saros_sum(saros_power(f->kept, 2), 3), both[2] = {j};
    saros_function *function = NULL;
    double e = 1e-3 * of->p[0], value[4];
    saros_vjp(1, &j, NULL, 1, &f->in[4], &both[1]);
    ck_ok(saros_compile(f->g, 5, f->in, 2, both, NULL, &function));
    for (int k = 0; k < 5; ++k) {
        saros_tensor *out[2] = {NULL};
        static const double moved[] = {-1, -0.5, 0.5, 1, 0};
        ((double *)saros_tensor_data(f->at[4]))[0] = of->p[0] + moved[k] * e;
        ck_ok(saros_function_call(function, f->at, out, NULL));
        if (k < 4) ck_ok(saros_tensor_item(out[0], &value[k]));
        *gradient = *(const double *)saros_tensor_const_data(out[1]);
        for (int i = 0; i < 2; ++i) saros_tensor_release(out[i]);
    }
    double wide = (value[3] - value[0]) / (2 * e), half = (value[2] - value[1]) / e;
    *difference = (4 * half - wide) / 3;
    saros_function_release(function);
}

START_TEST(gradients_are_those_of_the_replayed_numbers) {
    const problem *const of[2] = {&smooth, &stiff};
    for (int k = 0; k < ADAPTIVE + STIFF; ++k) {
        record r = {0};
        double gradient, difference;
        ck_ok(run(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], NULL, &r));
        replay f = replay_make(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], &r.steps);
        differences(&f, of[k / ADAPTIVE], &gradient, &difference);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "%s: gradient %.12g, differences off by %.1e\n", adaptive[k % ADAPTIVE],
                    gradient, difference / gradient - 1);
        ck_near(gradient / difference, 1, 1e-9);
        if (k < ADAPTIVE) {
            saros_gradient_report report;
            saros_value j = saros_sum(saros_power(f.kept, 2), 3);
            ck_ok(saros_check_gradient(j, 2, (saros_value[]){f.in[0], f.in[4]}, 5, f.in, f.at, 11,
                                       &report));
            ck_assert(report.passed);
        }
        replay_free(&f);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* y1 at output j and its derivative by p1, by reverse mode and by forward mode. */
static void first_unknown(replay *f, int64_t j, double got[3]) {
    saros_function *function = NULL;
    saros_tensor *out[3] = {NULL};
    saros_value row = saros_slice(f->kept, 0, j, j + 1, 1), value[3];
    value[0] = saros_sum(saros_slice(row, 1, 0, 1, 1), 3);
    saros_vjp(1, value, NULL, 1, &f->in[4], &value[1]);
    saros_tensor *along = vector(3, (double[]){1, 0, 0});
    saros_value direction = saros_constant(f->g, along);
    saros_jvp(1, value, 1, &f->in[4], &direction, &value[2]);
    ck_ok(saros_compile(f->g, 5, f->in, 3, value, NULL, &function));
    ck_ok(saros_function_call(function, f->at, out, NULL));
    for (int k = 0; k < 3; ++k) got[k] = *(const double *)saros_tensor_const_data(out[k]);
    for (int k = 0; k < 3; ++k) saros_tensor_release(out[k]);
    saros_tensor_release(along);
    saros_function_release(function);
}

/* references.md: y1 and dy1/dp1 at t = .4 and 4, of which nine digits are given: adjoint and
 * tangent of the adaptive run are as accurate as it is. */
START_TEST(stiff_sensitivities_are_as_accurate_as_the_run) {
    static const double exact[2][2] = {{.98517211386098, -.355952566},
                                       {.90551867858425, -1.876082174}};
    record r = {0};
    ck_ok(run(&stiff, "sdirk", &(saros_adapt_options){.rtol = 1e-10, .atol = 1e-14}, &r));
    replay f = replay_make(&stiff, "sdirk", &r.steps);
    for (int j = 0; j < 2; ++j) {
        double got[3];
        first_unknown(&f, j, got);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "robertson: %lld steps, y1 off by %.1e, dy1/dp1 by %.1e and %.1e\n",
                    (long long)r.steps.total, got[0] / exact[j][0] - 1, got[1] / exact[j][1] - 1,
                    got[2] / exact[j][1] - 1);
        ck_near(got[0] / exact[j][0], 1, 1e-9);
        ck_near(got[1] / exact[j][1], 1, 1e-7);
        ck_near(got[2] / got[1], 1, 1e-10);
    }
    replay_free(&f);
    saros_steps_clear(&r.steps);
}
END_TEST

START_TEST(gradients_agree_with_fine_equal_steps) {
    double adapted, fine, unused;
    record r = {0};
    ck_ok(run(&smooth, "dopri5", &(saros_adapt_options){.rtol = 1e-9, .atol = 1e-9}, &r));
    replay f = replay_make(&smooth, "dopri5", &r.steps);
    differences(&f, &smooth, &adapted, &unused);
    replay_free(&f);
    saros_steps_clear(&r.steps);
    enum { STEPS = 2000 };
    int64_t count[2] = {STEPS, STEPS};
    double h[2 * STEPS];
    for (int i = 0; i < 2 * STEPS; ++i) h[i] = (i < STEPS ? 0.7 : 2.3) / STEPS;
    f = replay_make(
        &smooth, "rk4",
        &(saros_steps){.intervals = 2, .most = STEPS, .total = 2 * STEPS, .count = count, .h = h});
    differences(&f, &smooth, &fine, &unused);
    replay_free(&f);
    ck_near(adapted / fine, 1, 1e-7);
}
END_TEST

/* A choice of steps in the graph and the march over them: inputs y0, times, p. */
START_TEST(steps_chosen_in_the_graph_are_those_of_a_run) {
    const problem *const of[2] = {&smooth, &stiff};
    for (int k = 0; k < ADAPTIVE + STIFF; ++k) {
        const problem *p = of[k / ADAPTIVE];
        const saros_adapt_options options = {.rtol = 1e-8, .atol = 1e-10};
        record r = {0};
        ck_ok(run(p, adaptive[k % ADAPTIVE], &options, &r));
        replay f = replay_make(p, adaptive[k % ADAPTIVE], &r.steps);
        context c = {p, f.in[4]};
        saros_march_spec spec = {.integrator = saros_integrator_find(adaptive[k % ADAPTIVE]),
                                 .y0 = f.in[0],
                                 .times = f.in[1],
                                 .bound = 5000,
                                 .rate = rate,
                                 .user = &c};
        saros_value out[6] = {f.kept}, *j = out + 2;
        saros_adapt_steps(f.g, &spec, &options, &spec.steps, &spec.h);
        saros_march(f.g, &spec, &f.final, &out[1]);
        for (int i = 0; i < 2; ++i) {
            j[i] = saros_sum(saros_power(out[i], 2), 3);
            saros_vjp(1, &j[i], NULL, 1, &f.in[4], &j[2 + i]);
        }
        saros_function *function = NULL;
        saros_tensor *got[6] = {NULL};
        ck_ok(saros_compile(f.g, 5, f.in, 6, out, NULL, &function));
        ck_ok(saros_function_call(function, f.at, got, NULL));
        for (int i = 0; i < 6; i += 2)
            for (int64_t e = 0; e < saros_tensor_count(got[i]); ++e)
                ck_near(((const double *)saros_tensor_const_data(got[i]))[e],
                        ((const double *)saros_tensor_const_data(got[i + 1]))[e], 1e-12);
        for (int i = 0; i < 6; ++i) saros_tensor_release(got[i]);
        saros_function_release(function);
        replay_free(&f);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

START_TEST(choices_that_cannot_be_made_are_refused) {
    const problem *p = &smooth;
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type state = saros_type_make(SAROS_F64, 1, &p->n),
               times = saros_type_make(SAROS_F64, 1, &p->times),
               one = saros_type_make(SAROS_F64, 1, (int64_t[]){1});
    saros_value in[3] = {saros_input(g, &state, "y0"), saros_input(g, &times, "times"),
                         saros_input(g, &one, "p")};
    context c = {p, in[2]};
    saros_march_spec spec = {.integrator = saros_integrator_find("dopri5"),
                             .y0 = in[0],
                             .times = in[1],
                             .bound = 4,
                             .rate = rate,
                             .user = &c};
    saros_value out[2];
    saros_function *function = NULL;
    saros_adapt_steps(g, &spec, &(saros_adapt_options){.rtol = 1e-10}, &out[0], &out[1]);
    ck_ok(saros_compile(g, 3, in, 2, out, NULL, &function));
    saros_tensor *at[3] = {vector(2, p->start), vector(3, p->time), vector(1, p->p)},
                 *got[2] = {NULL};
    ck_fails(saros_function_call(function, at, got, NULL), SAROS_ERR_NOT_CONVERGED);
    saros_adapt_steps(g, &spec, &(saros_adapt_options){.events = 1}, &out[0], &out[1]);
    ck_assert(saros_is_poisoned(out[0]) && saros_is_poisoned(out[1]));
    spec.integrator = saros_integrator_find("rk4");
    saros_adapt_steps(g, &spec, &(saros_adapt_options){.rtol = 1e-10}, &out[0], &out[1]);
    ck_assert(saros_is_poisoned(out[0]) && saros_is_poisoned(out[1]));
    for (int k = 0; k < 3; ++k) saros_tensor_release(at[k]);
    saros_function_release(function);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("solvers/replay", a_replay_gives_the_numbers_of_the_run,
                gradients_are_those_of_the_replayed_numbers,
                stiff_sensitivities_are_as_accurate_as_the_run,
                gradients_agree_with_fine_equal_steps, steps_chosen_in_the_graph_are_those_of_a_run,
                choices_that_cannot_be_made_are_refused)
