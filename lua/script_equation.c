/** saros.equations.NAME{…}: the ready problems, from the list of physics. */
#include <string.h>

#include "saros/equations.h"
#include "script_problem_impl.h"

/** A function for a field of the specification, the user data beside it. */
static void set_function(lua_State *L, int anchor, const saros_option *row, void *spec, int index) {
    saros_point_fn function = script_point_call;
    if (!lua_isfunction(L, index))
        script_fail(L, SAROS_ERR_TYPE, row->doc, "option '%s': expected function(s, p), got %s",
                    row->name, script_describe(L, index));
    void *user = script_function_hold(L, anchor, index, 1, row->name);
    memcpy((char *)spec + row->offset, &function, sizeof function);
    memcpy((char *)spec + row->offset + sizeof function, &user, sizeof user);
}

/** Functions and tables, which the reader of options leaves to us. */
static void read_special(lua_State *L, int table, int anchor, const saros_option_table *rows,
                         void *spec) {
    saros_equation_frame *frame = spec; /* the first member of every specification */
    for (int k = 0; k < rows->rows; ++k) {
        const saros_option *row = &rows->row[k];
        if (row->kind != SAROS_OPTION_SPECIAL) continue;
        if (lua_getfield(L, table, row->name) != LUA_TNIL) {
            if (strcmp(row->name, "domain") == 0)
                frame->domain = script_axes_read(L, -1, anchor);
            else if (strcmp(row->name, "boundary") == 0)
                frame->boundary = script_conditions_read(L, -1, anchor);
            else if (strcmp(row->name, "observables") == 0)
                frame->observables = script_observables_read(L, lua_gettop(L), anchor);
            else
                set_function(L, anchor, row, spec, lua_gettop(L));
        }
        lua_pop(L, 1);
    }
}

static int equation_make(lua_State *L) {
    const saros_equation *equation = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1)) script_expected(L, 1, "options", "a table of options");
    lua_newtable(L);
    void *spec = script_anchored(L, 2, equation->options->bytes);
    script_options_read(L, 1, 2, equation->options, spec, equation->name, NULL, 0);
    read_special(L, 1, 2, equation->options, spec);
    saros_problem *problem = NULL;
    script_check(L, equation->make(spec, &problem));
    script_push_problem(L, problem);
    return 1;
}

static int missing_equation(lua_State *L) {
    (void)saros_equation_find(lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
    return script_raise(L);
}

void script_push_equations(lua_State *L) {
    int n;
    const saros_equation *const *list = saros_equations(&n);
    lua_createtable(L, 0, n);
    for (int k = 0; k < n; ++k) {
        union {
            const saros_equation *from;
            void *to;
        } row = {.from = list[k]};
        lua_pushlightuserdata(L, row.to);
        lua_pushcclosure(L, equation_make, 1);
        lua_setfield(L, -2, list[k]->name);
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, missing_equation);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}
