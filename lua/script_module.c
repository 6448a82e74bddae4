/** The module table, filled from the rows of operations and the lists of entries. */
#include <string.h>

#include "saros/config.h"
#include "script_op_impl.h"
#include "script_module_impl.h"
#include "script_problem_impl.h"

static const char module_key;

const script_entries *const *script_all_entries(int *count) {
    static const script_entries *const lists[] = {
        &script_tensor_entries,   &script_transform_entries, &script_derivative_entries,
        &script_jacobian_entries, &script_loop_entries,      &script_root_entries,
        &script_ode_entries,      &script_dae_entries,       &script_minimise_entries,
        &script_custom_entries,   &script_adam_entries,      &script_vmap_entries,
        &script_problem_entries,  &script_condition_entries, &script_network_entries,
        &script_session_entries,  &script_option_entries,    &script_point_entries,
        &script_field_entries,    &script_solution_entries,  &script_operator_entries,
        &script_part_entries,
    };
    *count = (int)(sizeof lists / sizeof *lists);
    return lists;
}

const script_entry *script_entry_find(const char *name) {
    int lists;
    const script_entries *const *list = script_all_entries(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j)
            if (strcmp(list[k]->entry[j].name, name) == 0) return &list[k]->entry[j];
    return NULL;
}

void script_push_function(lua_State *L, const char *name) {
    lua_pushcfunction(L, script_entry_find(name)->function);
}

/** Sets the value on top under a dotted name of the table below it; pops it. */
static void set_dotted(lua_State *L, const char *name) {
    const char *dot = strchr(name, '.');
    if (!dot) {
        lua_setfield(L, -2, name);
        return;
    }
    lua_pushlstring(L, name, (size_t)(dot - name));
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -4) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_remove(L, -2);
    lua_insert(L, -2);
    lua_setfield(L, -2, dot + 1);
    lua_pop(L, 1);
}

/** Reading a name the module does not have: nearest one, or "not in this build". */
static int missing_name(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) return 0;
    const char *names[SCRIPT_NAMES], *name = lua_tostring(L, 2);
    if (script_name_is_reserved(name))
        return script_fail(L, SAROS_ERR_UNSUPPORTED, NULL, "saros.%s is not in this build", name);
    int n = script_names(names, SCRIPT_NAMES);
    const char *near = NULL;
    for (int k = 0; k < n && !near; ++k) { /* its own name, but in a table: linalg.eigh */
        const char *dot = strrchr(names[k], '.');
        if (dot && strcmp(dot + 1, name) == 0) near = names[k];
    }
    if (!near) near = saros_nearest_name(name, names, n);
    return script_fail(L, SAROS_ERR_USAGE,
                       near ? lua_pushfstring(L, "did you mean saros.%s?", near) : NULL,
                       "saros has no '%s'", name);
}

bool script_name_is_reserved(const char *name) {
    static const char *const later[] = {"mesh", "map"};
    for (size_t k = 0; k < sizeof later / sizeof *later; ++k)
        if (strcmp(name, later[k]) == 0) return true;
    return false;
}

int script_names(const char **names, int room) {
    int lists, n = 0;
    const script_op_list *const *ops = script_op_lists(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < ops[k]->count && n < room; ++j) names[n++] = ops[k]->op[j].name;
    const script_entries *const *list = script_all_entries(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count && n < room; ++j)
            if (!strchr(list[k]->entry[j].name, ':')) names[n++] = list[k]->entry[j].name;
    return n;
}

static void fill(lua_State *L) {
    int lists;
    const script_op_list *const *ops = script_op_lists(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < ops[k]->count; ++j) {
            script_push_op(L, &ops[k]->op[j]);
            set_dotted(L, ops[k]->op[j].name);
        }
    const script_entries *const *list = script_all_entries(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j) {
            const script_entry *e = &list[k]->entry[j];
            if (strchr(e->name, ':')) continue;
            lua_pushcfunction(L, e->function);
            set_dotted(L, e->name);
        }
    script_push_equations(L);
    lua_setfield(L, -2, "equations");
    lua_pushliteral(L, SAROS_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "rank");
    lua_pushinteger(L, 1);
    lua_setfield(L, -2, "ranks");
}

int saros_lua_open(lua_State *L) {
    luaL_checkversion(L);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key) == LUA_TTABLE) return 1;
    lua_pop(L, 1);
    script_state_of(L);
    script_open_errors(L);
    script_open_values(L);
    script_open_problems(L);
    script_open_solutions(L);
    script_open_traced(L);
    lua_newtable(L);
    fill(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, missing_name);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
    return 1;
}
