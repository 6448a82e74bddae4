/** Inside of the compiler: its state, and what its files call of each other. */
#ifndef SAROS_COMPILE_IMPL_H
#define SAROS_COMPILE_IMPL_H

#include "function_impl.h"

typedef struct saros_compiler {
    saros_graph *graph;
    saros_function *f;
    bool *live;            /**< per record */
    int32_t *slot_of;      /**< per value, -1: none yet */
    int32_t *first, *last; /**< per slot: the step that makes it, the last that reads its memory */
    int32_t values, entries, cells, bodies; /**< bounds for the arrays of the program */
} saros_compiler;

/** Decides where every value lives: outputs, arena, views, opaque values. */
saros_status saros_place_values(saros_compiler *compiler, const int32_t *output);
/** An empty function; NULL with the error recorded. */
saros_function *saros_function_make(saros_graph *graph, const saros_compile_options *options);

#endif
