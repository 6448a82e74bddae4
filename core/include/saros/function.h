/** Function: compiled inputs -> outputs; and eager application of one primitive.
 *
 *      saros_function *f;
 *      SAROS_TRY(saros_compile(g, 2, inputs, 1, &loss, NULL, &f));
 *      saros_tensor *out[1] = {NULL};                       // NULL: allocated; given: written in
 * place SAROS_TRY(saros_function_call(f, in, out, NULL));
 *
 *  A function holds no mutable memory: each call borrows an arena, so several threads may call it
 * at once.
 */
#ifndef SAROS_FUNCTION_H
#define SAROS_FUNCTION_H

#include "saros/primitive.h"

typedef struct saros_function saros_function;

/** Ranks that run the same function on their parts. Operations are collective; `reduce` sums in
 * rank order. */
typedef struct saros_communicator {
    int rank, ranks;
    /** In place sum of `count` elements of `dtype` over all ranks, the same bits on each. */
    saros_status (*allreduce)(const struct saros_communicator *self, saros_dtype dtype,
                              int64_t count, void *data);
    void *user;
} saros_communicator;

typedef struct saros_compile_options {
    const char *name;    /**< for messages and profiles; NULL: "function" */
    const char *backend; /**< "cpu" (compiled), "reference"; NULL: SAROS_BACKEND, else the compiled
                             one where there is one */
    bool check_finite; /**< stop with SAROS_ERR_NAN naming the operation and script line that first
                          gives NaN or infinity */
} saros_compile_options;

typedef struct saros_call_options {
    uint64_t donate; /**< bit k: input k (up to 63) may be overwritten and its storage reused */
    const saros_communicator *communicator;
} saros_call_options;

/** Compiles values of one graph. `input` must be inputs of the graph and cover all that the outputs
 * use. The graph may be released afterwards. Errors: the graph's first building error; USAGE for an
 * input that is missing. */
SAROS_API saros_status saros_compile(saros_graph *graph, int inputs, const saros_value *input,
                                     int outputs, const saros_value *output,
                                     const saros_compile_options *options, saros_function **out);
/** The backend a function gets when none is named: SAROS_BACKEND, else "cpu" where this build and
 * machine can compile, else "reference". `vector_bits` (may be NULL): width of its vectors, 0 for
 * the reference. */
SAROS_API const char *saros_backend_default(int *vector_bits);
/** Compiles a closed body. */
SAROS_API saros_status saros_compile_body(saros_body *body, const saros_compile_options *options,
                                          saros_function **out);
SAROS_API saros_function *saros_function_retain(saros_function *function);
SAROS_API void saros_function_release(saros_function *function);
SAROS_API int saros_function_inputs(const saros_function *function);
SAROS_API int saros_function_outputs(const saros_function *function);
SAROS_API const saros_type *saros_function_input_type(const saros_function *function, int k);
SAROS_API const saros_type *saros_function_output_type(const saros_function *function, int k);

/** The program that runs, for people: one step a line in the order they run, kernels with their
 * operations, bodies indented. Cut at `bytes`; returns the length needed. */
SAROS_API size_t saros_function_dump(const saros_function *function, char *text, size_t bytes);

/** Runs. A given out[k] is written in place (any strides, exact shape and dtype); NULL is allocated
 * and handed to the caller. On failure no given output is defined and nothing is allocated. Errors:
 * SHAPE, TYPE naming the input; those of the rows. */
SAROS_API saros_status saros_function_call(const saros_function *function, saros_tensor *const *in,
                                           saros_tensor **out, const saros_call_options *options);

/** Applies one row to tensors at once, no graph kept; plans are cached per (row, attributes,
 * types). */
SAROS_API saros_status saros_apply(const saros_primitive *row, const saros_attributes *attributes,
                                   int ins, saros_tensor *const *in, saros_tensor **out);

#endif
