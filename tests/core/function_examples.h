/** A graph of two inputs, and functions of it. */
#ifndef FUNCTION_EXAMPLES_H
#define FUNCTION_EXAMPLES_H

#include "engine_rows.h"

/** Graph with the inputs x and y, both f64[n]. */
typedef struct two {
    saros_graph *g;
    saros_value in[2];
    saros_tensor *tensor[2];
} two;

static inline two make_two(int64_t n, const double *x, const double *y) {
    two t = {.g = new_graph()};
    t.in[0] = input_of(t.g, SAROS_F64, 1, &n, "x");
    t.in[1] = input_of(t.g, SAROS_F64, 1, &n, "y");
    t.tensor[0] = vector_of(n, x);
    t.tensor[1] = vector_of(n, y);
    return t;
}
static inline void end_two(two *t) {
    saros_tensor_release(t->tensor[0]);
    saros_tensor_release(t->tensor[1]);
    saros_graph_release(t->g);
}
static inline saros_function *compile_two(const two *t, int outputs, const saros_value *output) {
    saros_function *f = NULL;
    ck_ok(saros_compile(t->g, 2, t->in, outputs, output, NULL, &f));
    return f;
}

static const double X[] = {1, 2, 3}, Y[] = {10, 20, 30};

#endif
