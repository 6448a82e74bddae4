/** saros.root: F(x) = 0 by Newton, differentiated by the implicit function theorem. */
#include "saros/root.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

#define FIELD(name) offsetof(saros_root_options, name)
static const saros_option rows[] = {
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "1e-10", 0, 1, NULL, NULL,
     "on |F|, relative to its first value", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "1e-14", 0, 1e300, NULL, NULL, "on |F|, absolute",
     NULL},
};
static const saros_option_table root_table = {"root", sizeof(saros_root_options), rows, 2, -1};

/** (F, x0, options, anchor) inside a recording. */
static int root_core(lua_State *L) {
    static const char *const also[] = {"args", "max_iterations"};
    saros_root_options options = {.name = "saros.root"};
    lua_settop(L, 4);
    if (lua_istable(L, 3)) {
        script_options_read(L, 3, 4, &root_table, &options, "saros.root", also, 2);
        if (lua_getfield(L, 3, "max_iterations") != LUA_TNIL)
            options.max_iterations = (int)script_integer(L, -1, "max_iterations");
        lua_pop(L, 1);
    }
    script_locate(L, script_state_of(L)->top->graph);
    int args = script_args_option(L, 3);
    saros_value guess;
    script_vector x = script_vector_read(L, 2, &guess);
    if (guess.graph != script_state_of(L)->top->graph) guess = script_alias(L, guess);
    script_vector_call *call = script_vector_hold(L, 4, 1, &x, args, "root");
    saros_value solution = saros_root(guess, script_vector_residual, call, &options);
    if (saros_is_poisoned(solution)) script_push_value(L, solution, false); /* raises */
    script_vector_push(L, &x, solution);
    return 1;
}

static int solver_root(lua_State *L) {
    script_check_function(L, 1, "F");
    lua_settop(L, 3);
    lua_newtable(L);
    script_transform_push(L, root_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

static const script_entry entries[] = {
    {"root", "F, x0, options?", "any",
     "x with F(x, …) = 0 near x0; {args=, rtol=, atol=, max_iterations=}", solver_root},
};

const script_entries script_root_entries = {entries, (int)(sizeof entries / sizeof *entries)};
