/** saros.minimise: training methods (adam, lbfgs, bfgs) one after the other, or PETSc TAO (lmvm,
 * with bounds blmvm, and its other methods by name). One compiled function gives value and
 * gradient. */
#include <math.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/minimise.h"
#include "saros/sparse.h"
#include "saros/train.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

typedef struct minimise_options {
    saros_option_list method;
    double tolerance;
    int64_t max_iterations;
    int newton;
} minimise_options;

#define FIELD(name) offsetof(minimise_options, name)
static const saros_option rows[] = {
    {"method", SAROS_OPTION_LIST, FIELD(method), "lmvm", 0, 0, NULL, NULL,
     "{{\"adam\", lr=, steps=}, {\"lbfgs\", steps=}} one after the other", &saros_optimiser_table},
    {"tolerance", SAROS_OPTION_NUMBER, FIELD(tolerance), "", 0, 1e300, NULL, NULL,
     "value to stop at; without method: size of the gradient, relative to the first", NULL},
    {"max_iterations", SAROS_OPTION_INTEGER, FIELD(max_iterations), "200", 1, 1e9, NULL, NULL,
     "without method", NULL},
    {"newton", SAROS_OPTION_FLAG, FIELD(newton), "false", 0, 0, NULL, NULL,
     "without method: Newton's method with the sparse Hessian of f", NULL},
};
static const saros_option_table minimise_table = {"minimise", sizeof(minimise_options), rows, 4,
                                                  -1};

/* ---- the objective: (f, w0, whether Newton) in a root recording ---- */

static int hessian_gc(lua_State *L) {
    saros_jacobian **h = lua_touserdata(L, 1);
    saros_jacobian_release(*h);
    *h = NULL;
    return 0;
}

/** A place for a Hessian, pushed, that releases it. */
static saros_jacobian **hessian_slot(lua_State *L) {
    saros_jacobian **h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = NULL;
    if (luaL_newmetatable(L, "saros.sparse_hessian")) {
        lua_pushcfunction(L, hessian_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return h;
}

/** Pushes the compiled function, J and gradient, and the Hessian (in an empty place without). */
static int record_objective(lua_State *L) {
    saros_graph *graph = script_state_of(L)->top->graph;
    script_vector w = script_vector_read(L, 2, NULL);
    saros_type vector = saros_type_make(SAROS_F64, 1, &w.size);
    saros_value in = saros_input(graph, &vector, "w"), out[2];
    lua_pushvalue(L, 1);
    script_vector_push(L, &w, in);
    lua_call(L, 1, 1);
    if (!script_is_leaf(L, -1))
        script_fail(L, SAROS_ERR_TYPE, NULL, "minimise: the function must return a scalar, got %s",
                    script_describe(L, -1));
    out[0] = script_value_in(L, -1, NULL);
    if (saros_value_dtype(out[0]) != SAROS_F64) out[0] = saros_cast(out[0], SAROS_F64);
    if (saros_value_rank(out[0]) != 0)
        script_fail(L, SAROS_ERR_SHAPE, "take a sum or a mean",
                    "minimise: the function must return a scalar, got %s", script_describe(L, -1));
    saros_vjp(1, out, NULL, 1, &in, &out[1]);
    out[1] = saros_instantiate(out[1], in);
    saros_function **f = script_function_slot(L);
    script_check(
        L, saros_compile(graph, 1, &in, 2, out, &(saros_compile_options){.name = "minimise"}, f));
    saros_jacobian **hessian = hessian_slot(L);
    if (lua_toboolean(L, 3)) script_check(L, saros_hessian_make(out[0], in, 1, &in, NULL, hessian));
    return 2;
}

/** (w as a tensor) -> tree; in a recording. Upvalue: the start. */
static int unpack_solution(lua_State *L) {
    script_vector w = script_vector_read(L, lua_upvalueindex(1), NULL);
    script_vector_push(L, &w, script_alias(L, script_value_in(L, 1, NULL)));
    return 1;
}

/** Leaves as one f64 vector. */
static int pack_start(lua_State *L) {
    saros_value value;
    lua_settop(L, 1);
    (void)script_vector_read(L, 1, &value);
    script_push_value(L, script_alias(L, value), false);
    return 1;
}

static bool progress(int64_t iteration, double loss, void *user) {
    char text[80];
    snprintf(text, sizeof text, "iteration %lld, value %.6g", (long long)iteration, loss);
    return script_progress(0, text, user);
}

static bool stop(int iteration, double value, void *user) {
    return !progress(iteration, value, user);
}

static void push_history(lua_State *L, int64_t count, double *history) {
    lua_createtable(L, (int)count, 0);
    for (int64_t k = 0; k < count; ++k) {
        lua_pushnumber(L, history[k]);
        lua_rawseti(L, -2, k + 1);
    }
    saros_release(history);
}

/** What both kinds of methods report. */
typedef struct report {
    int64_t iterations, evaluations, count;
    double value, gradient_norm;
    bool converged;
    const char *reason;
    double *history;
} report;

static void push_report(lua_State *L, const report *r) {
    lua_createtable(L, 0, 7);
    lua_pushinteger(L, r->iterations);
    lua_setfield(L, -2, "iterations");
    lua_pushinteger(L, r->evaluations);
    lua_setfield(L, -2, "evaluations");
    lua_pushnumber(L, r->value);
    lua_setfield(L, -2, "value");
    lua_pushnumber(L, r->gradient_norm);
    lua_setfield(L, -2, "gradient_norm");
    lua_pushboolean(L, r->converged);
    lua_setfield(L, -2, "converged");
    lua_pushstring(L, r->reason ? r->reason : "");
    lua_setfield(L, -2, "reason");
    push_history(L, r->count, r->history);
    lua_setfield(L, -2, "history");
}

/** bounds = {lo, hi}: numbers, or tensors of the size of w. */
static void read_bounds(lua_State *L, int anchor, int64_t n, saros_minimise_options *o) {
    double *side[2];
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) != 2)
        script_fail(L, SAROS_ERR_TYPE, NULL, "minimise: bounds: expected {lo, hi}, got %s",
                    script_describe(L, -1));
    for (int k = 0; k < 2; ++k) {
        lua_rawgeti(L, -1, k + 1);
        int64_t count = 0;
        bool number = lua_type(L, -1) == LUA_TNUMBER;
        double *given = number ? NULL : script_numbers(L, lua_gettop(L), anchor, "bounds", &count);
        if (!number && count != n)
            script_fail(L, SAROS_ERR_SHAPE, NULL,
                        "minimise: bounds of %lld entries for %lld unknowns", (long long)count,
                        (long long)n);
        side[k] = given ? given : script_anchored(L, anchor, sizeof(double) * (size_t)n);
        for (int64_t i = 0; number && i < n; ++i) side[k][i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    o->lower = side[0];
    o->upper = side[1];
}

static saros_status run_tao(lua_State *L, const minimise_options *o, saros_function *f,
                            saros_jacobian *hessian, saros_tensor *start, int anchor,
                            saros_tensor **solution, report *r) {
    saros_minimise_options tao = {.max_iterations = (int)o->max_iterations,
                                  .gradient_rtol = o->tolerance,
                                  .hessian = hessian,
                                  .stop = stop,
                                  .user = script_state_of(L)};
    saros_minimise_info info = {0};
    if (lua_getfield(L, 3, "bounds") != LUA_TNIL)
        read_bounds(L, anchor, saros_tensor_count(start), &tao);
    lua_pop(L, 1);
    saros_status status = saros_minimise(f, 0, NULL, start, &tao, solution, &info);
    *r = (report){info.iterations,    info.evaluations, info.history_count, info.value,
                  info.gradient_norm, info.converged,   info.reason,        info.history};
    return status;
}

static saros_status run_training(lua_State *L, const minimise_options *o, saros_function *f,
                                 saros_tensor *start, saros_tensor **solution, report *r) {
    saros_train_info info = {0};
    saros_status status = saros_train(f, 0, NULL, start, &o->method, o->tolerance, progress,
                                      script_state_of(L), solution, &info);
    *r = (report){info.iterations,    info.evaluations, info.history_count, info.loss,
                  info.gradient_norm, info.converged,   info.reason,        info.history};
    return status;
}

static int solver_minimise(lua_State *L) {
    static const char *const also[] = {"bounds"};
    minimise_options o = {0};
    report r = {0};
    script_check_function(L, 1, "f");
    if (script_state_of(L)->top)
        script_fail(L, SAROS_ERR_USAGE, NULL,
                    "minimise computes numbers: call it outside of traced functions");
    script_before_work(L);
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {
        lua_newtable(L);
        lua_replace(L, 3);
    }
    if (!lua_istable(L, 3)) script_expected(L, 3, "options", "a table of options");
    lua_newtable(L); /* 4: anchor */
    script_options_read(L, 3, 4, &minimise_table, &o, "saros.minimise", also, 1);
    bool bounded = lua_getfield(L, 3, "bounds") != LUA_TNIL;
    lua_pop(L, 1);
    if (bounded && o.method.count)
        script_fail(L, SAROS_ERR_USAGE, "leave method out",
                    "minimise: the methods adam, lbfgs, bfgs take no bounds");
    if (o.newton > 0 && o.method.count)
        script_fail(L, SAROS_ERR_USAGE, "leave one of them out",
                    "minimise: newton = true and method exclude each other");
    script_transform_push(L, pack_start, 0);
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1); /* 5: start */
    saros_tensor *start = script_tensor_at(L, 5, "w0"), *solution = NULL;
    lua_pushcfunction(L, record_objective);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, o.newton > 0);
    script_trace *trace = script_trace_root(L);
    saros_status status = script_call(L, 3, 2);
    script_trace_close(L, trace);
    script_check(L, status);
    saros_function *f = *(saros_function **)lua_touserdata(L, -2);
    saros_jacobian *hessian = *(saros_jacobian **)lua_touserdata(L, -1);
    status = o.method.count ? run_training(L, &o, f, start, &solution, &r)
                            : run_tao(L, &o, f, hessian, start, 4, &solution, &r);
    script_progress_end(L);
    if (status != SAROS_OK) saros_release(r.history);
    script_check(L, status);
    lua_pushvalue(L, 2);
    script_transform_push(L, unpack_solution, 1);
    script_push_tensor(L, solution);
    lua_call(L, 1, 1);
    push_report(L, &r);
    return 2;
}

static const script_entry entries[] = {
    {"minimise", "f, w0, options?", "any, table",
     "w that makes f(w) small, and info; {method=, bounds=, tolerance=, newton=}", solver_minimise},
};

const script_entries script_minimise_entries = {entries, (int)(sizeof entries / sizeof *entries)};
