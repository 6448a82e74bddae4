/** A loop that doubles, with which regions are put to the test. */
#ifndef CORE_REGION_EXAMPLES_H
#define CORE_REGION_EXAMPLES_H

#include "engine_rows.h"

static inline saros_function *compile(saros_graph *g, int inputs, const saros_value *input,
                                      int outputs, const saros_value *output) {
    saros_function *f = NULL;
    saros_status status = saros_compile(g, inputs, input, outputs, output, NULL, &f);
    ck_assert_msg(status == SAROS_OK, "%s: %s", saros_error_last()->where,
                  saros_error_last()->message);
    return f;
}
static inline saros_status doubling(saros_graph *body, saros_value index, const saros_value *carry,
                                    const saros_value *input, void *user, saros_value *next,
                                    saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = unary(&row_counted, saros_add(carry[0], carry[0]));
    return SAROS_OK;
}

/** A loop of `doubling` over x. */
static inline saros_value double_n_times(saros_graph *g, saros_value n, int64_t bound,
                                         saros_value x) {
    saros_value out;
    saros_loop(
        g, &(saros_loop_spec){.n = n, .bound = bound, .carries = 1, .carry = &x, .build = doubling},
        &out, NULL);
    return out;
}

#endif
