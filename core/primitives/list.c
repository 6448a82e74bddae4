/** All rows of core in one list, in the order of rows.h. */
#include "saros/rows.h"

#define ROW_ADDRESS(row) &row,
static const saros_primitive *const rows[] = {SAROS_CORE_ROWS(ROW_ADDRESS)};
#undef ROW_ADDRESS

const saros_primitive *const *saros_core_primitives(int *count) {
    *count = (int)(sizeof rows / sizeof *rows);
    return rows;
}
