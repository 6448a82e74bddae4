/** Option registry: one row per option drives the check, the help, the manual and the Lua tables.
 *  Option structs are plain structs whose zero means "default"; rows describe their fields.
 */
#ifndef SAROS_OPTIONS_H
#define SAROS_OPTIONS_H

#include "saros/tensor.h"

#define SAROS_AXES 4 /**< x, y, z, t */

typedef enum saros_option_kind {
    SAROS_OPTION_NUMBER,  /**< double */
    SAROS_OPTION_INTEGER, /**< int64_t */
    SAROS_OPTION_FLAG,    /**< int: 0 unset (default), 1 true, -1 false */
    SAROS_OPTION_TEXT,    /**< const char * */
    SAROS_OPTION_AXES,  /**< int64_t[SAROS_AXES]: {x=…, y=…} or one number for all space axes */
    SAROS_OPTION_TIMES, /**< saros_times: a count or a list */
    SAROS_OPTION_GROUP, /**< nested struct described by `group` */
    SAROS_OPTION_LIST,  /**< saros_option_list of structs described by `group` */
    SAROS_OPTION_DICTIONARY, /**< const char *: "name value name value…" passed on by their own
                                names (PETSc) */
    SAROS_OPTION_SPECIAL     /**< read by the interface itself (functions, tables of tensors); named
                                here for check and help */
} saros_option_kind;

typedef struct saros_times {
    int64_t count;      /**< number of equally spaced times, or the length of `list` */
    const double *list; /**< NULL: equally spaced */
} saros_times;

typedef struct saros_option_list {
    int count;
    void *items; /**< array of structs of the size in the row */
} saros_option_list;

typedef struct saros_option {
    const char *name;
    saros_option_kind kind;
    size_t offset;            /**< offsetof the field in its struct */
    const char *default_text; /**< as shown to users; the code's default is the same by test */
    double min, max;          /**< both 0: no range */
    const char *one_of;       /**< "a b c" for texts; NULL: any */
    const char *unit, *doc;
    const struct saros_option_table *group;
} saros_option;

typedef struct saros_option_table {
    const char *name; /**< e.g. "grid", "network" */
    size_t bytes;     /**< sizeof the struct */
    const saros_option *row;
    int rows;
    int positional; /**< index of the row a bare value stands for (lists: the first item), -1: none
                     */
} saros_option_table;

/** Row `name`, or NULL with SAROS_ERR_USAGE recorded: nearest name and the list of all. */
SAROS_API const saros_option *saros_option_find(const saros_option_table *table, const char *name);
/** Set a number/integer/flag/text after checking kind, range and one_of. `options` is the struct.
 * Texts are borrowed. */
SAROS_API saros_status saros_option_set_number(const saros_option_table *table, void *options,
                                               const char *name, double value);
SAROS_API saros_status saros_option_set_text(const saros_option_table *table, void *options,
                                             const char *name, const char *value);

#endif
