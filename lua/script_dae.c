/** saros.dae: F(t, y, y', …) = 0, rows of which may be algebraic (index 1), by IDAS. Gradients are
 * continuous: forward mode integrates the tangent's equation, reverse mode the adjoint's backwards.
 */
#include "saros/continuous.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

typedef struct dae_options {
    double rtol, atol;
    saros_times times;
    int64_t max_steps;
} dae_options;

#define FIELD(name) offsetof(dae_options, name)
static const saros_option rows[] = {
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "1e-6", 0, 1, NULL, NULL, "relative tolerance",
     NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "1e-9", 0, 1e300, NULL, NULL, "absolute tolerance",
     NULL},
    {"times", SAROS_OPTION_TIMES, FIELD(times), "", 0, 0, NULL, NULL,
     "list of times, the first is the start", NULL},
    {"max_steps", SAROS_OPTION_INTEGER, FIELD(max_steps), "100000", 1, 1e15, NULL, NULL,
     "between two times", NULL},
};
static const saros_option_table dae_table = {"dae", sizeof(dae_options), rows,
                                             sizeof rows / sizeof *rows, -1};

/** (F, y0, options, anchor) inside a recording. */
static int dae_core(lua_State *L) {
    static const char *const also[] = {"args"};
    dae_options o = {0};
    saros_value y0;
    lua_settop(L, 4);
    if (!lua_istable(L, 3)) script_expected(L, 3, "options", "a table with times");
    script_options_read(L, 3, 4, &dae_table, &o, "saros.dae", also, 1);
    if (!o.times.list || o.times.count < 2)
        script_fail(L, SAROS_ERR_USAGE, "times = {0, 1}",
                    "dae: times must be a list of at least two");
    script_locate(L, script_state_of(L)->top->graph);
    const int args = script_args_option(L, 3);
    script_vector y = script_vector_read(L, 2, &y0);
    if (y0.graph != script_state_of(L)->top->graph) y0 = script_alias(L, y0);
    saros_value kept = saros_ida_march(
        y0.graph, &(saros_ida_march_spec){
                      .y0 = y0,
                      .times = (int)o.times.count,
                      .time = o.times.list,
                      .residual = script_vector_residual_rate,
                      .user = script_vector_hold(L, 4, 1, &y, args, "dae"),
                      .options = {.rtol = o.rtol, .atol = o.atol, .max_steps = o.max_steps}});
    if (saros_is_poisoned(kept)) script_push_value(L, kept, false); /* raises */
    script_vector_push(L, &y, kept);
    return 1;
}

static int solver_dae(lua_State *L) {
    script_check_function(L, 1, "F");
    lua_settop(L, 3);
    lua_newtable(L);
    script_before_work(L);
    script_transform_push(L, dae_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

static const script_entry entries[] = {
    {"dae", "F, y0, options", "any",
     "y at {times=}, a new first axis, of F(t, y, y', …) = 0; unknowns whose rate F does not have "
     "are algebraic, their start a guess; {args=, rtol=, atol=, max_steps=}",
     solver_dae},
};

const script_entries script_dae_entries = {entries, (int)(sizeof entries / sizeof *entries)};
