/** Applying an operation. Eager when every operand is concrete: a compiled function of the
 * operation, cached by (name, fixed arguments, operand types), with numbers as rank-0 inputs so
 * that they do not spoil the cache. Traced when one operand is: the builder appends to the
 * innermost graph among the operands.
 *
 *  Promotion is NumPy's, except that a plain number (and a traced value that comes from plain
 * numbers) takes the dtype of its partner; a number that is no integer turns integer partners into
 * f64. */
#include "script_reading_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { UNROLLED_LIMIT = 10000 };

static void name_of_argument(const script_op *op, int k, char *text, size_t bytes) {
    const char *from = op->args;
    for (; k > 0 && (from = strchr(from, ',')) != NULL; --k) ++from;
    if (!from) from = "?";
    while (*from == ' ') ++from;
    size_t n = strcspn(from, ",?");
    snprintf(text, bytes, "%.*s", (int)n, from);
}

static int bad_argument(script_reading *r, int k, int index, const char *expected) {
    char name[32];
    name_of_argument(r->call.op, k, name, sizeof name);
    lua_State *L = r->L;
    const char *got = lua_isnone(L, index) ? "nothing" : script_describe(L, index);
    return script_fail(L, SAROS_ERR_TYPE, NULL, "%s: argument %d '%s': expected %s, got %s",
                       r->call.op->name, k + 1, name, expected, got);
}

static void read_operand(script_reading *r, int k, int index, script_operand *to) {
    lua_State *L = r->L;
    *to = (script_operand){.given = true};
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER) {
        to->number = true;
        to->number_value = lua_tonumber(L, index);
        return;
    }
    if (type == LUA_TBOOLEAN) {
        saros_tensor *mask = NULL;
        script_check(L, saros_tensor_scalar(SAROS_BOOL, lua_toboolean(L, index), &mask));
        script_push_tensor(L, mask);
        lua_replace(L, index);
    } else if (type == LUA_TTABLE && lua_rawlen(L, index) > 0) {
        script_tensor_from_table(L, index, SAROS_F64, false);
        lua_replace(L, index);
    }
    to->value = script_test_value(L, index);
    if (!to->value) bad_argument(r, k, index, "a tensor or a number");
    if (!to->value->tensor) r->traced = true;
    if (!to->value->weak) r->numbers = false;
}

static void read_list(script_reading *r, int k, int index) {
    lua_State *L = r->L;
    if (!lua_istable(L, index)) bad_argument(r, k, index, "a table of tensors");
    int n = (int)lua_rawlen(L, index);
    if (n == 0 || n > SAROS_MAX_OUTPUTS) bad_argument(r, k, index, "1 to 256 tensors in a table");
    luaL_checkstack(L, n + LUA_MINSTACK, "too many tensors in a table");
    for (int j = 0; j < n; ++j) {
        lua_rawgeti(L, index, j + 1); /* stays on the stack: keeps what is made of it alive */
        read_operand(r, k, lua_gettop(L), &r->operand[r->operands++]);
    }
}

static void read_fixed(script_reading *r, int k, char kind, int index, script_static *to,
                       int *used) {
    lua_State *L = r->L;
    char name[32];
    name_of_argument(r->call.op, k, name, sizeof name);
    to->given = true;
    to->count = 1;
    if (kind == 'a' || kind == 'i') {
        int ok = 0;
        to->word[0] = lua_tointegerx(L, index, &ok);
        if (!ok || lua_type(L, index) != LUA_TNUMBER) bad_argument(r, k, index, "an integer");
    } else if (kind == 'x') {
        if (lua_type(L, index) != LUA_TNUMBER) bad_argument(r, k, index, "a plain number");
        to->word[0] = saros_bits(lua_tonumber(L, index));
    } else if (kind == 'd') {
        to->word[0] = script_dtype_option(L, index, SAROS_F64, NULL);
    } else if (kind == 'w') {
        const char *text = lua_tostring(L, index);
        if (!text || (strcmp(text, "zero") != 0 && strcmp(text, "wrap") != 0))
            bad_argument(r, k, index, "\"zero\" or \"wrap\"");
        to->word[0] = text[0] == 'w' ? SAROS_EDGE_WRAP : SAROS_EDGE_ZERO;
    } else {
        bool table = lua_istable(L, index);
        if (kind == 'A' && !table) {
            if (lua_type(L, index) != LUA_TNUMBER)
                bad_argument(r, k, index, "an axis or a table of axes");
            to->word[0] = script_integer(L, index, name);
            return;
        }
        to->count = script_extents(L, index, name, to->word);
        if (!table) *used += to->count - 1;
    }
}

/** Reads the arguments 1 … top by the row's spec. */
static void read_arguments(script_reading *r) {
    lua_State *L = r->L;
    const char *spec = r->call.op->spec;
    int top = lua_gettop(L), index = 1, fixed = 0;
    size_t room = 8 + (spec[0] == 'T' && lua_istable(L, 1) ? (size_t)lua_rawlen(L, 1) : 0);
    r->operand = script_scratch(L, sizeof *r->operand * room);
    lua_insert(L, 1); /* argument k now is at k + 1 */
    for (int k = 0; *spec; ++k) {
        char kind = *spec++;
        bool optional = *spec == '?';
        if (optional) ++spec;
        bool absent = index > top || lua_isnil(L, index + 1);
        if (absent && !optional)
            bad_argument(r, k, index + 1, kind == 'v' ? "a tensor or a number" : "a value");
        if (kind == 'v') {
            if (absent)
                r->operand[r->operands++] = (script_operand){.given = false};
            else
                read_operand(r, k, index + 1, &r->operand[r->operands++]);
        } else if (kind == 'T') {
            read_list(r, k, index + 1);
        } else {
            int used = 0;
            if (!absent) read_fixed(r, k, kind, index + 1, &r->call.fixed[fixed], &used);
            ++fixed;
            index += used;
        }
        ++index;
    }
    if (index <= top)
        script_fail(L, SAROS_ERR_USAGE,
                    lua_pushfstring(L, "%s(%s)", r->call.op->name, r->call.op->args),
                    "%s: too many arguments (%d)", r->call.op->name, top);
}

static saros_dtype dtype_of(const script_operand *o) {
    return o->value->tensor ? saros_tensor_dtype(o->value->tensor)
                            : saros_value_dtype(o->value->value);
}

/** Chooses the dtype of plain numbers and weak values from their partners. */
static void settle_dtypes(script_reading *r) {
    unsigned apart = r->call.op->flags >> 8;
    bool found = false;
    saros_dtype partner = SAROS_F64;
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        if (!o->given || o->number || o->value->weak || (apart >> k & 1u)) continue;
        partner = found ? saros_dtype_promote(partner, dtype_of(o)) : dtype_of(o);
        found = true;
    }
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        if (!o->given) continue;
        if (!o->number) {
            o->dtype = dtype_of(o);
            bool same_kind = saros_dtype_is_float(partner) || !saros_dtype_is_float(o->dtype);
            if (o->value->weak && found && !(apart >> k & 1u) && same_kind &&
                partner != SAROS_BOOL && o->dtype != SAROS_BOOL)
                o->dtype = partner;
            continue;
        }
        bool integral = floor(o->number_value) == o->number_value && fabs(o->number_value) < 9e15;
        if (!found || (apart >> k & 1u))
            o->dtype = SAROS_F64;
        else if (saros_dtype_is_float(partner))
            o->dtype = partner;
        else if (!integral)
            o->dtype = SAROS_F64;
        else
            o->dtype = partner == SAROS_BOOL ? SAROS_I64 : partner;
    }
}

int script_op_build(script_op_call *call, saros_value *out) {
    const script_op *op = call->op;
    if (op->flags & SCRIPT_FLOAT)
        for (int k = 0; k < call->values; ++k)
            if (!saros_is_none(call->value[k]) &&
                !saros_dtype_is_float(saros_value_dtype(call->value[k])))
                call->value[k] = saros_cast(call->value[k], SAROS_F64);
    if (op->unary)
        out[0] = op->unary(call->value[0]);
    else if (op->binary)
        out[0] = op->binary(call->value[0], call->value[1]);
    else
        return op->build(call, out);
    return 1;
}

/* ---- traced ---- */

static void hint_unrolled(lua_State *L) {
    script_state *state = script_state_of(L);
    if (++state->seen < UNROLLED_LIMIT || state->warned) return;
    state->warned = true;
    const char *file;
    int line;
    script_place(L, &file, &line);
    lua_warning(L,
                lua_pushfstring(L,
                                "%s:%d: more than %d operations recorded: a Lua loop is unrolled; "
                                "saros.loop records its body once",
                                file, line, UNROLLED_LIMIT),
                0);
    lua_pop(L, 1);
}

static int apply_traced(script_reading *r) {
    lua_State *L = r->L;
    script_op_call *call = &r->call;
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        call->value[k] = o->given && o->value && !o->value->tensor ? o->value->value : SAROS_NONE;
    }
    saros_graph *graph = call->graph = saros_graph_of(r->operands, call->value);
    script_locate(L, graph);
    hint_unrolled(L);
    if (call->op->flags & SCRIPT_REDUCES && script_point_now(L) &&
        saros_value_rank(call->value[0]) == 0)
        script_fail(L, SAROS_ERR_USAGE,
                    "an equation sees one point; solution:integral(f, {t=}) sums over the domain",
                    "%s of an expression in an equation", call->op->name);
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        if (!o->given) continue;
        if (o->number)
            call->value[k] = saros_scalar(graph, o->dtype, o->number_value);
        else if (o->value->tensor)
            call->value[k] = saros_constant(graph, o->value->tensor);
        if (!o->number && o->dtype != saros_value_dtype(call->value[k]))
            call->value[k] = saros_cast(call->value[k], o->dtype);
    }
    saros_value out[SCRIPT_OP_OUTPUTS] = {SAROS_NONE};
    int n = script_op_build(call, out);
    for (int k = 0; k < n; ++k) script_push_value(L, out[k], r->numbers);
    return n;
}

/** Whether argument 2 is a plain number with an integer value. */
static bool integer_exponent(lua_State *L) {
    int ok = 0;
    if (lua_type(L, 2) != LUA_TNUMBER) return false;
    lua_Integer n = lua_tointegerx(L, 2, &ok);
    return ok && n > -1024 && n < 1024;
}

int script_op_apply(lua_State *L, const script_op *op) {
    if (script_state_of(L)->settings.check && script_any_nothing(L)) return script_push_nothing(L);
    if (op->flags & SCRIPT_POWER && integer_exponent(L)) op = script_op_find("power");
    script_reading r = {.L = L, .call = {.op = op}, .numbers = true};
    read_arguments(&r);
    settle_dtypes(&r);
    script_op_check_index(&r);
    r.call.values = r.operands;
    r.call.value = script_scratch(L, sizeof *r.call.value * (size_t)(r.operands ? r.operands : 1));
    return r.traced ? apply_traced(&r) : script_op_eager(&r);
}

/* ---- rows ---- */

static int op_function(lua_State *L) {
    return script_op_apply(L, lua_touserdata(L, lua_upvalueindex(1)));
}

void script_push_op(lua_State *L, const script_op *op) {
    union {
        const script_op *from;
        void *to;
    } row = {.from = op};
    lua_pushlightuserdata(L, row.to);
    lua_pushcclosure(L, op_function, 1);
}

const script_op_list *const *script_op_lists(int *count) {
    static const script_op_list *const lists[] = {&script_pointwise_ops, &script_reduce_ops,
                                                  &script_shape_ops, &script_linalg_ops};
    *count = (int)(sizeof lists / sizeof *lists);
    return lists;
}

const script_op *script_op_find(const char *name) {
    int lists;
    const script_op_list *const *list = script_op_lists(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j)
            if (strcmp(list[k]->op[j].name, name) == 0) return &list[k]->op[j];
    return NULL;
}

const char *script_op_doc(const script_op *op) {
    int rows = 0;
    const saros_primitive *const *row = saros_core_primitives(&rows);
    for (int k = 0; !op->doc && k < rows; ++k)
        if (strcmp(row[k]->name, op->name) == 0) return row[k]->doc;
    return op->doc;
}

int script_op_fail(const script_op_call *call, saros_value *out, saros_status status,
                   const char *hint, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    saros_fail(status, call->op->name, hint, "%s", text);
    out[0] = saros_poison(call->graph);
    return 1;
}

int script_op_axis(const script_op_call *call, int fixed, saros_value x, int64_t otherwise) {
    const script_static *s = &call->fixed[fixed];
    int64_t axis = s->given ? s->word[0] : otherwise;
    int rank = saros_value_rank(x);
    int64_t zero = axis > 0 ? axis - 1 : axis + rank;
    if (axis != 0 && zero >= 0 && zero < rank) return (int)zero;
    saros_fail(SAROS_ERR_SHAPE, call->op->name, "axes count from 1; negative ones from the end",
               "axis %lld of a value with %d ax%ss", (long long)axis, rank, rank == 1 ? "i" : "e");
    (void)saros_poison(call->graph);
    return -1;
}

uint32_t script_op_axes(const script_op_call *call, int fixed, saros_value x) {
    const script_static *s = &call->fixed[fixed];
    if (!s->given) return saros_all_axes(x);
    uint32_t axes = 0;
    int rank = saros_value_rank(x);
    for (int k = 0; k < s->count; ++k) {
        int64_t zero = s->word[k] > 0 ? s->word[k] - 1 : s->word[k] + rank;
        if (s->word[k] == 0 || zero < 0 || zero >= rank) {
            saros_fail(SAROS_ERR_SHAPE, call->op->name,
                       "axes count from 1; negative ones from the end",
                       "axis %lld of a value with %d ax%ss", (long long)s->word[k], rank,
                       rank == 1 ? "i" : "e");
            (void)saros_poison(call->graph);
            return 0;
        }
        axes |= 1u << zero;
    }
    return axes;
}
