/** Help and LuaCATS definitions, from the rows that also drive registration and checking. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/pinn.h"
#include "saros/solution.h"
#include "script_module_impl.h"
#include "script_op_impl.h"

/** A text that grows. */
typedef struct text {
    char *data;
    size_t length, room;
} text;

static void add(text *t, const char *format, ...) SAROS_PRINTF(2, 3);
static void add(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char piece[1024];
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    size_t need = t->length + (size_t)(n < (int)sizeof piece ? n : (int)sizeof piece - 1) + 1;
    if (need > t->room) {
        char *grown = saros_reallocate(t->data, 2 * need);
        if (!grown) return;
        t->data = grown;
        t->room = 2 * need;
    }
    memcpy(t->data + t->length, piece, need - t->length);
    t->length = need - 1;
}

/** Tables of options by the name under which help finds them. */
static const saros_option_table *const *option_tables(int *count) {
    static const saros_option_table *tables[4];
    tables[0] = saros_method_options(&saros_grid);
    tables[1] = saros_method_options(&saros_network_method);
    tables[2] = &saros_optimiser_table;
    tables[3] = &saros_network_table;
    *count = 4;
    return tables;
}

static const char *kind_name(saros_option_kind kind) {
    static const char *const names[] = {
        "number",        "integer", "boolean", "text",  "integer or {x=, y=}",
        "count or list", "table",   "list",    "table", "special"};
    return names[kind];
}

static void add_options(text *t, const saros_option_table *table) {
    for (int k = 0; k < table->rows; ++k) {
        const saros_option *o = &table->row[k];
        add(t, "  %-12s %s%s%s", o->name, kind_name(o->kind), o->one_of ? ": " : "",
            o->one_of ? o->one_of : "");
        if (o->default_text && *o->default_text) add(t, ", default %s", o->default_text);
        if (o->unit && *o->unit) add(t, " [%s]", o->unit);
        add(t, "\n      %s\n", o->doc);
    }
}

static bool help_entry(text *t, const char *name) {
    const script_op *op = script_op_find(name);
    const script_entry *e = script_entry_find(name);
    char method[64];
    if (!op && !e) {
        static const char *const owners[] = {"tensor:", "problem:", "solution:"};
        for (int k = 0; k < 3 && !e; ++k) {
            snprintf(method, sizeof method, "%s%.40s", owners[k], name);
            e = script_entry_find(method);
        }
    }
    if (op)
        add(t, "saros.%s(%s)\n  %s\n", op->name, op->args, script_op_doc(op));
    else if (e)
        add(t, "%s%s(%s)\n  %s\n", strchr(e->name, ':') ? "" : "saros.", e->name, e->args, e->doc);
    return op || e;
}

static void help_list(text *t) {
    int lists;
    const script_op_list *const *ops = script_op_lists(&lists);
    add(t, "Operations (functions of saros, and methods of tensors):\n");
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < ops[k]->count; ++j)
            add(t, "  %-24s %s\n", ops[k]->op[j].name, script_op_doc(&ops[k]->op[j]));
    const script_entries *const *list = script_all_entries(&lists);
    add(t, "Functions:\n");
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j)
            add(t, "  %-24s %s\n", list[k]->entry[j].name, list[k]->entry[j].doc);
    int tables;
    const saros_option_table *const *table = option_tables(&tables);
    add(t, "Options:");
    for (int k = 0; k < tables; ++k) add(t, " %s", table[k]->name);
    add(t, "   (saros help NAME)\n");
}

char *saros_lua_help(const char *name) {
    text t = {0};
    int tables;
    const saros_option_table *const *table = option_tables(&tables);
    if (strncmp(name, "saros.", 6) == 0) name += 6;
    if (!*name) {
        help_list(&t);
        return t.data;
    }
    bool found = help_entry(&t, name);
    for (int k = 0; k < tables; ++k)
        if (strcmp(table[k]->name, name) == 0) {
            add(&t, "options of %s:\n", name);
            add_options(&t, table[k]);
            found = true;
        }
    if (found) return t.data;
    const char *names[SCRIPT_NAMES];
    const char *near = saros_nearest_name(name, names, script_names(names, SCRIPT_NAMES));
    char hint[128] = "saros help lists all names";
    if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    saros_release(t.data);
    saros_fail(SAROS_ERR_USAGE, "help", hint, "there is no help on '%s'", name);
    return NULL;
}

/* ---- LuaCATS ---- */

/** "x, axis?" as the parameter lines of a function. */
static void write_params(FILE *out, const char *args) {
    while (*args) {
        size_t n = strcspn(args, ",");
        char name[48];
        snprintf(name, sizeof name, "%.*s", (int)n, args);
        if (strcmp(name, "self") != 0) fprintf(out, "---@param %s any\n", name);
        args += n;
        while (*args == ',' || *args == ' ') ++args;
    }
}

/** Names without the marks of optional arguments. */
static void write_signature(FILE *out, const char *name, const char *args) {
    const char *colon = strchr(name, ':');
    if (colon)
        fprintf(out, "function %.*s%s(", (int)(colon - name), name, colon);
    else
        fprintf(out, "function saros.%s(", name);
    if (strncmp(args, "self", 4) == 0) {
        args += 4;
        while (*args == ',' || *args == ' ') ++args;
    }
    for (; *args; ++args)
        if (*args != '?') fputc(*args, out);
    fprintf(out, ") end\n\n");
}

static void write_options(FILE *out, const saros_option_table *table) {
    fprintf(out, "---@class saros.%s_options\n", table->name);
    static const char *const types[] = {"number", "integer",       "boolean",
                                        "string", "integer|table", "integer|number[]",
                                        "table",  "table[]",       "table<string, any>",
                                        "any"};
    for (int k = 0; k < table->rows; ++k)
        fprintf(out, "---@field %s? %s %s\n", table->row[k].name, types[table->row[k].kind],
                table->row[k].doc);
    fputc('\n', out);
}

void saros_lua_definitions(FILE *out) {
    int lists, tables;
    fprintf(out, "---@meta saros\n\n---@class saros\nlocal saros = {random = {}, linalg = {}, "
                 "equations = {}}\n\n"
                 "---@class saros.tensor\n---@field shape integer[]\n---@field dtype string\nlocal "
                 "tensor = {}\n\n"
                 "---@class saros.problem\nlocal problem = {}\n\n---@class saros.solution\nlocal "
                 "solution = {}\n\n");
    const saros_option_table *const *table = option_tables(&tables);
    for (int k = 0; k < tables; ++k) write_options(out, table[k]);
    const script_op_list *const *ops = script_op_lists(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < ops[k]->count; ++j) {
            const script_op *op = &ops[k]->op[j];
            fprintf(out, "---%s\n", script_op_doc(op));
            write_params(out, op->args);
            fprintf(out, "---@return saros.tensor\n");
            write_signature(out, op->name, op->args);
            if (op->spec[0] != 'v') continue;
            const char *last = strrchr(op->name, '.');
            fprintf(out, "tensor.%s = saros.%s\n\n", last ? last + 1 : op->name, op->name);
        }
    const script_entries *const *list = script_all_entries(&lists);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j) {
            const script_entry *e = &list[k]->entry[j];
            fprintf(out, "---%s\n", e->doc);
            write_params(out, e->args);
            fprintf(out, "---@return %s\n", e->returns);
            write_signature(out, e->name, e->args);
        }
    fprintf(out, "return saros\n");
}
