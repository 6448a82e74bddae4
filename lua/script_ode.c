/** saros.ode: y' = f(t, y, …) by bdf or adams (CVODES), or with fixed steps. Inside a recording the
 * gradient of the latter is that of the numbers computed, that of bdf and adams is continuous: they
 * must be named there. On numbers, integrators with an error estimate choose their steps without
 * dt.
 */
#include <math.h>
#include <string.h>

#include "saros/adapt.h"
#include "saros/continuous.h"
#include "saros/stop.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

typedef struct ode_options {
    const char *integrator;
    double rtol, atol, dt;
    saros_times times;
    int64_t max_steps;
} ode_options;

#define FIELD(name) offsetof(ode_options, name)
static const saros_option rows[] = {
    {"integrator", SAROS_OPTION_TEXT, FIELD(integrator), "bdf", 0, 0, NULL, NULL,
     "bdf, adams (gradients continuous), or a one-step integrator (discrete): with dt, or by rtol",
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
     "between two times", NULL},
};
static const saros_option_table ode_table = {"ode", sizeof(ode_options), rows,
                                             sizeof rows / sizeof *rows, -1};

static bool is_adaptive(const ode_options *o) {
    return !o->integrator || strcmp(o->integrator, "bdf") == 0 ||
           strcmp(o->integrator, "adams") == 0;
}

static void read_options(lua_State *L, int index, int anchor, ode_options *o) {
    static const char *const also[] = {"args", "explicit"};
    *o = (ode_options){0};
    if (!lua_istable(L, index)) script_expected(L, index, "options", "a table with times");
    script_options_read(L, index, anchor, &ode_table, o, "saros.ode", also, 2);
    if (!o->times.list || o->times.count < 2)
        script_fail(L, SAROS_ERR_USAGE, "times = {0, 1}",
                    "ode: times must be a list of at least two");
    for (int64_t k = 1; k < o->times.count; ++k)
        if (!(o->times.list[k] > o->times.list[k - 1]))
            script_fail(L, SAROS_ERR_DOMAIN, NULL, "ode: times must ascend, got %g after %g",
                        o->times.list[k], o->times.list[k - 1]);
    bool split = lua_getfield(L, index, "explicit") != LUA_TNIL;
    lua_pop(L, 1);
    if (is_adaptive(o) && split)
        script_fail(L, SAROS_ERR_USAGE, "integrator = \"imex\", dt = …",
                    "ode: bdf and adams take the rate in one part, not with explicit");
}

enum { DENSE_LIMIT = 64 };

/** Of few unknowns the Jacobian is dense; `out->sparsity` is to be released. */
static saros_status cvode_options(const ode_options *o, int64_t unknowns,
                                  saros_cvode_options *out) {
    *out = (saros_cvode_options){.adams = o->integrator && o->integrator[0] == 'a',
                                 .rtol = o->rtol,
                                 .atol = o->atol,
                                 .max_steps = o->max_steps};
    return unknowns <= DENSE_LIMIT ? saros_sparsity_dense(unknowns, &out->sparsity) : SAROS_OK;
}

/* ---- (f, y0, options, anchor) inside a recording ---- */

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
static int64_t *count_steps(lua_State *L, const ode_options *o, int64_t *bound) {
    if (!(o->dt > 0))
        script_fail(L, SAROS_ERR_USAGE, "dt = …, or bdf",
                    "ode: %s needs the step dt; steps are chosen by rtol only where f, y0 and args "
                    "are numbers",
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

/** A rate in two parts; the second is NULL if there is one only. */
typedef struct split_rate {
    script_vector_call *rate, *explicit_;
} split_rate;

static saros_status build_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                               saros_value *rate) {
    return script_vector_rate(graph, t, y, ((split_rate *)user)->rate, rate);
}

static saros_status build_explicit(saros_graph *graph, saros_value t, saros_value y, void *user,
                                   saros_value *rate) {
    return script_vector_rate(graph, t, y, ((split_rate *)user)->explicit_, rate);
}

/** The rates of (f, y0, options, anchor), for as long as the anchor lives. */
static split_rate hold_rates(lua_State *L, const saros_integrator *integrator,
                             const script_vector *y, int args) {
    split_rate rate = {.rate = script_vector_hold(L, 4, 1, y, args, "ode")};
    if (lua_getfield(L, 3, "explicit") != LUA_TNIL) {
        script_check_function(L, lua_gettop(L), "explicit");
        rate.explicit_ = script_vector_hold(L, 4, lua_gettop(L), y, args, "explicit");
    } else if (integrator && integrator->splits) {
        script_fail(L, SAROS_ERR_USAGE, "explicit = function(t, y) … end, or sdirk",
                    "ode: %s takes a rate in two parts; the explicit one is not given",
                    integrator->name);
    }
    return rate;
}

/** The one-step integrator that is named; NULL for bdf and adams. */
static const saros_integrator *find_integrator(lua_State *L, const ode_options *o) {
    if (is_adaptive(o)) return NULL;
    const saros_integrator *found = saros_integrator_find(o->integrator);
    if (!found) script_raise(L);
    return found;
}

/** The states after the start, by one-step integrators. */
static saros_value march_steps(lua_State *L, const ode_options *o,
                               const saros_integrator *integrator, saros_value y0,
                               split_rate *rate) {
    int64_t bound, *steps = count_steps(L, o, &bound), m = o->times.count - 1;
    saros_value final, kept;
    saros_march_spec spec = {.integrator = integrator,
                             .y0 = y0,
                             .times = constant(L, 4, SAROS_F64, m + 1, o->times.list),
                             .steps = constant(L, 4, SAROS_I64, m, steps),
                             .bound = bound,
                             .rate = build_rate,
                             .explicit_rate = rate->explicit_ ? build_explicit : NULL,
                             .user = rate};
    saros_march(y0.graph, &spec, &final, &kept);
    return kept;
}

/** The same by CVODES. */
static saros_value march_cvode(lua_State *L, const ode_options *o, saros_value y0,
                               const split_rate *rate) {
    saros_cvode_march_spec spec = {.y0 = y0,
                                   .times = (int)o->times.count,
                                   .time = o->times.list,
                                   .rate = script_vector_rate,
                                   .user = rate->rate};
    const int64_t n = saros_value_type(y0)->shape[0];
    script_check(L, cvode_options(o, n, &spec.options));
    saros_value kept = saros_cvode_march(y0.graph, &spec);
    saros_sparsity_release(spec.options.sparsity);
    return kept;
}

static int march_core(lua_State *L) {
    ode_options o;
    lua_settop(L, 4);
    read_options(L, 3, 4, &o);
    if (!o.integrator)
        script_fail(L, SAROS_ERR_UNSUPPORTED, "integrator = \"rk4\", dt = …, or \"bdf\"",
                    "ode: inside a transform name the integrator: gradients of one with fixed "
                    "steps are those of the numbers computed, those of bdf and adams continuous");
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    int args = script_args_option(L, 3);
    saros_value y0;
    script_vector y = script_vector_read(L, 2, &y0);
    if (y0.graph != graph) y0 = script_alias(L, y0);
    const saros_integrator *integrator = find_integrator(L, &o);
    split_rate rate = hold_rates(L, integrator, &y, args);
    saros_value kept =
        integrator ? march_steps(L, &o, integrator, y0, &rate) : march_cvode(L, &o, y0, &rate);
    if (saros_is_poisoned(kept)) script_push_value(L, kept, false); /* raises */
    saros_value all[2] = {saros_reshape(y0, 2, (int64_t[]){1, y.size}), kept};
    script_vector_push(L, &y, saros_concat(2, all, 0));
    return 1;
}

/* ---- CVODES ---- */

/** What is kept of an integration. */
typedef struct outputs {
    double *row; /* next row of the result */
    int64_t n;
} outputs;

static saros_status keep(double t, saros_tensor *y, void *user) {
    outputs *o = user;
    (void)t;
    memcpy(o->row, saros_tensor_const_data(y), sizeof(double) * (size_t)o->n);
    o->row += o->n;
    return SAROS_OK;
}

static bool stop(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

/** Compiled rate and Jacobian product; slots on the stack. In a root recording: (f, y0, …). */
static int record_rate(lua_State *L) {
    saros_graph *graph = script_state_of(L)->top->graph;
    int args = script_args_option(L, 3);
    script_vector y = script_vector_read(L, 2, NULL);
    script_vector_call *call = script_vector_hold(L, 4, 1, &y, args, "ode");
    saros_type scalar = saros_type_scalar(SAROS_F64),
               vector = saros_type_make(SAROS_F64, 1, &y.size);
    saros_value in[3] = {saros_input(graph, &scalar, "t"), saros_input(graph, &vector, "y"),
                         saros_input(graph, &vector, "v")};
    saros_value rate, product;
    script_check(L, script_vector_rate(graph, in[0], in[1], call, &rate));
    saros_jvp(1, &rate, 1, &in[1], &in[2], &product);
    product = saros_instantiate(product, rate);
    const saros_compile_options named = {.name = "ode"};
    script_check(L, saros_compile(graph, 2, in, 1, &rate, &named, script_function_slot(L)));
    script_check(L, saros_compile(graph, 3, in, 1, &product, &named, script_function_slot(L)));
    return 2;
}

/** A compiled step with its error estimate; the slot on the stack. As record_rate. */
static int record_step(lua_State *L) {
    saros_graph *graph = script_state_of(L)->top->graph;
    int args = script_args_option(L, 3);
    script_vector y = script_vector_read(L, 2, NULL);
    lua_getfield(L, 3, "integrator");
    const saros_integrator *integrator = saros_integrator_find(lua_tostring(L, -1));
    split_rate rate = hold_rates(L, integrator, &y, args);
    saros_type scalar = saros_type_scalar(SAROS_F64),
               vector = saros_type_make(SAROS_F64, 1, &y.size);
    saros_value in[3] = {saros_input(graph, &scalar, "t"), saros_input(graph, &scalar, "h"),
                         saros_input(graph, &vector, "y")},
                out[2];
    saros_march_step(graph,
                     &(saros_march_spec){.integrator = integrator,
                                         .y0 = in[2],
                                         .rate = build_rate,
                                         .explicit_rate = rate.explicit_ ? build_explicit : NULL,
                                         .user = &rate},
                     in[0], in[1], &out[0], &out[1]);
    const saros_compile_options named = {.name = "ode"};
    script_check(L, saros_compile(graph, 3, in, 2, out, &named, script_function_slot(L)));
    return 1;
}

/** Calls `record` in a recording of its own with (f, y0, options, anchor); pushes its `results`. */
static void record_alone(lua_State *L, lua_CFunction record, int results) {
    lua_pushcfunction(L, record);
    for (int k = 1; k <= 4; ++k) lua_pushvalue(L, k);
    script_trace *trace = script_trace_root(L);
    saros_status status = script_call(L, 4, results);
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

/** Pushes the tree of results from the table of rows (m+1, size). */
static void push_rows(lua_State *L, const script_vector *y, int64_t rows_count, saros_tensor *all) {
    int64_t at = 0;
    lua_createtable(L, y->leaves, 0);
    for (int k = 0; k < y->leaves; ++k) {
        const saros_type *type = &y->type[k];
        int64_t shape[SAROS_MAX_RANK], strides[SAROS_MAX_RANK], step = 1;
        if (type->rank + 1 > SAROS_MAX_RANK)
            script_fail(L, SAROS_ERR_SHAPE, NULL, "ode: too many axes");
        shape[0] = rows_count;
        strides[0] = y->size;
        for (int a = type->rank; a > 0; --a) {
            shape[a] = type->shape[a - 1];
            strides[a] = step;
            step *= shape[a];
        }
        saros_tensor *part = NULL;
        script_check(L, saros_tensor_view(all, type->rank + 1, shape, strides, at, &part));
        script_push_tensor(L, part);
        lua_rawseti(L, -2, k + 1);
        at += saros_type_count(type);
    }
    int64_t next = 1;
    script_tree_rebuild(L, y->tree, -1, &next);
}

/** By CVODES, or by steps of `integrator` that are chosen by their errors. */
static int solve_adaptive(lua_State *L, const ode_options *o, const saros_integrator *integrator) {
    script_vector y = script_vector_read(L, 2, NULL);
    const int times = (int)o->times.count, results = integrator ? 1 : 2;
    record_alone(L, integrator ? record_step : record_rate, results);
    saros_function *first = *(saros_function **)lua_touserdata(L, -results),
                   *jvp = *(saros_function **)lua_touserdata(L, -1);
    saros_tensor *start = push_start(L, &y), *all = NULL;
    script_check(L, saros_tensor_make(SAROS_F64, 2, (int64_t[]){times, y.size}, &all));
    script_push_tensor(L, all);
    outputs out = {.row = saros_tensor_data(all), .n = y.size};
    if (integrator) {
        const saros_adapt_options options = {
            .rtol = o->rtol, .atol = o->atol, .max_steps = o->max_steps};
        script_check(L, saros_adapt(first, integrator, 0, NULL, start, times, o->times.list,
                                    &options, keep, stop, &out, NULL, NULL));
    } else {
        saros_cvode_options options;
        script_check(L, cvode_options(o, y.size, &options));
        saros_status status =
            saros_cvode_solve(first, options.adams ? NULL : jvp, 0, NULL, start, times,
                              o->times.list, &options, keep, stop, &out, NULL);
        saros_sparsity_release(options.sparsity);
        script_check(L, status);
    }
    push_rows(L, &y, times, all);
    return 1;
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
    ode_options o;
    script_check_function(L, 1, "f");
    lua_settop(L, 3);
    lua_newtable(L);
    read_options(L, 3, 4, &o);
    script_before_work(L);
    const saros_integrator *integrator = find_integrator(L, &o);
    const bool chooses = !integrator || (integrator->estimate && !(o.dt > 0)),
               alone = !script_state_of(L)->top;
    if (chooses && (alone || (o.integrator && !any_traced(L, 2) && !any_traced(L, 3))))
        return solve_adaptive(L, &o, integrator);
    script_transform_push(L, march_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

static const script_entry entries[] = {
    {"ode", "f, y0, options", "any",
     "y at {times=}, a new first axis, of y' = f(t, y, …); {args=, integrator=, rtol=, atol=, dt=, "
     "explicit=}",
     solver_ode},
};

const script_entries script_ode_entries = {entries, (int)(sizeof entries / sizeof *entries)};
