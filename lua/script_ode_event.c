/** Events of saros.ode: reading their tables, and what is handed back of those that were met. */
#include <string.h>

#include "script_ode_impl.h"

static int read_direction(lua_State *L, int table) {
    const int type = lua_getfield(L, table, "direction");
    const int64_t direction = type == LUA_TNIL ? 0 : script_integer(L, -1, "direction");
    if (direction < -1 || direction > 1)
        script_fail(L, SAROS_ERR_DOMAIN, "1 where it rises, -1 where it falls, 0 both",
                    "events: direction is %lld", (long long)direction);
    lua_pop(L, 1);
    return (int)direction;
}

static void read_event(lua_State *L, int table, int args, const script_vector *y,
                       script_ode_event *to) {
    static const char *const names[] = {"when", "direction", "jump", "terminal"};
    script_strict_keys(L, table, "an event", names, 4);
    lua_getfield(L, table, "when");
    script_check_function(L, lua_gettop(L), "when");
    to->when = script_vector_hold(L, 4, lua_gettop(L), y, args, "when");
    to->when->wanted = 1;
    if (lua_getfield(L, table, "jump") != LUA_TNIL) {
        script_check_function(L, lua_gettop(L), "jump");
        to->jump = script_vector_hold(L, 4, lua_gettop(L), y, args, "jump");
    }
    to->direction = read_direction(L, table);
    lua_getfield(L, table, "terminal");
    to->ends = lua_toboolean(L, -1);
    lua_pop(L, 3);
}

void script_ode_events_read(lua_State *L, int args, script_ode *ode) {
    if (lua_getfield(L, 3, "events") == LUA_TNIL) return;
    const int list = lua_gettop(L);
    if (!lua_istable(L, list))
        script_fail(L, SAROS_ERR_TYPE, "events = {when = function(t, y) … end}",
                    "events: expected an event or a list of them, got %s",
                    script_describe(L, list));
    const bool single = lua_getfield(L, list, "when") != LUA_TNIL;
    ode->events = single ? 1 : (int)lua_rawlen(L, list);
    if (!ode->events)
        script_fail(L, SAROS_ERR_USAGE, "events = {when = function(t, y) … end}",
                    "events: the list is empty");
    ode->event = script_anchored(L, 4, sizeof *ode->event * (size_t)ode->events);
    for (int k = 0; k < ode->events; ++k) {
        if (single)
            lua_pushvalue(L, list);
        else if (lua_rawgeti(L, list, k + 1) != LUA_TTABLE)
            script_fail(L, SAROS_ERR_TYPE, "{when = function(t, y) … end}",
                        "events: entry %d is %s", k + 1, script_describe(L, -1));
        read_event(L, lua_gettop(L), args, &ode->y, &ode->event[k]);
    }
    lua_settop(L, list);
}

void script_ode_push_rows(lua_State *L, const script_vector *y, int64_t rows, saros_tensor *all,
                          int64_t at) {
    const int lead = rows >= 0;
    lua_createtable(L, y->leaves, 0);
    for (int k = 0; k < y->leaves; ++k) {
        const saros_type *type = &y->type[k];
        int64_t shape[SAROS_MAX_RANK] = {rows}, strides[SAROS_MAX_RANK] = {y->size}, step = 1;
        if (type->rank + lead > SAROS_MAX_RANK)
            script_fail(L, SAROS_ERR_SHAPE, NULL, "ode: too many axes");
        for (int a = type->rank - 1; a >= 0; --a) {
            shape[lead + a] = type->shape[a];
            strides[lead + a] = step;
            step *= type->shape[a];
        }
        saros_tensor *part = NULL;
        script_check(L, saros_tensor_view(all, type->rank + lead, shape, strides, at, &part));
        script_push_result(L, part, y->weak[k] && !lead);
        lua_rawseti(L, -2, k + 1);
        at += saros_type_count(type);
    }
    int64_t next = 1;
    script_tree_rebuild(L, y->tree, -1, &next);
    lua_remove(L, -2); /* the table of leaves */
}

/** Pushes time and state of event k. */
static void push_values(lua_State *L, const script_vector *y, int64_t k, saros_value time,
                        saros_value state) {
    script_push_value(L, saros_reshape(saros_slice(time, 0, k, k + 1, 1), 0, NULL), true);
    script_vector_push(L, y, saros_reshape(saros_slice(state, 0, k, k + 1, 1), 1, &y->size));
}

static void push_numbers(lua_State *L, const script_vector *y, const saros_steps *steps,
                         int64_t k) {
    saros_tensor *state = NULL;
    script_check(
        L, saros_tensor_from(SAROS_F64, 1, &y->size, steps->event_state + k * y->size, &state));
    script_push_tensor(L, state);
    lua_pushnumber(L, steps->event[k].t);
    script_ode_push_rows(L, y, -1, state, 0);
    lua_remove(L, -3);
}

void script_ode_events_push(lua_State *L, const script_vector *y, const saros_steps *steps,
                            const saros_value *time, const saros_value *state) {
    lua_createtable(L, (int)steps->events, 0);
    for (int64_t k = 0; k < steps->events; ++k) {
        lua_createtable(L, 0, 3);
        if (time)
            push_values(L, y, k, *time, *state);
        else
            push_numbers(L, y, steps, k);
        lua_setfield(L, -3, "y");
        lua_setfield(L, -2, "t");
        lua_pushinteger(L, steps->event[k].which + 1);
        lua_setfield(L, -2, "event");
        lua_rawseti(L, -2, k + 1);
    }
}
