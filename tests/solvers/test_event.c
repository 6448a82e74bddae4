/** Events: where they are found, the march through them and its derivatives, against closed forms
 * and by the checks of gradients. */
#include "adaptive_run.h"

#include "saros/event.h"
#include "saros/memory.h"

/* A problem with an event; times as in `base`. */
typedef struct eventful {
    problem base;
    builder zero, change;
    int direction;
    bool ends;
} eventful;

/* A ball: y = (height, speed), p = (gravity, part of the speed that it keeps). */
static saros_value ball(saros_value t, saros_value y, saros_value p) {
    (void)t;
    saros_value both[2] = {part(y, 1), saros_neg(part(p, 0))};
    return saros_concat(2, both, 0);
}
static saros_value height(saros_value t, saros_value y, saros_value p) {
    (void)t;
    (void)p;
    return saros_reshape(part(y, 0), 0, NULL);
}
static saros_value bounce(saros_value t, saros_value y, saros_value p) {
    (void)t;
    saros_value both[2] = {part(y, 0), saros_neg(saros_mul(part(p, 1), part(y, 1)))};
    return saros_concat(2, both, 0);
}

/* Decay with doses: y' = -k y; when y falls to c it becomes c + d. p = (k, c, d). */
static saros_value decay(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_neg(saros_mul(part(p, 0), y));
}
static saros_value level(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_reshape(saros_sub(y, part(p, 1)), 0, NULL);
}
static saros_value dose(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_add(y, part(p, 2));
}

/* ln 2 is where the first dose falls due: an output time within rounding of an event. */
#define DUE 0.69314718055994531
static const eventful falling = {
    {ball, 2, 2, 4, {1, 0}, {9.81, 0.8}, {0, 0.2, 0.6, 1.2}}, height, bounce, -1, false};
static const eventful dosed = {
    {decay, 1, 3, 5, {1}, {1, 0.5, 0.4}, {0, 0.3, DUE, 0.9, 1.6}}, level, dose, 0, false};
static const eventful until = {
    {decay, 1, 3, 3, {1}, {1, 0.5, 0}, {0, 0.4, 5}}, level, NULL, -1, true};
static const eventful noted = {
    {decay, 1, 3, 3, {1}, {1, 0.5, 0}, {0, 0.4, 5}}, level, NULL, 0, false};

typedef struct call {
    const eventful *of;
    saros_value p;
} call;

static saros_status build_rate(saros_graph *g, saros_value t, saros_value y, void *user,
                               saros_value *out) {
    (void)g;
    const call *c = user;
    *out = c->of->base.build(t, y, c->p);
    return SAROS_OK;
}
static saros_status build_zero(saros_graph *g, saros_value t, saros_value y, void *user,
                               saros_value *out) {
    (void)g;
    const call *c = user;
    *out = c->of->zero(t, y, c->p);
    return SAROS_OK;
}
static saros_status build_change(saros_graph *g, saros_value t, saros_value y, void *user,
                                 saros_value *out) {
    (void)g;
    const call *c = user;
    *out = c->of->change(t, y, c->p);
    return SAROS_OK;
}

/* (t, y, p) -> what `build` says */
static saros_function *compiled(const problem *of, builder build) {
    saros_graph *g = NULL;
    saros_function *function = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type[3] = {saros_type_scalar(SAROS_F64), saros_type_make(SAROS_F64, 1, &of->n),
                          saros_type_make(SAROS_F64, 1, &of->parameters)};
    saros_value in[3], out;
    for (int k = 0; k < 3; ++k) in[k] = saros_input(g, &type[k], NULL);
    out = build(in[0], in[1], in[2]);
    ck_ok(saros_compile(g, 3, in, 1, &out, NULL, &function));
    saros_graph_release(g);
    return function;
}

static saros_status run_eventful(const eventful *of, const char *name, int64_t most, record *r) {
    const saros_integrator *integrator = saros_integrator_find(name);
    const problem *p = &of->base;
    saros_function *step = step_of(p, integrator), *zero = compiled(p, of->zero);
    saros_function *change = of->change ? compiled(p, of->change) : NULL;
    saros_tensor *y0 = vector(p->n, p->start), *list = vector(p->parameters, p->p);
    const saros_event_functions event = {zero, change, of->direction, of->ends};
    saros_status status = saros_adapt(
        step, integrator, 1, &list, y0, (int)p->times, p->time,
        &(saros_adapt_options){
            .rtol = 1e-8, .atol = 1e-8, .event = &event, .events = 1, .most_events = most},
        output, NULL, r, &r->steps, &r->info);
    saros_tensor_release(y0);
    saros_tensor_release(list);
    saros_function_release(step);
    saros_function_release(zero);
    saros_function_release(change);
    return status;
}

/* ---- runs ---- */

START_TEST(bounces_are_where_they_are) {
    for (int k = 0; k < ADAPTIVE; ++k) {
        record r = {0};
        ck_ok(run_eventful(&falling, adaptive[k], 0, &r));
        /* down in sqrt(2/g), then up and down with 0.8, 0.64 … of the speed */
        const double down = sqrt(2 / 9.81);
        const double at[2] = {down, down * (1 + 2 * 0.8)};
        ck_assert_int_eq(r.steps.events, 2);
        for (int i = 0; i < 2; ++i) ck_near(r.steps.event[i].t, at[i], 1e-7);
        const double since = 1.2 - at[1], speed = 0.64 * 9.81 * down;
        ck_near(r.state[3][0], speed * since - 9.81 * since * since / 2, 1e-6);
        ck_assert_int_eq(r.count, 4);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

START_TEST(runs_end_at_events_and_outputs_are_hit_before) {
    for (int k = 0; k < ADAPTIVE; ++k) {
        record r = {0};
        ck_ok(run_eventful(&until, adaptive[k], 0, &r));
        ck_assert(r.steps.ended);
        ck_assert_int_eq(r.count, 3);
        ck_near(r.time[2], log(2), 1e-7);
        ck_near(r.state[1][0], exp(-0.4), 1e-7);
        ck_near(r.state[2][0], 0.5, 1e-14);
        ck_near(r.info.last_time, r.time[2], 0);
        saros_steps_clear(&r.steps);
        r = (record){0};
        ck_ok(run_eventful(&noted, adaptive[k], 0, &r));
        ck_assert_int_eq(r.steps.events, 1);
        ck_near(r.state[2][0], exp(-5), 1e-7);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

START_TEST(events_that_gather_are_an_error) {
    eventful ever = falling;
    record r = {0};
    ever.base.time[3] = 5; /* after 9 down, all bounces are over */
    ck_fails(run_eventful(&ever, "dopri5", 20, &r), SAROS_ERR_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "20 events"));
    ck_assert_str_eq(saros_error_last()->where, "dopri5");
}
END_TEST

/* ---- marches ---- */

typedef struct march {
    saros_graph *g;
    saros_value in[3], final, kept, time, state;
    saros_tensor *at[3];
    call c;
} march;

/* Inputs y0, times, p; the march is to be appended. */
static void march_inputs(const problem *p, march *m) {
    ck_ok(saros_graph_make(&m->g));
    m->at[0] = vector(p->n, p->start), m->at[1] = vector(p->times, p->time);
    m->at[2] = vector(p->parameters, p->p);
    for (int k = 0; k < 3; ++k) {
        saros_type type = saros_tensor_type(m->at[k]);
        m->in[k] = saros_input(m->g, &type, NULL);
    }
    m->c.p = m->in[2];
}

static void march_append(const char *name, const saros_steps *steps, const saros_event_spec *event,
                         march *m) {
    saros_march_events(m->g,
                       &(saros_march_spec){.integrator = saros_integrator_find(name),
                                           .y0 = m->in[0],
                                           .times = m->in[1],
                                           .rate = build_rate,
                                           .user = &m->c},
                       event, steps, &m->final, &m->kept, &m->time, &m->state);
    ck_ok(saros_graph_status(m->g));
}

static void march_open(const eventful *of, const char *name, const saros_steps *steps, march *m) {
    *m = (march){.c = {.of = of}};
    march_inputs(&of->base, m);
    march_append(name, steps,
                 &(saros_event_spec){build_zero, of->change ? build_change : NULL, &m->c}, m);
}

static void march_close(march *m) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(m->at[k]);
    saros_graph_release(m->g);
}

/* `value` and its gradient by p. */
static void gradient_of(march *m, saros_value value, double *number, double *gradient) {
    saros_value both[2] = {saros_sum(value, (1u << saros_value_rank(value)) - 1)};
    saros_function *function = NULL;
    saros_tensor *out[2] = {NULL};
    saros_vjp(1, &both[0], NULL, 1, &m->in[2], &both[1]);
    ck_ok(saros_compile(m->g, 3, m->in, 2, both, NULL, &function));
    ck_ok(saros_function_call(function, m->at, out, NULL));
    ck_ok(saros_tensor_item(out[0], number));
    memcpy(gradient, saros_tensor_const_data(out[1]),
           (size_t)saros_tensor_count(out[1]) * sizeof *gradient);
    for (int k = 0; k < 2; ++k) saros_tensor_release(out[k]);
    saros_function_release(function);
}

/* t = -log(c)/k: dt/dk = -t/k, dt/dc = -1/(k c) */
START_TEST(event_times_have_derivatives) {
    const eventful *const of[2] = {&until, &noted};
    for (int k = 0; k < 2 * ADAPTIVE; ++k) {
        record r = {0};
        march m;
        double time, gradient[3];
        ck_ok(run_eventful(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], 0, &r));
        march_open(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], &r.steps, &m);
        gradient_of(&m, m.time, &time, gradient);
        ck_near(time, r.steps.event[0].t, 1e-12);
        ck_near(gradient[0], -log(2), 1e-6);
        ck_near(gradient[1], -2, 1e-6);
        ck_near(gradient[2], 0, 1e-15);
        if (k < ADAPTIVE) { /* the state there is c, whatever k is */
            gradient_of(&m, m.final, &time, gradient);
            ck_near(gradient[0], 0, 1e-12);
            ck_near(gradient[1], 1, 1e-12);
        }
        march_close(&m);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* Two doses until t = 1.6; with t1 = -log(c)/k and t2 = t1 + log((c + d)/c)/k the state is
 * (c + d) exp(-k (t - t2)). */
static double dosed_state(double t, const double *p) {
    double t1 = -log(p[1]) / p[0], t2 = t1 + log((p[1] + p[2]) / p[1]) / p[0];
    return (p[1] + p[2]) * exp(-p[0] * (t - (t < t2 ? t1 : t2)));
}

/* Event, output times (one of them within rounding of an event) and a parameter of rate, event and
 * change in one case: derivatives at the outputs that follow. */
START_TEST(outputs_after_events_have_the_right_derivatives) {
    for (int k = 0; k < ADAPTIVE; ++k) {
        record r = {0};
        march m;
        ck_ok(run_eventful(&dosed, adaptive[k], 0, &r));
        ck_assert_int_eq(r.steps.events, 2);
        march_open(&dosed, adaptive[k], &r.steps, &m);
        ck_assert_int_eq(saros_value_type(m.kept)->shape[0], 4);
        for (int64_t j = 2; j < 4; ++j) {
            double value, gradient[3];
            gradient_of(&m, saros_slice(m.kept, 0, j, j + 1, 1), &value, gradient);
            ck_near(value, r.state[j + 1][0], 1e-12);
            for (int i = 0; i < 3; ++i) {
                double p[3], e = 1e-5, side[2];
                for (int s = 0; s < 2; ++s) {
                    memcpy(p, dosed.base.p, sizeof p);
                    p[i] += s ? e : -e;
                    side[s] = dosed_state(dosed.base.time[j + 1], p);
                }
                ck_near(gradient[i], (side[1] - side[0]) / (2 * e), 2e-6);
            }
        }
        march_close(&m);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* The same derivatives are those of the numbers computed, forwards and backwards, by y0, output
 * times and p; Taylor remainders fall at their rates. */
START_TEST(marches_through_events_pass_the_checks) {
    const eventful *const of[3] = {&falling, &until, &noted};
    for (int k = 0; k < 3 * ADAPTIVE; ++k) {
        record r = {0};
        march m;
        saros_gradient_report report;
        ck_ok(run_eventful(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], 0, &r));
        march_open(of[k / ADAPTIVE], adaptive[k % ADAPTIVE], &r.steps, &m);
        saros_value value =
            saros_add(saros_sum(saros_power(m.final, 2), 1), saros_sum(saros_power(m.time, 2), 1));
        if (!of[k / ADAPTIVE]->ends) value = saros_add(value, saros_sum(saros_power(m.kept, 2), 3));
        ck_ok(saros_check_gradient(value, 3, m.in, 3, m.in, m.at, 11, &report));
        ck_assert(report.passed);
        march_close(&m);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* ---- several events ---- */

/* The ball turns where its speed is 0. */
static saros_value speed(saros_value t, saros_value y, saros_value p) {
    (void)t;
    (void)p;
    return saros_reshape(part(y, 1), 0, NULL);
}

enum { LIST = 3 };
static saros_status run_list(const char *name, saros_function *const zero[LIST],
                             saros_function *change, record *r) {
    const problem *p = &falling.base;
    const saros_event_functions event[LIST] = {
        {zero[0], change, -1, false}, {zero[1], NULL, -1, false}, {zero[2], NULL, -1, false}};
    saros_function *step = step_of(p, saros_integrator_find(name));
    saros_tensor *y0 = vector(p->n, p->start), *list = vector(p->parameters, p->p);
    saros_status status = saros_adapt(
        step, saros_integrator_find(name), 1, &list, y0, (int)p->times, p->time,
        &(saros_adapt_options){.rtol = 1e-8, .atol = 1e-8, .event = event, .events = LIST}, output,
        NULL, r, &r->steps, &r->info);
    saros_tensor_release(y0);
    saros_tensor_release(list);
    saros_function_release(step);
    return status;
}

/* Bounces, heights where it turns, and once more the bounces, noted alone: these fall together with
 * the first and come before them. The march through all meets them at the same times. */
START_TEST(several_events_are_met_in_turn) {
    const builder build[LIST] = {height, speed, height};
    const int which[] = {2, 0, 1, 2, 0};
    const double down = sqrt(2 / 9.81), up = 0.8 * down;
    const double at[] = {down, down, down + up, down + 2 * up, down + 2 * up};
    saros_function *zero[LIST], *change = compiled(&falling.base, bounce);
    for (int k = 0; k < LIST; ++k) zero[k] = compiled(&falling.base, build[k]);
    for (int k = 0; k < ADAPTIVE; ++k) {
        record r = {0};
        march m;
        double sum, gradient[2], total = 0;
        ck_ok(run_list(adaptive[k], zero, change, &r));
        ck_assert_int_eq(r.steps.events, 5);
        for (int i = 0; i < 5; ++i) {
            ck_assert_int_eq(r.steps.event[i].which, which[i]);
            ck_near(r.steps.event[i].t, at[i], 1e-7);
            if (which[i] == 1) ck_near(r.steps.event_state[2 * i], 0.64, 1e-6);
            total += at[i];
        }
        eventful each[LIST];
        call calls[LIST];
        saros_event_spec spec[LIST];
        m = (march){.c = {.of = &falling}};
        march_inputs(&falling.base, &m);
        for (int i = 0; i < LIST; ++i) {
            each[i] = falling;
            each[i].zero = build[i];
            calls[i] = (call){&each[i], m.in[2]};
            spec[i] = (saros_event_spec){build_zero, i ? NULL : build_change, &calls[i]};
        }
        march_append(adaptive[k], &r.steps, spec, &m);
        gradient_of(&m, m.time, &sum, gradient);
        ck_near(sum, total, 1e-6);
        ck_near(gradient[0], -total / (2 * 9.81), 1e-6); /* times go as 1/sqrt(g) */
        ck_near(gradient[1], 5 * down, 1e-5); /* one up and two twice up, by the part kept */
        march_close(&m);
        saros_steps_clear(&r.steps);
    }
    for (int k = 0; k < LIST; ++k) saros_function_release(zero[k]);
    saros_function_release(change);
}
END_TEST

START_TEST(memory_of_eventful_runs_is_flat) {
    int64_t held = 0;
    for (int round = 0; round < 6; ++round) {
        record r = {0};
        march m;
        double value, gradient[3];
        ck_ok(run_eventful(&dosed, "dopri5", 0, &r));
        march_open(&dosed, "dopri5", &r.steps, &m);
        gradient_of(&m, m.final, &value, gradient);
        march_close(&m);
        saros_steps_clear(&r.steps);
        r = (record){0};
        ck_fails(run_eventful(&dosed, "dopri5", 1, &r), SAROS_ERR_NOT_CONVERGED);
        if (round == 2) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/event", bounces_are_where_they_are,
                runs_end_at_events_and_outputs_are_hit_before, events_that_gather_are_an_error,
                event_times_have_derivatives, outputs_after_events_have_the_right_derivatives,
                marches_through_events_pass_the_checks, several_events_are_met_in_turn,
                memory_of_eventful_runs_is_flat)
