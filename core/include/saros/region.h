/** Regions: nodes with bodies. A body is a closed graph; using a value of an enclosing graph inside
 * adds a capture, an operand like any other. Callbacks build the body; their failure poisons the
 * result.
 */
#ifndef SAROS_REGION_H
#define SAROS_REGION_H

#include "saros/function.h"
#include "saros/rows.h"

/** Builds one iteration: `index` i64 scalar; carry[], input[] (slices at this iteration); fills
 * next[] and kept[]. */
typedef saros_status (*saros_loop_fn)(saros_graph *body, saros_value index,
                                      const saros_value *carry, const saros_value *input,
                                      void *user, saros_value *next, saros_value *kept);

/** for i in 0 … n-1 (reverse: n-1 … 0). Types of carry are invariant. */
typedef struct saros_loop_spec {
    saros_value n; /**< i64 scalar; a constant or a run-time value at most `bound` */
    int64_t bound; /**< static bound on n */
    int carries;
    const saros_value *carry; /**< initial values */
    int inputs;
    const saros_value *input; /**< leading axis of extent `bound`, sliced at i */
    int kept;                 /**< outputs of each iteration, stacked on a new leading axis */
    int64_t every; /**< keep iterations every-1, 2 every-1, …; 0 means 1. Stacked extent:
                      bound/every; rows beyond n are 0 */
    bool reverse;
    int64_t states; /**< carries that the reverse sweep may hold at once, the initial one among them
                       and two it works in not; it recomputes the others. 0: all if half of
                       saros_memory_free holds them when it is built, else as many as do */
    int64_t disk;   /**< further ones that it may hold in a file without a name in `folder` */
    const char *folder; /**< NULL: none; copied */
    bool early; /**< carry 0 is a bool scalar: no iteration begins once it is false; not in reverse
                 */
    saros_loop_fn build;
    void *user;
} saros_loop_spec;

/** Appends the loop. `final` receives `carries` values, `stacked` `kept` values. */
SAROS_API void saros_loop(saros_graph *graph, const saros_loop_spec *spec, saros_value *final,
                          saros_value *stacked);
/** Appends a loop from a finished body. Body inputs: index, carry, input slices, captures; outputs:
 * next, kept. */
SAROS_API void saros_loop_body(saros_graph *graph, saros_body *body, saros_value n, int64_t bound,
                               int64_t every, bool reverse, int carries, const saros_value *carry,
                               int inputs, const saros_value *input, int captures,
                               const saros_value *capture, saros_value *out);

/** A loop from a finished body, with all that feeds it. */
typedef struct saros_loop_parts {
    saros_body *body;
    saros_value n;
    int64_t bound, every, states, disk; /**< as in saros_loop_spec */
    const char *folder;
    saros_tensor *place; /**< the folder of another loop, in the place of `folder`, or NULL */
    bool reverse, early;
    int carries, inputs, captures;
    const saros_value *carry, *input, *capture;
    int stacked; /**< the last outputs of the body, stacked at every iteration whatever
                    `every` says: what reverse mode keeps */
    saros_value
        contains; /**< an output of a loop that this one repeats, or SAROS_NONE: with the
                     same n and options, its carries, inputs, captures, kept and stacked
                     outputs the first of each kind. Where both are live, only this one runs. */
    bool leaves;  /**< one more output, opaque: the states that it passes, for saros_loop_reverse */
} saros_loop_parts;
/** As saros_loop_body, with every option. Outputs: carries, kept ones, stacked ones, states. */
SAROS_API void saros_loop_append(saros_graph *graph, const saros_loop_parts *parts,
                                 saros_value *out);

/** Appends two loops in one: `forward` is run for its carries at the start of each iteration alone
 * (its body gives the next carry and nothing else), `backward` runs the iterations in the other
 * order, its body sees these carries between its own carry and its inputs. At most forward->states
 * of them, and forward->disk in a file, are held at once, the others are computed again by the
 * binomial schedule. `left`, with forward->leaves: what the loop left that ran already. `out`
 * receives what `backward` gives. */
SAROS_API void saros_loop_reverse(saros_graph *graph, const saros_loop_parts *forward,
                                  const saros_loop_parts *backward, saros_value left,
                                  saros_value *out);

/** Reads the attributes of a loop node: what a differentiation rule needs. Operands: n, carry,
 * input, captures. Outputs: carry, kept (bound/every rows), states (bound rows), what it leaves. */
typedef struct saros_loop_view {
    int64_t bound, every, snapshots, disk; /**< snapshots: `states` of saros_loop_spec */
    const char *folder;                    /**< the text in `place`, or NULL */
    saros_tensor *place;
    bool reverse, early, leaves;
    int carries, inputs, captures, kept, states;
    saros_body *body;
} saros_loop_view;
SAROS_API saros_loop_view saros_loop_read(const saros_attributes *attributes);
/** The two loops of a loop_reverse node. Operands: n; carry, input, capture of the first; the same
 * of the second; what it left, if forward->leaves. `backward->inputs` counts the first one's
 * carries, which no operand feeds. */
SAROS_API void saros_loop_reverse_read(const saros_attributes *attributes, saros_loop_view *forward,
                                       saros_loop_view *backward);

typedef saros_status (*saros_branch_fn)(saros_graph *body, void *user, saros_value *out);
/** `mask` (bool scalar) chooses; both branches give `outputs` values of equal types; only the
 * chosen one runs. */
SAROS_API void saros_cond(saros_value mask, saros_branch_fn then, void *then_user,
                          saros_branch_fn otherwise, void *otherwise_user, int outputs,
                          saros_value *out);
/** From finished bodies; then_capture/else_capture feed them. Operands of the node: mask, then
 * captures, else captures. */
SAROS_API void saros_cond_body(saros_value mask, saros_body *then, int then_captures,
                               const saros_value *then_capture, saros_body *otherwise,
                               int else_captures, const saros_value *else_capture,
                               saros_value *out);
typedef struct saros_cond_view {
    saros_body *then, *otherwise;
    int then_captures, else_captures, outputs;
} saros_cond_view;
SAROS_API saros_cond_view saros_cond_read(const saros_attributes *attributes);

/** Foreign code as a node. Two forms of derivative:
 *  builder (build_jvp, build_vjp append values; nests to any order) and numeric (apply_jvp,
 * apply_vjp on tensors: a second derivative is an error naming the call). Missing ones: that mode
 * is an error naming the call. */
typedef struct saros_call_class {
    const char *name;
    bool pure; /**< false: ordered, never merged or dropped */
    saros_status (*type)(void *user, int ins, const saros_type *in, int outs, saros_type *out);
    saros_status (*apply)(void *user, int ins, saros_tensor *const *in, int outs,
                          saros_tensor **out);
    /** in: primals then tangents (every input has one, zeros if none). */
    saros_status (*apply_jvp)(void *user, int ins, saros_tensor *const *in, int outs,
                              saros_tensor **out_tangent);
    /** in: primals then cotangents of the outputs; gradient: one per input. */
    saros_status (*apply_vjp)(void *user, int ins, saros_tensor *const *in, int outs,
                              saros_tensor **gradient);
    saros_status (*build_jvp)(void *user, saros_graph *graph, int ins, const saros_value *in,
                              const saros_value *out, const saros_value *tangent,
                              saros_value *out_tangent);
    saros_status (*build_vjp)(void *user, saros_graph *graph, int ins, const saros_value *in,
                              const saros_value *out, const saros_value *cotangent,
                              saros_value *gradient);
    void (*release)(void *user); /**< with the last node that holds the call; may be NULL */
} saros_call_class;

/** The class record must outlive the process's use of it; `user` is owned by the call from here on.
 * Numeric callbacks get row-major inputs and allocated row-major outputs. */
SAROS_API void saros_call(saros_graph *graph, const saros_call_class *class_, void *user, int ins,
                          const saros_value *in, int outs, saros_value *out);

#endif
