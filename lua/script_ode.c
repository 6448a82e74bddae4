/** saros.ode: y' = f(t, y, …) by bdf or adams (CVODES), or by one-step integrators with fixed steps
 * or with steps chosen by their errors. Inside a recording the gradient of the latter is that of
 * the numbers computed, steps being chosen once for the numbers in force; that of bdf and adams is
 * continuous: they must be named there.
 */
#include <math.h>
#include <string.h>

#include "saros/continuous.h"
#include "saros/stop.h"
#include "script_ode_impl.h"

#define FIELD(name) offsetof(script_ode_options, name)
static const saros_option rows[] = {
    {"integrator", SAROS_OPTION_TEXT, FIELD(integrator), "bdf", 0, 0, NULL, NULL,
     "bdf, adams (gradients continuous), or a one-step integrator (discrete): with dt, or by rtol; "
     "default inside transforms sdirk, with events rodas4",
     NULL},
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "1e-6", 0, 1, NULL, NULL,
     "relative tolerance where steps are chosen", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "1e-9", 0, 1e300, NULL, NULL,
     "absolute tolerance where steps are chosen", NULL},
    {"dt", SAROS_OPTION_NUMBER, FIELD(dt), "", 0, 1e300, NULL, NULL,
     "largest step of the one-step integrators: fixed steps", NULL},
    {"times", SAROS_OPTION_TIMES, FIELD(times), "", 0, 0, NULL, NULL,
     "list of times, the first is the start", NULL},
    {"max_steps", SAROS_OPTION_INTEGER, FIELD(max_steps), "100000", 1, 1e15, NULL, NULL,
     "between two times; where not given, inside transforms 100000 in all", NULL},
    {"max_events", SAROS_OPTION_INTEGER, FIELD(max_events), "10000", 1, 1e15, NULL, NULL,
     "of a run", NULL},
};
static const saros_option_table ode_table = {"ode", sizeof(script_ode_options), rows,
                                             sizeof rows / sizeof *rows, -1};

static bool is_cvode(const script_ode_options *o) {
    return !o->integrator || strcmp(o->integrator, "bdf") == 0 ||
           strcmp(o->integrator, "adams") == 0;
}

static bool has(lua_State *L, int index, const char *key) {
    const bool found = lua_getfield(L, index, key) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

static void read_options(lua_State *L, script_ode_options *o) {
    static const char *const also[] = {"args", "explicit", "events"};
    *o = (script_ode_options){0};
    if (!lua_istable(L, 3)) script_expected(L, 3, "options", "a table with times");
    script_options_read(L, 3, 4, &ode_table, o, "saros.ode", also, 3);
    if (!o->times.list || o->times.count < 2)
        script_fail(L, SAROS_ERR_USAGE, "times = {0, 1}",
                    "ode: times must be a list of at least two");
    for (int64_t k = 1; k < o->times.count; ++k)
        if (!(o->times.list[k] > o->times.list[k - 1]))
            script_fail(L, SAROS_ERR_DOMAIN, NULL, "ode: times must ascend, got %g after %g",
                        o->times.list[k], o->times.list[k - 1]);
    const bool events = has(L, 3, "events");
    if (events && !o->integrator) o->integrator = "rodas4";
    if (events && (is_cvode(o) || o->dt > 0))
        script_fail(L, SAROS_ERR_USAGE, "integrator = \"dopri5\" or \"rodas4\", without dt",
                    "ode: events need a one-step integrator that chooses its steps");
    if (is_cvode(o) && has(L, 3, "explicit"))
        script_fail(L, SAROS_ERR_USAGE, "integrator = \"imex\"",
                    "ode: bdf and adams take the rate in one part, not with explicit");
}

/** The one-step integrator that is named; NULL for bdf and adams. */
static const saros_integrator *find_integrator(lua_State *L, const script_ode_options *o) {
    if (is_cvode(o)) return NULL;
    const saros_integrator *found = saros_integrator_find(o->integrator);
    if (!found) script_raise(L);
    return found;
}

/** Whether steps are chosen by their errors. */
static bool chooses(const script_ode_options *o, const saros_integrator *integrator) {
    return !integrator || (integrator->estimate && !(o->dt > 0));
}

enum { DENSE_LIMIT = 64 };

/** Of few unknowns the Jacobian is dense; `out->sparsity` is to be released. */
static saros_status cvode_options(const script_ode_options *o, int64_t unknowns,
                                  saros_cvode_options *out) {
    *out = (saros_cvode_options){.adams = o->integrator && o->integrator[0] == 'a',
                                 .rtol = o->rtol,
                                 .atol = o->atol,
                                 .max_steps = o->max_steps};
    return unknowns <= DENSE_LIMIT ? saros_sparsity_dense(unknowns, &out->sparsity) : SAROS_OK;
}

/* ---- inside a recording ---- */

saros_status script_ode_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                             saros_value *rate) {
    return script_vector_rate(graph, t, y, ((script_ode *)user)->rate, rate);
}

saros_status script_ode_explicit(saros_graph *graph, saros_value t, saros_value y, void *user,
                                 saros_value *rate) {
    return script_vector_rate(graph, t, y, ((script_ode *)user)->explicit_, rate);
}

script_ode script_ode_read(lua_State *L, saros_value *y0) {
    script_ode ode = {0};
    read_options(L, &ode.options);
    ode.integrator = find_integrator(L, &ode.options);
    const int args = script_args_option(L, 3);
    ode.y = script_vector_read(L, 2, y0);
    ode.rate = script_vector_hold(L, 4, 1, &ode.y, args, "ode");
    if (lua_getfield(L, 3, "explicit") != LUA_TNIL) {
        script_check_function(L, lua_gettop(L), "explicit");
        ode.explicit_ = script_vector_hold(L, 4, lua_gettop(L), &ode.y, args, "explicit");
    } else if (ode.integrator && ode.integrator->splits) {
        script_fail(L, SAROS_ERR_USAGE, "explicit = function(t, y) … end, or sdirk",
                    "ode: %s takes a rate in two parts; the explicit one is not given",
                    ode.integrator->name);
    }
    script_ode_events_read(L, args, &ode);
    return ode;
}

/** Pushes a constant tensor made from numbers, kept in the anchor, and gives it as a value. */
static saros_value constant(lua_State *L, int anchor, saros_dtype dtype, int64_t n,
                            const void *data) {
    saros_tensor *t = NULL;
    script_check(L, saros_tensor_from(dtype, 1, &n, data, &t));
    script_push_tensor(L, t);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
    return saros_constant(script_state_of(L)->top->graph, t);
}

/** Steps of each interval, the largest number of them in `*bound`; kept in the anchor. */
static int64_t *count_steps(lua_State *L, const script_ode_options *o, int64_t *bound) {
    if (!(o->dt > 0))
        script_fail(L, SAROS_ERR_USAGE, "dt = …, or bdf", "ode: %s needs the step dt",
                    o->integrator);
    const int64_t m = o->times.count - 1;
    int64_t *steps = script_anchored(L, 4, sizeof *steps * (size_t)m);
    *bound = 1;
    for (int64_t k = 0; k < m; ++k) {
        const double count =
            fmax(1, ceil((o->times.list[k + 1] - o->times.list[k]) / o->dt * (1 - 1e-12)));
        if (!(count < 1e15))
            script_fail(L, SAROS_ERR_DOMAIN, "raise dt",
                        "ode: %g steps of dt = %g between t = %g and %g", count, o->dt,
                        o->times.list[k], o->times.list[k + 1]);
        steps[k] = (int64_t)count;
        if (steps[k] > *bound) *bound = steps[k];
    }
    return steps;
}

/** The states after the start, by fixed steps. */
static saros_value march_steps(lua_State *L, script_ode *ode, saros_value y0) {
    const script_ode_options *o = &ode->options;
    int64_t bound, *steps = count_steps(L, o, &bound), m = o->times.count - 1;
    saros_value final, kept;
    saros_march_spec spec = {.integrator = ode->integrator,
                             .y0 = y0,
                             .times = constant(L, 4, SAROS_F64, m + 1, o->times.list),
                             .steps = constant(L, 4, SAROS_I64, m, steps),
                             .bound = bound,
                             .rate = script_ode_rate,
                             .explicit_rate = ode->explicit_ ? script_ode_explicit : NULL,
                             .user = ode};
    saros_march(y0.graph, &spec, &final, &kept);
    return kept;
}

/** The same by CVODES. */
static saros_value march_cvode(lua_State *L, script_ode *ode, saros_value y0) {
    const script_ode_options *o = &ode->options;
    saros_cvode_march_spec spec = {.y0 = y0,
                                   .times = (int)o->times.count,
                                   .time = o->times.list,
                                   .rate = script_ode_rate,
                                   .user = ode};
    const int64_t n = saros_value_type(y0)->shape[0];
    script_check(L, cvode_options(o, n, &spec.options));
    saros_value kept = saros_cvode_march(y0.graph, &spec);
    saros_sparsity_release(spec.options.sparsity);
    return kept;
}

static int march_core(lua_State *L) {
    lua_settop(L, 4);
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    saros_value y0;
    script_ode ode = script_ode_read(L, &y0);
    if (!ode.options.integrator) ode.integrator = saros_integrator_find("sdirk");
    if (y0.graph != graph) y0 = script_alias(L, y0);
    if (ode.integrator && chooses(&ode.options, ode.integrator))
        return script_ode_march(L, &ode, y0);
    saros_value kept = ode.integrator ? march_steps(L, &ode, y0) : march_cvode(L, &ode, y0);
    if (saros_is_poisoned(kept)) script_push_value(L, kept, false); /* raises */
    saros_value all[2] = {saros_reshape(y0, 2, (int64_t[]){1, ode.y.size}), kept};
    script_vector_push(L, &ode.y, saros_concat(2, all, 0));
    return 1;
}

/* ---- numbers ---- */

/** What is kept of an integration. */
typedef struct outputs {
    double *row; /* next row of the result */
    int64_t n, count;
} outputs;

static saros_status keep(double t, saros_tensor *y, void *user) {
    outputs *o = user;
    (void)t;
    memcpy(o->row + o->n * o->count++, saros_tensor_const_data(y), sizeof(double) * (size_t)o->n);
    return SAROS_OK;
}

static bool stop(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

/** Compiled rate and Jacobian product into the functions at 5, in a recording of its own. */
static int record_rate(lua_State *L) {
    saros_graph *graph = script_state_of(L)->top->graph;
    saros_function **to = lua_touserdata(L, 5);
    script_ode ode = script_ode_read(L, NULL);
    saros_type scalar = saros_type_scalar(SAROS_F64),
               vector = saros_type_make(SAROS_F64, 1, &ode.y.size);
    saros_value in[3] = {saros_input(graph, &scalar, "t"), saros_input(graph, &vector, "y"),
                         saros_input(graph, &vector, "v")};
    saros_value rate[2];
    script_check(L, script_ode_rate(graph, in[0], in[1], &ode, &rate[0]));
    saros_jvp(1, &rate[0], 1, &in[1], &in[2], &rate[1]);
    rate[1] = saros_instantiate(rate[1], rate[0]);
    for (int k = 0; k < 2; ++k) {
        saros_function **slot = script_function_slot(L);
        lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
        script_check(L, saros_compile(graph, 2 + k, in, 1, &rate[k],
                                      &(saros_compile_options){.name = "ode"}, slot));
        to[k] = *slot;
    }
    return 0;
}

/** The same for steps chosen by their errors. */
static int record_step(lua_State *L) {
    script_ode_functions *to = lua_touserdata(L, 5);
    script_ode ode = script_ode_read(L, NULL);
    script_ode_compile(L, &ode, to);
    return 0;
}

/** Calls `record` in a recording of its own with (f, y0, options, anchor, to). */
static void record_alone(lua_State *L, lua_CFunction record, void *to) {
    lua_pushcfunction(L, record);
    for (int k = 1; k <= 4; ++k) lua_pushvalue(L, k);
    lua_pushlightuserdata(L, to);
    script_trace *trace = script_trace_root(L);
    saros_status status = script_call(L, 5, 0);
    script_trace_close(L, trace);
    script_check(L, status);
}

/** Pushes y0 as one f64 vector. */
static saros_tensor *push_start(lua_State *L, const script_vector *y) {
    saros_tensor *start = NULL;
    script_check(L, saros_tensor_make(SAROS_F64, 1, &y->size, &start));
    script_push_tensor(L, start);
    double *to = saros_tensor_data(start);
    lua_newtable(L);
    script_tree_flatten(L, y->tree, lua_gettop(L));
    for (int k = 0; k < y->leaves; ++k) {
        lua_rawgeti(L, -1, k + 1);
        saros_tensor *part = script_tensor_at(L, -1, "y0"), *plain = NULL;
        script_check(L, saros_tensor_cast(part, SAROS_F64, &plain));
        memcpy(to, saros_tensor_const_data(plain),
               sizeof(double) * (size_t)saros_tensor_count(plain));
        to += saros_tensor_count(plain);
        saros_tensor_release(plain);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return start;
}

static void solve_cvode(lua_State *L, const script_ode_options *o, int64_t n, saros_tensor *start,
                        outputs *out) {
    saros_function *f[2] = {NULL};
    saros_cvode_options options;
    record_alone(L, record_rate, f);
    script_check(L, cvode_options(o, n, &options));
    saros_status status =
        saros_cvode_solve(f[0], options.adams ? NULL : f[1], 0, NULL, start, (int)o->times.count,
                          o->times.list, &options, keep, stop, out, NULL);
    saros_sparsity_release(options.sparsity);
    script_check(L, status);
}

/** By CVODES, or by steps of `integrator` that are chosen by their errors. */
static int solve_numbers(lua_State *L, const script_ode_options *o,
                         const saros_integrator *integrator) {
    script_vector y = script_vector_read(L, 2, NULL);
    saros_tensor *start = push_start(L, &y), *all = NULL;
    script_check(L, saros_tensor_make(SAROS_F64, 2, (int64_t[]){o->times.count, y.size}, &all));
    script_push_tensor(L, all);
    outputs out = {.row = saros_tensor_data(all), .n = y.size};
    if (!integrator) {
        solve_cvode(L, o, y.size, start, &out);
        script_ode_push_rows(L, &y, out.count, all, 0);
        return 1;
    }
    script_ode_functions f = {0};
    record_alone(L, record_step, &f);
    const saros_steps *steps = script_ode_run(L, o, integrator, &f, start, keep, &out);
    /* the last output of a run that an event ended is that event */
    script_ode_push_rows(L, &y, out.count - steps->ended, all, 0);
    if (f.events) script_ode_events_push(L, &y, steps, NULL, NULL);
    return 1 + (f.events > 0);
}

static bool any_traced(lua_State *L, int index) {
    bool traced = false;
    lua_newtable(L);
    script_tree_flatten(L, index, lua_gettop(L));
    int n = (int)lua_rawlen(L, -1);
    for (int k = 1; k <= n && !traced; ++k) {
        lua_rawgeti(L, -1, k);
        traced = script_is_traced(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return traced;
}

static int solver_ode(lua_State *L) {
    script_ode_options o;
    script_check_function(L, 1, "f");
    lua_settop(L, 3);
    lua_newtable(L);
    read_options(L, &o);
    script_before_work(L);
    const saros_integrator *integrator = find_integrator(L, &o);
    const script_trace *top = script_state_of(L)->top;
    /* one-step integrators in a recording are marched there: f may know its values */
    const bool marched = top && integrator && (top->owned || !has(L, 3, "events"));
    if (chooses(&o, integrator) && !marched &&
        (!top || (o.integrator && !any_traced(L, 2) && !any_traced(L, 3))))
        return solve_numbers(L, &o, integrator);
    script_transform_push(L, march_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, LUA_MULTRET);
    return lua_gettop(L);
}

static const script_entry entries[] = {
    {"ode", "f, y0, options", "any",
     "y at {times=}, a new first axis, of y' = f(t, y, …); {args=, integrator=, rtol=, atol=, dt=, "
     "explicit=}; with {events={when=, direction=, jump=, terminal=}} also the list of those met",
     solver_ode},
};

const script_entries script_ode_entries = {entries, (int)(sizeof entries / sizeof *entries)};
