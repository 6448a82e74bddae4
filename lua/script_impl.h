/** Inside of the Lua floor: what its files share.
 *
 *  Ownership across longjmp: whatever C holds while Lua may raise lives in a userdata (tensors and
 * traced values, scratch arrays), so that an error anywhere leaks nothing. Lua functions called by
 * the library go through script_call, which parks the error object and gives a status; script_raise
 * raises it again once the library has cleaned up.
 */
#ifndef SAROS_SCRIPT_IMPL_H
#define SAROS_SCRIPT_IMPL_H

#include <lauxlib.h>
#include <lua.h>

#include "saros/lua.h"
#include "saros/function.h"
#include "saros/ops.h"
#include "saros/point.h"

/* ---- state (script_state.c) ---- */

/** An open recording: a graph that Lua functions append to. A full userdata; traced values refer to
 * it, so that using one after its recording has ended is an error, not a dangling pointer. */
typedef struct script_trace {
    saros_graph *graph; /**< NULL once closed */
    bool owned;         /**< a root: the graph is released on closing */
    saros_point *point; /**< where derivatives by name are known; NULL elsewhere */
    struct script_trace *outer;
} script_trace;

typedef struct script_state {
    script_trace *top; /**< innermost open recording, NULL: none */
    int64_t held;      /**< bytes held by the library after the last full collection */
    int64_t cached;    /**< compiled operations in the cache */
    int64_t seen;      /**< operations recorded by the outermost recording so far */
    bool warned;       /**< the hint about long recordings was given */
    saros_lua_settings settings;
} script_state;

script_state *script_state_of(lua_State *L);
/** Pushes the table kept in the registry under `key` (an address of ours), made when missing. */
void script_registry(lua_State *L, const void *key);
/** Tells the collector: runs it when the library's memory has grown much since the last time. */
void script_account(lua_State *L);
/** Memory of the script's own, released by the collector; pushes it. Zeroed. */
void *script_scratch(lua_State *L, size_t bytes);

/* ---- errors (script_error.c) ---- */

/** Raises the error record of this thread, or the parked Lua error it stands for. */
int script_raise(lua_State *L);
/** Raises if `status` is not OK. */
void script_check(lua_State *L, saros_status status);
/** Raises an error of the script. `hint` may be NULL. */
int script_fail(lua_State *L, saros_status status, const char *hint, const char *format, ...)
    SAROS_PRINTF(4, 5);
/** Raises "argument #arg 'name': expected …, got …" at the caller's line. */
int script_expected(lua_State *L, int arg, const char *name, const char *expected);
/** What a value is, for messages: "number 3", "tensor f64[3]", "nil". Pushes the text it returns.
 */
const char *script_describe(lua_State *L, int index);
/** Calls a Lua function for the library: errors are parked and become a status. The stack then is
 * as before the function and its arguments were pushed, plus the results on success. */
saros_status script_call(lua_State *L, int arguments, int results);
/** Position of the script now running; false if there is none. `file` lives as long as the function
 * runs. */
bool script_place(lua_State *L, const char **file, int *line);
/** Error kind of the table or string at `index` as a status. */
saros_status script_status_of(lua_State *L, int index);
/** Pushes a new error table made from the record of this thread. */
void script_push_error(lua_State *L, const saros_error *error);
void script_open_errors(lua_State *L);

/* ---- recording (script_trace.c) ---- */

/** Opens a recording on `graph`; an owned one is released on closing. */
script_trace *script_trace_open(lua_State *L, saros_graph *graph, bool owned, saros_point *point);
/** Closes the innermost recording, which must be `trace`. Never raises. */
void script_trace_close(lua_State *L, script_trace *trace);
/** Opens an owned recording on a new graph. */
script_trace *script_trace_root(lua_State *L);
/** The point in force: that of the innermost recording that has one; NULL if none. */
saros_point *script_point_now(lua_State *L);
/** Tells `graph` the script line now running. */
void script_locate(lua_State *L, saros_graph *graph);

/* ---- values (script_value.c) ---- */

/** A tensor or a traced value of a graph. A weak value comes from plain numbers: it takes the dtype
 * of its partner and becomes a plain number when it turns concrete. */
typedef struct script_value {
    saros_tensor *tensor; /**< concrete; NULL if traced, or freed */
    saros_value value;    /**< traced */
    script_trace *trace;  /**< traced: kept alive by the user value */
    bool weak;
} script_value;

/** Pushes a tensor; takes over one reference. */
void script_push_tensor(lua_State *L, saros_tensor *tensor);
/** Pushes a value of an open recording; raises the graph's error if it is poisoned. */
void script_push_value(lua_State *L, saros_value value, bool weak);
/** Pushes a concrete result: a number if `weak` and of rank 0, else the tensor. Takes over one
 * reference. */
void script_push_result(lua_State *L, saros_tensor *tensor, bool weak);
/** The value at `index`, or NULL if it is something else. Raises for a freed tensor and for a value
 * whose recording has ended. */
script_value *script_test_value(lua_State *L, int index);
/** Whether `index` is a number or a value: a leaf of a tree of arguments. */
bool script_is_leaf(lua_State *L, int index);
bool script_is_traced(lua_State *L, int index);
/** The number or value at `index` as a value of the innermost recording's graph or one that
 * encloses it. Concrete ones become constants there. */
saros_value script_value_in(lua_State *L, int index, bool *weak);
/** The tensor at `index`: a concrete value, a number (rank 0 f64, pushed as a new userdata in place
 * of the number), or a nested table of numbers (likewise). Borrowed. Raises for anything else. */
saros_tensor *script_tensor_at(lua_State *L, int index, const char *name);
/** Makes a tensor from nested tables of numbers or booleans and pushes it. */
void script_tensor_from_table(lua_State *L, int index, saros_dtype dtype, bool dtype_given);
void script_open_values(lua_State *L);
/** Text of a tensor for people, pushed. */
void script_tensor_text(lua_State *L, saros_tensor *tensor);

/* ---- arguments (script_argument.c) ---- */

/** Integer at `index` (a float with an integer value is one). */
int64_t script_integer(lua_State *L, int index, const char *name);
double script_number(lua_State *L, int index, const char *name);
/** Extents at `index`: a table of integers, or this and all following arguments. Returns how many.
 */
int script_extents(lua_State *L, int index, const char *name, int64_t *extent);
/** dtype option of the table at `index` (may be absent), or of the text there; `otherwise` if not
 * given. */
saros_dtype script_dtype_option(lua_State *L, int index, saros_dtype otherwise, bool *given);
/** 0-based axis from a 1-based or negative one; raises a shape error otherwise. */
int script_axis(lua_State *L, int64_t axis, int rank);
/** Raises for a key of the table at `index` that is not in `names` (n of them): nearest and list of
 * all. `what` names the table in the message. */
void script_strict_keys(lua_State *L, int index, const char *what, const char *const *names, int n);
/** An option of `table` that is not in this build yet: raises if it is there. */
void script_reserved_key(lua_State *L, int index, const char *key);

/* ---- work (script_progress.c, script_check.c) ---- */

/** Before anything that takes long: the script's options must all be declared by now. */
void script_before_work(lua_State *L);
/** Progress of a solve or training as the library reports it; `user` is the state. False: stop. */
bool script_progress(double fraction, const char *message, void *user);
/** Ends the live line. */
void script_progress_end(lua_State *L);
/** Pushes what stands for results while tables are only checked. */
int script_push_nothing(lua_State *L);
bool script_is_nothing(lua_State *L, int index);
/** Whether a value that only stands for another is among the arguments. */
bool script_any_nothing(lua_State *L);

/* ---- module (script_module.c) ---- */

/** One exported name: drives registration, help and LuaCATS. */
typedef struct script_entry {
    const char *name;    /**< "random.key": nested tables by dots */
    const char *args;    /**< "x, axis?" */
    const char *returns; /**< LuaCATS type */
    const char *doc;     /**< one line */
    lua_CFunction function;
} script_entry;

typedef struct script_entries {
    const script_entry *entry;
    int count;
} script_entries;

/** Lists of the files of this floor. */
extern const script_entries script_tensor_entries, script_transform_entries,
    script_derivative_entries, script_jacobian_entries, script_loop_entries, script_vmap_entries,
    script_root_entries, script_ode_entries, script_dae_entries, script_minimise_entries,
    script_custom_entries, script_adam_entries, script_problem_entries, script_condition_entries,
    script_point_entries, script_field_entries, script_network_entries, script_session_entries,
    script_option_entries, script_solution_entries, script_operator_entries, script_part_entries;
/** All lists. */
const script_entries *const *script_all_entries(int *count);
/** Pushes the function of the entry `name`. */
void script_push_function(lua_State *L, const char *name);

#endif
