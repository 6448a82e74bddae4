/** Option registry: finding rows and setting fields by name, with the checks that every interface
 * shares. Tables of nested options are walked by the interface; each level is one call here. */
#include "saros/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 128 };

/** "a, b, c" of all rows, cut to `bytes`. */
static const char *list_names(const saros_option_table *table, char *text, size_t bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (int k = 0; k < table->rows && used < bytes; ++k) {
        int written =
            snprintf(text + used, bytes - used, "%s%s", k ? ", " : "", table->row[k].name);
        used += written > 0 ? (size_t)written : 0;
    }
    return text;
}

const saros_option *saros_option_find(const saros_option_table *table, const char *name) {
    const char *names[MOST_NAMES];
    int rows = table->rows < MOST_NAMES ? table->rows : MOST_NAMES;
    for (int k = 0; k < table->rows; ++k)
        if (strcmp(table->row[k].name, name) == 0) return &table->row[k];
    for (int k = 0; k < rows; ++k) names[k] = table->row[k].name;
    const char *near = saros_nearest_name(name, names, rows);
    char list[1200], hint[1400];
    list_names(table, list, sizeof list);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'? Options: %s", near, list);
    else
        snprintf(hint, sizeof hint, "options: %s", list);
    saros_fail(SAROS_ERR_USAGE, table->name, hint, "%s has no option '%s'", table->name, name);
    return NULL;
}

static saros_status wrong_kind(const saros_option_table *table, const saros_option *row,
                               const char *got) {
    static const char *const needed[] = {
        [SAROS_OPTION_NUMBER] = "a number",
        [SAROS_OPTION_INTEGER] = "a whole number",
        [SAROS_OPTION_FLAG] = "true or false",
        [SAROS_OPTION_TEXT] = "a text",
        [SAROS_OPTION_AXES] = "a count or a table of counts by axis",
        [SAROS_OPTION_TIMES] = "a count or a list of times",
        [SAROS_OPTION_GROUP] = "a table of options",
        [SAROS_OPTION_LIST] = "a list of tables",
        [SAROS_OPTION_DICTIONARY] = "a table of names and values",
        [SAROS_OPTION_SPECIAL] = "another kind of value",
    };
    return saros_fail(SAROS_ERR_TYPE, table->name, row->doc, "option '%s' got %s, needed %s",
                      row->name, got, needed[row->kind]);
}

static saros_status check_range(const saros_option_table *table, const saros_option *row,
                                double value) {
    if (row->min == 0 && row->max == 0) {
        if (!isnan(value)) return SAROS_OK;
        return saros_fail(SAROS_ERR_DOMAIN, table->name, row->doc, "option '%s' is not a number",
                          row->name);
    }
    if (value >= row->min && value <= row->max) return SAROS_OK;
    return saros_fail(SAROS_ERR_DOMAIN, table->name, row->doc,
                      "option '%s' is %.17g, needed %g to %g%s%s", row->name, value, row->min,
                      row->max, row->unit && row->unit[0] ? " " : "", row->unit ? row->unit : "");
}

saros_status saros_option_set_number(const saros_option_table *table, void *options,
                                     const char *name, double value) {
    const saros_option *row = saros_option_find(table, name);
    if (!row) return SAROS_ERR_USAGE;
    char *field = (char *)options + row->offset;
    bool whole = value == floor(value) && fabs(value) < 0x1p53;
    switch (row->kind) {
    case SAROS_OPTION_NUMBER:
        break;
    case SAROS_OPTION_INTEGER:
    case SAROS_OPTION_AXES:
    case SAROS_OPTION_TIMES:
    case SAROS_OPTION_FLAG:
        if (!whole) return wrong_kind(table, row, "a number with a fraction");
        break;
    default:
        return wrong_kind(table, row, "a number");
    }
    saros_status status = check_range(table, row, value);
    if (status != SAROS_OK) return status;
    if (row->kind == SAROS_OPTION_NUMBER) {
        memcpy(field, &value, sizeof value);
    } else if (row->kind == SAROS_OPTION_FLAG) {
        int flag = value != 0 ? 1 : -1;
        memcpy(field, &flag, sizeof flag);
    } else if (row->kind == SAROS_OPTION_INTEGER) {
        int64_t integer = (int64_t)value;
        memcpy(field, &integer, sizeof integer);
    } else if (row->kind == SAROS_OPTION_TIMES) {
        saros_times times = {.count = (int64_t)value};
        memcpy(field, &times, sizeof times);
    } else {
        int64_t axes[SAROS_AXES] = {(int64_t)value, (int64_t)value, (int64_t)value, 0};
        memcpy(field, axes, sizeof axes); /* one number: the space axes */
    }
    return SAROS_OK;
}

/** Whether `value` is one of the words of `one_of`. */
static bool is_one_of(const char *one_of, const char *value) {
    size_t length = strlen(value);
    for (const char *word = one_of; *word;) {
        size_t span = strcspn(word, " ");
        if (span == length && strncmp(word, value, length) == 0) return true;
        word += span;
        word += strspn(word, " ");
    }
    return false;
}

saros_status saros_option_set_text(const saros_option_table *table, void *options, const char *name,
                                   const char *value) {
    const saros_option *row = saros_option_find(table, name);
    if (!row) return SAROS_ERR_USAGE;
    if (row->kind != SAROS_OPTION_TEXT && row->kind != SAROS_OPTION_DICTIONARY)
        return wrong_kind(table, row, "a text");
    if (row->one_of && !is_one_of(row->one_of, value))
        return saros_fail(SAROS_ERR_USAGE, table->name, row->doc,
                          "option '%s' is \"%s\", needed one of: %s", row->name, value,
                          row->one_of);
    memcpy((char *)options + row->offset, &value, sizeof value);
    return SAROS_OK;
}
