/** All rows of core in one list, as rows.h has them. */
#include "saros/rows.h"

#define ROW_ADDRESS(row) &row,
#define ELEMENTARY_ADDRESS(name, low, high) &saros_row_##name,
static const saros_primitive *const rows[] = {SAROS_CORE_ROWS(ROW_ADDRESS)
                                                  SAROS_ELEMENTARY_ROWS(ELEMENTARY_ADDRESS)};
#undef ELEMENTARY_ADDRESS
#undef ROW_ADDRESS

const saros_primitive *const *saros_core_primitives(int *count) {
    *count = (int)(sizeof rows / sizeof *rows);
    return rows;
}
