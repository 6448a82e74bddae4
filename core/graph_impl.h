/** Inside of the graph: what its parts, the regions, the function compiler and the core rows share.
 *
 *  Types in attribute words: rows whose output type is told, not inferred (input, constant, splat,
 * reshape, broadcast, iota, random…), put it into their words by saros_words_from_type, further
 * parameters before or after it.
 *
 *  What the graph does with a row on its own while building (graph_fold.c), so that rows and ops
 * need not: a POINTWISE row of splats is evaluated once and becomes a splat; a row with a `view`
 * column of a splat is that splat in the new shape; `unit` and SAROS_INVOLUTION of primitive.h.
 * SAROS_ORDERED and SAROS_DISTINCT rows are left alone.
 */
#ifndef SAROS_GRAPH_IMPL_H
#define SAROS_GRAPH_IMPL_H

#include <stdatomic.h>

#include "saros/primitive.h"
#include "status_impl.h"

/** Most words saros_words_from_type writes: dtype, rank, split, extents. */
enum { SAROS_TYPE_WORDS = 3 + SAROS_MAX_RANK };

/** Writes `type` to `word`; returns the number of words, 3 + rank. */
int saros_words_from_type(const saros_type *type, int64_t *word);
/** Reads a type written by saros_words_from_type; returns the number of words. */
int saros_type_from_words(const int64_t *word, saros_type *type);

/* ---- inside of core: graph.c and its neighbours ---- */

typedef struct saros_graph_record {
    const saros_primitive *row;
    const int64_t *word;
    saros_body *const *body;
    saros_tensor *tensor;
    const int32_t *operand;
    const char *file;
    int32_t words, bodies, operands, outputs;
    int32_t output; /**< id of the first output */
    int32_t fence, line;
    uint32_t hash;
} saros_graph_record;

typedef struct saros_graph_slot {
    uint32_t hash;
    int32_t record; /**< index + 1; 0: empty */
} saros_graph_slot;

/** An input of the graph; a capture stands for value `outer` of the enclosing graph. */
typedef struct saros_graph_input {
    int32_t id, outer; /**< outer < 0: declared */
    const char *name;
} saros_graph_input;

typedef struct saros_graph_chunk saros_graph_chunk;

struct saros_graph {
    atomic_int references;
    int32_t values, value_room;
    int32_t *owner;          /**< record of each value */
    const saros_type **type; /**< of each value, interned in the arena */
    int32_t records, pages, page_room;
    saros_graph_record **page;   /**< records never move: graphs grow without copying them */
    const saros_type **interned; /**< open addressing */
    uint32_t interned_slots, interned_count;
    uint32_t slots;  /**< a power of two, or 0 */
    uint32_t merged; /**< records in the table */
    saros_graph_slot *slot;
    saros_graph_chunk *chunk; /**< arena of words, operands and names */
    char *free_from, *free_to;
    int32_t inputs, input_room;
    saros_graph_input *input;
    int32_t captures;
    uint32_t memo_slots;
    int32_t *memo; /**< open addressing: outer id + 1, id here; pairs */
    int32_t fence, fences, depth_of_fences;
    int32_t fence_stack[64];
    const char *file;
    int line;
    bool ordered; /**< holds a record that is ordered */
    saros_graph *outer;
    saros_error_copy *error;
    int32_t scratch_room;
    int32_t *scratch;   /**< operand ids of the node being built */
    saros_type *typing; /**< SAROS_MAX_OUTPUTS + operand types of the node being typed */
    int32_t typing_room;
};

struct saros_body {
    atomic_int references;
    saros_graph *graph;
    int inputs, captures, outputs;
    int32_t *input, *output;
    uint64_t hash;
};

enum { SAROS_PAGE_BITS = 7 };
static inline saros_graph_record *saros_graph_at(const saros_graph *graph, int32_t record) {
    return &graph->page[record >> SAROS_PAGE_BITS][record & ((1 << SAROS_PAGE_BITS) - 1)];
}
/** The record that makes value `id`. */
static inline saros_graph_record *saros_graph_maker(const saros_graph *graph, int32_t id) {
    return saros_graph_at(graph, graph->owner[id]);
}
/** The graph's one copy of `type`; NULL with the error recorded. */
const saros_type *saros_graph_intern(saros_graph *graph, const saros_type *type);
/** Bytes of the graph's arena (8-byte aligned), or NULL with the error recorded. */
void *saros_graph_take(saros_graph *graph, size_t bytes);
/** Appends or finds a node whose operands are ids of `graph`; first output or -1 with the error
 * recorded (not yet kept). */
int32_t saros_graph_append(saros_graph *graph, const saros_primitive *row,
                           const saros_attributes *attributes, int operands,
                           const int32_t *operand);
/** Id in `graph` of a value of it or of an enclosing graph, or -1 with the error recorded. */
int32_t saros_graph_resolve(saros_graph *graph, saros_value value);
/** Input of `graph` that stands for `value` of an enclosing graph. */
int32_t saros_graph_capture(saros_graph *graph, saros_value value);
/** Input record appended; `outer` < 0: declared. */
int32_t saros_graph_declare(saros_graph *graph, const saros_type *type, const char *name,
                            int32_t outer);
/** Whether the node must not be merged, dropped or reordered: the row, its bodies or its call. */
bool saros_node_is_ordered(const saros_primitive *row, const saros_attributes *attributes);
static inline saros_attributes saros_record_attributes(const saros_graph_record *r) {
    return (saros_attributes){r->word, r->words, r->body, r->bodies, r->tensor};
}
/** Whether two records of closed graphs or of one graph have the same row and attributes. */
bool saros_attributes_equal(const saros_attributes *a, const saros_attributes *b);
uint64_t saros_attributes_hash(const saros_attributes *attributes);
static inline uint64_t saros_hash_mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

/** Id of an equal, simpler value, or -1 if there is none. `output` is the node's type. */
int32_t saros_graph_fold(saros_graph *graph, const saros_primitive *row,
                         const saros_attributes *attributes, int operands, const int32_t *operand,
                         const saros_type *output);
/** The record of a splat constant, or NULL. */
const saros_graph_record *saros_graph_splat(const saros_graph *graph, int32_t id);
/** Constant of `type` with every element equal to the one `word` stands for. */
int32_t saros_graph_splat_word(saros_graph *graph, const saros_type *type, int64_t word);
/** One element as a word (floats: bits of the double; integers: themselves) and back. */
int64_t saros_word_from_element(saros_dtype dtype, const void *element);
void saros_element_from_word(saros_dtype dtype, int64_t word, void *element);

#endif
