/** Row regions: chains of operations on long arrays run block by block of rows, so that what lies
 * between them stays in cache.
 *
 *      classes.c   axes that operations join entry by entry form classes; the ones worth cutting
 *      stages.c    in which sweep over its class a value is made, what is stored, what is made anew
 *      block.c     the body of one sweep for blocks of one size
 *      pass.c      the copy of a body in which every stage is one node `rows`
 *      region.c    that node: its words, types and dump
 *      run.c       its evaluation: blocks, lanes, accumulators
 */
#ifndef SAROS_ROWS_IMPL_H
#define SAROS_ROWS_IMPL_H

#include "graph_impl.h"
#include "rows/axes_impl.h"

enum {
    SAROS_ROWS_CLASSES = 16, /* most classes that are cut */
    SAROS_ROWS_STAGES = 32   /* most sweeps */
};

/** How a record takes part in the sweeps. */
typedef enum saros_rows_role {
    SAROS_ROWS_OUTSIDE, /**< runs once, on whole values */
    SAROS_ROWS_CARRIED, /**< row for row */
    SAROS_ROWS_ENDED,   /**< its class ends in it: each block gives a part of the result */
    SAROS_ROWS_JOINED   /**< the sum of two results of which each block gives a part */
} saros_rows_role;

/** What is known of a window on a graph. Axes are numbered over all values. */
typedef struct saros_rows_plan {
    const saros_body *body;
    const saros_graph *graph;
    bool *live;       /**< per record */
    int32_t *first;   /**< per value: number of its first axis */
    int32_t *parent;  /**< per axis: union-find */
    uint8_t *made;    /**< per value, bit a: axis a is made from nothing wherever it is used */
    int8_t *class_of; /**< per value: the class of one of its axes, or -1 */
    int8_t *axis_of;  /**< per value: which axis that is */
    int32_t *uses;    /**< per value */
    uint8_t *role;    /**< per record */
    int8_t *sweep;    /**< per record: its class, if carried or ended */
    uint8_t *stage;   /**< per record */
    uint32_t *parts;  /**< per record, ended and joined ones: the classes that give parts */
    uint32_t *bodies; /**< per record, bit s: the sweep of stage s makes it */
    bool *stored;     /**< per value: kept whole by the sweep that makes it */
    int classes, stages;
    int64_t rows[SAROS_ROWS_CLASSES], block[SAROS_ROWS_CLASSES];
    saros_typing typing; /**< of the record asked for last */
    saros_type *type;
    void *memory;
} saros_rows_plan;

/** Finds the classes worth cutting: plan->classes is 0 if there is none. */
saros_status saros_rows_classes(const saros_body *body, saros_rows_plan *out);
/** Roles, stages and what each sweep makes. Clears plan->classes if there are too many stages. */
void saros_rows_stages(saros_rows_plan *plan);
void saros_rows_plan_clear(saros_rows_plan *plan);

/** Types of record `n`, valid until the next call. */
const saros_typing *saros_rows_typing(saros_rows_plan *plan, int32_t n);
/** The axis of operand k that a swept record takes row by row, or -1: it takes the operand whole.
 */
int saros_rows_axis(saros_rows_plan *plan, int32_t n, int k);
/** Whether the value is made by a sweep. */
static inline bool saros_rows_swept(const saros_rows_plan *plan, int32_t id) {
    return plan->role[plan->graph->owner[id]] != SAROS_ROWS_OUTSIDE;
}
/** Whether the sweep of stage `stage` takes operand value `id` row by row from memory. */
static inline bool saros_rows_read(const saros_rows_plan *plan, int32_t id, int stage) {
    return !(plan->bodies[plan->graph->owner[id]] >> stage & 1);
}

/** The sweep of one class in one stage: its values by their ids in the plan's graph. */
typedef struct saros_rows_sweep {
    int class_, stage;
    int accumulators, reads, wholes, stores;
    int32_t *accumulator, *read, *whole, *store;
} saros_rows_sweep;

/** Lists of the sweep, to end with saros_rows_sweep_clear. */
saros_status saros_rows_sweep_make(saros_rows_plan *plan, int class_, int stage,
                                   saros_rows_sweep *out);
void saros_rows_sweep_clear(saros_rows_sweep *sweep);
/** Its body for blocks of `extent` rows. Inputs: index of the first row (i64), accumulators, blocks
 * of what is read, whole values; outputs: accumulators, blocks of what is stored. */
saros_status saros_rows_body(saros_rows_plan *plan, const saros_rows_sweep *sweep, int64_t extent,
                             saros_body **out);

/** The copy of `body` with row regions; NULL if nothing is worth it. */
saros_status saros_rows_pass(const saros_body *body, saros_body **out);

/* ---- the node ---- */

typedef enum saros_rows_join { SAROS_ROWS_SUM, SAROS_ROWS_MAX, SAROS_ROWS_MIN } saros_rows_join;

/** One class of a node. Operands: blocks, wholes; outputs: stores. */
typedef struct saros_rows_view {
    int64_t rows, block;
    int accumulators, blocks, wholes, stores;
    const int64_t *accumulator; /**< which of the node's */
    const int64_t *block_axis, *store_axis;
    int operand, store, body; /**< the first of its operands, stores and bodies */
} saros_rows_view;

/** Words: stage, classes, accumulators; their joins; per class its counts and lists. Outputs of the
 * node: accumulators, stores of all classes, memory to work in. */
enum { SAROS_ROWS_STAGE, SAROS_ROWS_COUNT, SAROS_ROWS_ACCUMULATORS, SAROS_ROWS_HEAD };
/** Reads the classes of a node; returns their number. */
int saros_rows_read_node(const saros_attributes *attributes, saros_rows_view *view);

/** How the tasks of a node run: from its shapes alone. */
typedef struct saros_rows_lanes {
    int64_t tasks, lanes;
    int64_t bytes; /**< of one set of accumulators */
} saros_rows_lanes;
saros_rows_lanes saros_rows_count(const saros_attributes *attributes);

extern const saros_primitive saros_row_rows;
saros_status saros_rows_evaluate(const saros_evaluation *evaluation);
/** Readable text of a node, a line a class. Returns the length needed. */
size_t saros_rows_dump(const saros_attributes *attributes, char *text, size_t bytes);
/** Appends that to the file that SAROS_DUMP=kernels:FILE names, if it does. */
saros_status saros_rows_record(const saros_attributes *attributes);

#endif
