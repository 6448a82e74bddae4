/** Inside of a function: the program that compile makes, and the frames in which calls run it.
 *
 *  Every value has a slot: a prototype header whose shape and strides are final (inputs are made
 * row-major before the run), and a place. A frame copies the prototypes into its own memory once;
 * a call moves the `data` of inputs, outputs and their views and runs the steps. */
#ifndef SAROS_FUNCTION_IMPL_H
#define SAROS_FUNCTION_IMPL_H

#include <pthread.h>

#include "graph_impl.h"
#include "saros/function.h"
#include "tensor_impl.h"

typedef enum saros_place_kind {
    SAROS_PLACE_ARENA,    /**< at `offset` of the frame's arena */
    SAROS_PLACE_INPUT,    /**< memory of input `index` */
    SAROS_PLACE_OUTPUT,   /**< memory of output `index` */
    SAROS_PLACE_CONSTANT, /**< prototype's own data */
    SAROS_PLACE_VIEW,     /**< `offset` bytes into slot `index`, which is no view */
    SAROS_PLACE_OPAQUE    /**< opaque value `index` */
} saros_place_kind;

typedef struct saros_place {
    saros_place_kind kind;
    int32_t index;
    int64_t offset;
} saros_place;

/** Opaque values are pointers, so their users' table entries are set when they come to be. */
typedef struct saros_opaque_value {
    int32_t maker;          /**< table entry of the step that makes it; -1: an input or constant */
    int32_t input;          /**< input it is, or -1 */
    saros_tensor *constant; /**< constant it is, or NULL */
    int32_t last;           /**< last step that reads it; `steps`: an output */
    int32_t use_from, use_to;
} saros_opaque_value;

typedef struct saros_step {
    const saros_primitive *row;
    saros_attributes attributes;
    saros_function **body;
    const char *file;
    int32_t line, ins, outs;
    int32_t table;                    /**< first entry: ins, then outs */
    int32_t made_from, made_to;       /**< opaque values made here */
    int32_t dropped_from, dropped_to; /**< entries of `drop` */
} saros_step;

typedef struct saros_function_output {
    int32_t slot;   /**< value of the output */
    bool direct;    /**< the slot lives in the output's memory; else copied at the end */
    int32_t opaque; /**< opaque value, or -1 */
    int32_t step;   /**< step that first writes the output's memory; `steps` if copied */
} saros_function_output;

/** How a carry lies in the memory that its loop keeps for it: as a window of a larger array that
 * the body builds around it (compile_window.c). No bytes: row-major, nothing around it. */
typedef struct saros_layout {
    int64_t bytes, before; /**< of the larger array; from its begin to the first element */
    int64_t strides[SAROS_MAX_RANK];
} saros_layout;

typedef struct saros_frame saros_frame;

struct saros_function {
    atomic_int references;
    saros_graph *graph; /**< keeps words, bodies, tensors and file names alive */
    char *name;
    bool check_finite;
    const char *backend; /**< "cpu" or "reference" */
    int inputs, outputs;
    saros_type *input_type, *output_type;
    const char **input_name;          /**< "" if it has none */
    int32_t *input_slot, *input_last; /**< last step that reads the input's memory; -1: none */
    saros_function_output *output;
    int carries; /**< of the loop whose body this is: inputs from 1 on, outputs from 0 on */
    saros_layout *carry;
    int32_t steps, slots, table_size, views, opaques, drops, uses, bodies;
    saros_step *step;
    saros_function **body; /**< bodies of all steps */
    saros_tensor *prototype;
    saros_place *place;
    int32_t *table; /**< slot of each entry */
    int32_t *view;  /**< slots that are views of inputs or outputs: moved at each call */
    saros_opaque_value *opaque;
    int32_t *drop; /**< opaque values in the order of their last use */
    int32_t *use;  /**< table entries that read opaque values */
    int64_t *cell; /**< elements of splats */
    size_t arena_bytes;
    _Atomic(saros_frame *) spare;
    pthread_mutex_t lock;
    saros_frame *idle;
    int64_t profile_session; /**< profile that `profile_entry` belongs to; 0: none yet */
    struct saros_profile_entry *profile_entry;
};

/** One call's memory. */
struct saros_frame {
    saros_frame *next;
    const saros_function *function;
    const saros_communicator *communicator;
    char *arena;
    saros_tensor *header; /**< per slot */
    saros_tensor *output; /**< per output: row-major header over its memory */
    saros_tensor **table;
    saros_evaluation *evaluation; /**< per step */
    saros_tensor **opaque;        /**< per opaque value, owned here if made by a step */
    saros_tensor **copied;        /**< per input: row-major copy of this call, or NULL */
    saros_tensor **made;          /**< per output: tensor of this call, or NULL */
    void *scratch;                /**< memory of the frame's user that survives between calls */
    size_t scratch_bytes;
};

/** Ends the idle frames of a function that nobody calls any more. */
void saros_frames_free(saros_function *function);
/** A frame for one call; NULL with the error recorded. */
saros_frame *saros_frame_borrow(const saros_function *function,
                                const saros_communicator *communicator);
void saros_frame_return(saros_frame *frame);
/** Gives its memory back instead of keeping it for the next call; NULL allowed. */
void saros_frame_discard(saros_frame *frame);
/** Memory of at least `bytes` that stays with the frame; NULL with the error recorded. */
void *saros_frame_scratch(saros_frame *frame, size_t bytes);
/** Input k is the row-major (or opaque) `tensor` from now on. */
void saros_frame_bind(saros_frame *frame, int k, saros_tensor *tensor);
/** Only the address of a row-major input changes. */
static inline void saros_frame_move_input(saros_frame *frame, int k, void *data) {
    frame->header[frame->function->input_slot[k]].data = data;
}
/** Output k is written to `data`, row-major. */
static inline void saros_frame_move_output(saros_frame *frame, int k, void *data) {
    const saros_function_output *output = &frame->function->output[k];
    frame->output[k].data = data;
    if (output->direct) frame->header[output->slot].data = data;
}
/** Runs the program on the bound memory. Opaque outputs stay in frame->opaque. */
saros_status saros_frame_run(saros_frame *frame);
/** Releases the opaque values of the last run. */
void saros_frame_clear(saros_frame *frame);

/** Whether result `m` of the step may be written over value `root`, which the step reads. */
bool saros_step_in_place(const saros_function *function, const saros_step *step, int m,
                         int32_t root);
/** Whether a call may write `output` in the memory of `input`, which has its type. */
bool saros_function_in_place(const saros_function *function, int output, int input);

/** Compiles a body that works on a block of rows: it is not cut again. */
saros_status saros_compile_block(const saros_body *body, const saros_compile_options *options,
                                 saros_function **out);
/** Compiles a body that has been through the passes: all its ordered records have their inputs.
 *  @param carries 0, or those of the loop whose body this is and which asks for their layouts. */
saros_status saros_compile_ready(const saros_body *body, const saros_compile_options *options,
                                 int carries, saros_function **out);
/** saros_compile_body of a loop's body. */
saros_status saros_compile_loop(const saros_body *body, const saros_compile_options *options,
                                int carries, saros_function **out);

/** What the compiler knows of a value's memory, for the plan. */
typedef struct saros_interval {
    int32_t slot, first, last; /**< steps */
    int32_t over;              /**< interval whose memory this one is, written in place; or -1 */
    int64_t bytes, offset;
} saros_interval;
/** Fills the offsets of intervals sorted by `first`: blocks are reused once their last step is
 * over. An interval in the memory of another lives as a part of it and gets the offset of that. */
saros_status saros_plan_memory(int32_t count, saros_interval *interval, size_t *arena_bytes);

#endif
