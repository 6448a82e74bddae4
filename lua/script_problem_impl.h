/** Problems, solutions and what they share. */
#ifndef SAROS_SCRIPT_PROBLEM_IMPL_H
#define SAROS_SCRIPT_PROBLEM_IMPL_H

#include "saros/method.h"
#include "script_transform_impl.h"

/* ---- options (script_options.c) ---- */

/** Reads the table at `index` into the struct `options` by its registry; `also` names further keys
 * that the caller reads. Texts live as long as the table; what else must live is put into the table
 * at `anchor`. */
void script_options_read(lua_State *L, int index, int anchor, const saros_option_table *table,
                         void *options, const char *what, const char *const *also, int alsos);
/** Reads a list of numbers (table or tensor) at `index`; scratch, anchored. */
double *script_numbers(lua_State *L, int index, int anchor, const char *name, int64_t *count);
/** Scratch memory that lives as long as the table at `anchor`. */
void *script_anchored(lua_State *L, int anchor, size_t bytes);

/* ---- functions of the point (script_point.c) ---- */

/** A Lua function as the library sees it: user data of script_point_call. */
typedef struct script_function {
    lua_State *L;
    int reference; /**< in the registry */
    int wanted;    /**< values to return; 0: count them and record the number in `got` */
    int got;
    const char *what;       /**< for messages */
    saros_problem *problem; /**< of an objective; borrowed */
} script_function;

/** Holds the function at `index` for as long as the table at `anchor` lives. */
script_function *script_function_hold(lua_State *L, int anchor, int index, int wanted,
                                      const char *what);
/** Calls it with (s, p). A saros_point_fn. */
saros_status script_point_call(saros_point *s, void *user, saros_value *out);

/* ---- conditions (script_condition.c) ---- */

/** Reads the table `boundary` at `index` into a list that ends in a {0} row; anchored. */
saros_condition *script_conditions_read(lua_State *L, int index, int anchor);
/** The tensor of a saros.field at `index`, NULL if it is something else. */
saros_tensor *script_test_field(lua_State *L, int index);

/* ---- problems (script_problem.c) ---- */

saros_problem *script_test_problem(lua_State *L, int index);
void script_open_problems(lua_State *L);
/** Pushes a problem; takes over one reference. */
void script_push_problem(lua_State *L, saros_problem *problem);
/** Table {x={lo,hi}, …} at `index` as a list that ends in a {0} row; anchored. */
saros_axis *script_axes_read(lua_State *L, int index, int anchor);

/** Table name = function(s, p) at `index` as a list that ends in a {0} row; anchored. */
saros_observable *script_observables_read(lua_State *L, int index, int anchor);
/** The parameter on top of the stack: a number, function(s, p) or saros.field; `to` has its name.
 */
void script_parameter_read(lua_State *L, int anchor, saros_parameter *to);
/** Number of entries of the table at `index`. */
int script_table_count(lua_State *L, int index);
/** Pushes the table of the ready problems. */
void script_push_equations(lua_State *L);

/** A call solve, gradient or fit, read from its table. Everything lives in the anchor. */
typedef struct script_method_call {
    saros_problem *problem;
    const saros_method *method;
    void *options;
    saros_solve_options common;
    const char **traced_name; /**< parameters given as traced values; ends in NULL */
    saros_value *traced_value;
    int traced;
} script_method_call;

/** Reads the call table at `index` of a method of the problem at 1; `also` names keys of the
 * caller. */
void script_method_call_read(lua_State *L, int index, int anchor, const char *what,
                             const char *const *also, int alsos, script_method_call *call);
/** Fills the fields shared by all numbers about a run: pushes the table. */
void script_push_info(lua_State *L, const saros_info *info);

/* ---- solutions (script_solution.c, script_traced.c) ---- */

saros_solution *script_test_solution(lua_State *L, int index);
/** Pushes a solution; takes over one reference. */
void script_push_solution(lua_State *L, saros_solution *solution);
/** Whether `name` is a method or field of solutions that an unknown may not be called. */
bool script_solution_name(const char *name);
/** Reads coordinates {x=…, t=…} at `index` as one f64 tensor per axis of the problem, in order x,
 * y, z, t; borrowed from the anchor. Returns whether all are plain numbers. */
bool script_coordinates(lua_State *L, int index, int anchor, const saros_problem *problem,
                        saros_tensor **out);
/** Pushes a traced solution; takes it over. It is released when the recording ends or with the
 * userdata. */
void script_push_traced(lua_State *L, saros_traced *traced, saros_problem *problem, bool owned);
/** Runs the objective held by `user` (a script_function). A saros_objective_fn. */
saros_status script_objective_call(saros_traced *solution, void *user, saros_value *objective);
void script_open_solutions(lua_State *L);
void script_open_traced(lua_State *L);

/** Methods of problems: registered with script_problem_entries. */
int script_problem_solve(lua_State *L);
int script_problem_gradient(lua_State *L);
int script_problem_fit(lua_State *L);

#endif
