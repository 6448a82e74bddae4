/** Graph: an arena that owns values; value: graph pointer and id, passed by value, nothing to free.
 *
 *      saros_graph *g; saros_graph_make(&g);
 *      saros_value u = saros_input(g, &type, "u");
 *      saros_value r = saros_add(saros_mul(u, u), saros_sin(u));     // ops.h
 *      saros_compile(g, 1, &u, 1, &r, NULL, &f);                     // function.h; errors of
 * building surface here
 *
 *  Append-only, so ids are a topological order. Hash-consed: the key is (row, attributes, operand
 * ids, fence). Building never fails at the call: a bad operand gives a poisoned value, and the
 * graph keeps the first error.
 */
#ifndef SAROS_GRAPH_H
#define SAROS_GRAPH_H

#include "saros/tensor.h"

typedef struct saros_graph saros_graph;
typedef struct saros_body saros_body; /**< closed graph of a region; refcounted */
typedef struct saros_primitive saros_primitive;

typedef struct saros_value {
    saros_graph *graph;
    int32_t id; /**< negative: poisoned */
} saros_value;

/** The symbolic zero: the absence of a tangent or cotangent. The only zero that annihilates. */
#define SAROS_NONE ((saros_value){NULL, -1})

/** Static parameters of a node. Doubles are stored by their bits (saros_bits). All compared by
 * content except `tensor`, which compares by storage identity. */
typedef struct saros_attributes {
    const int64_t *word;
    int words;
    saros_body *const *body; /**< bodies of a region; compared by structure */
    int bodies;
    saros_tensor *tensor; /**< large constant or opaque object; retained by the node */
} saros_attributes;

/** A node as passes see it; valid until the next value is built in the graph. */
typedef struct saros_node {
    const saros_primitive *row;
    saros_attributes attributes;
    const int32_t *operand; /**< ids */
    int operands;
    int32_t output; /**< id of the first output; the others follow */
    int outputs;
    int32_t fence;
    const char *file; /**< script position where it was built, "" if unknown */
    int line;
} saros_node;

/* ---- make and free ---- */
SAROS_API saros_status saros_graph_make(saros_graph **out);
SAROS_API saros_graph *saros_graph_retain(saros_graph *graph);
SAROS_API void saros_graph_release(saros_graph *graph);

/* ---- leaves ---- */
/** New input of `type`; `name` is for messages and dumps and may be NULL. Inputs are never merged.
 */
SAROS_API saros_value saros_input(saros_graph *graph, const saros_type *type, const char *name);
/** Constant from a tensor. Up to one element, or all elements equal in bits: compared by bits.
 * Larger: retained, compared by storage identity, immutable from then on. */
SAROS_API saros_value saros_constant(saros_graph *graph, saros_tensor *tensor);
/** Scalar constant. */
SAROS_API saros_value saros_scalar(saros_graph *graph, saros_dtype dtype, double value);
/** Every element of `type` equal to `value`. */
SAROS_API saros_value saros_splat(saros_graph *graph, const saros_type *type, double value);

/* ---- nodes ---- */
/** Appends (or finds) the node row(operands) and returns its first output. Operands may live in
 * `graph` or in a graph that encloses it (they become captures). */
SAROS_API saros_value saros_build(saros_graph *graph, const saros_primitive *row,
                                  const saros_attributes *attributes, int operands,
                                  const saros_value *operand);
/** k-th output of the node whose first output is `first`. */
SAROS_API saros_value saros_output(saros_value first, int k);
/** Innermost graph among `n` values (SAROS_NONE skipped); NULL if there is none. */
SAROS_API saros_graph *saros_graph_of(int n, const saros_value *values);

/* ---- read ---- */
static inline bool saros_is_none(saros_value v) {
    return v.graph == NULL;
}
static inline bool saros_is_poisoned(saros_value v) {
    return v.graph != NULL && v.id < 0;
}
static inline bool saros_same(saros_value a, saros_value b) {
    return a.graph == b.graph && a.id == b.id;
}
/** Type of a value; a poisoned or none value gives an f64 scalar. Valid until the next value is
 * built. */
SAROS_API const saros_type *saros_value_type(saros_value value);
SAROS_API saros_dtype saros_value_dtype(saros_value value);
SAROS_API int saros_value_rank(saros_value value);
/** The node that makes `id`; `*k` (may be NULL) says which output it is. */
SAROS_API saros_node saros_graph_node(const saros_graph *graph, int32_t id, int *k);
/** Number of values: ids are 0 … count-1. */
SAROS_API int32_t saros_graph_count(const saros_graph *graph);
/** true and `*out` set if `value` is a scalar or splat constant. */
SAROS_API bool saros_value_is_splat(saros_value value, double *out);
/** Name given to an input, "" otherwise. */
SAROS_API const char *saros_value_name(saros_value value);
/** The first error of building (recorded again in this thread), or SAROS_OK. */
SAROS_API saros_status saros_graph_status(const saros_graph *graph);

/* ---- errors and places ---- */
/** Records the thread's last error as the graph's first one and returns a poisoned value. */
SAROS_API saros_value saros_poison(saros_graph *graph);
/** Nodes built from now on carry this script position. `file` is copied. */
SAROS_API void saros_graph_locate(saros_graph *graph, const char *file, int line);
/** Values built between push and pop are never merged with those outside (recomputation). */
SAROS_API void saros_graph_fence_push(saros_graph *graph);
SAROS_API void saros_graph_fence_pop(saros_graph *graph);

/* ---- bodies of regions ---- */
/** Opens a graph inside `outer`. Declare its inputs with saros_input; use of a value of an
 * enclosing graph becomes a capture. */
SAROS_API saros_graph *saros_body_open(saros_graph *outer);
/** Closes `inner` (consumed, also on failure). Inputs of the body: the declared ones, then the
 * captures in order of first use. `outer_captures` (may be NULL) receives an array of values of
 * `outer` to release with saros_release; its length is saros_body_captures. Errors: the first error
 * of building. */
SAROS_API saros_status saros_body_close(saros_graph *inner, int outputs, const saros_value *output,
                                        saros_body **out, saros_value **outer_captures);
/** Part of a graph as a body: computes `output` from `input`, any values of `graph`. Leaves that
 * are not among `input` become captures, as by saros_body_close; `graph` is not changed. */
SAROS_API saros_status saros_body_extract(saros_graph *graph, int inputs, const saros_value *input,
                                          int outputs, const saros_value *output, saros_body **out,
                                          saros_value **outer_captures);
/** Whether both compute the same, by structure. */
SAROS_API bool saros_body_equal(const saros_body *a, const saros_body *b);
SAROS_API saros_body *saros_body_retain(saros_body *body);
SAROS_API void saros_body_release(saros_body *body);
SAROS_API int saros_body_inputs(const saros_body *body);   /**< declared + captures */
SAROS_API int saros_body_captures(const saros_body *body); /**< of those, trailing captures */
SAROS_API int saros_body_outputs(const saros_body *body);
SAROS_API saros_value saros_body_input(const saros_body *body, int k);
SAROS_API saros_value saros_body_output(const saros_body *body, int k);
/** The closed graph of a body (borrowed). */
SAROS_API saros_graph *saros_body_graph(const saros_body *body);
/** Copies the nodes of `body` into `graph` with `input` in place of its inputs; `output` receives
 * its outputs. */
SAROS_API void saros_inline(saros_graph *graph, const saros_body *body, const saros_value *input,
                            saros_value *output);

/** Readable dump, one node a line, into `text` (cut at `bytes`); returns the length needed. */
SAROS_API size_t saros_graph_dump(const saros_graph *graph, char *text, size_t bytes);

/** Bits of a double as an attribute word and back. */
static inline int64_t saros_bits(double x) {
    union {
        double d;
        int64_t i;
    } u = {.d = x};
    return u.i;
}
static inline double saros_from_bits(int64_t word) {
    union {
        int64_t i;
        double d;
    } u = {.i = word};
    return u.d;
}

#endif
