/** loop_reverse: the reverse sweep of a loop in bounded memory.
 *
 *  Two loops in one node. The first is only run for its carries x_0, x_1, …; the second goes
 * through the iterations from the last to the first and sees x_j in its iteration for j. How many
 * x_j are held and which are computed again is the business of region_states.c. x_0 is the operand
 * itself; an advance alternates between two copies more. A carry that the first body wants as a
 * window of a larger array moves in when an advance begins and out when it ends.
 *
 *  Operands: n; carry, input, capture of the first; the same of the second; the states that the
 * loop left when it ran, if it does (`leaves`). Only one sweep can use these up; another one, of
 * the same loop for other cotangents, begins at x_0. Bodies and words: those
 *  of the first loop, then those of the second, whose inputs begin with the first one's carries. */
#include <string.h>

#include "primitives/build_impl.h"
#include "region_states_impl.h"
#include "saros/memory.h"

static saros_attributes part(const saros_attributes *attributes, int k) {
    return (saros_attributes){.word = attributes->word + k * SAROS_LOOP_WORDS,
                              .words = SAROS_LOOP_WORDS,
                              .tensor = attributes->tensor,
                              .body = attributes->bodies ? attributes->body + k : NULL,
                              .bodies = attributes->bodies ? 1 : 0};
}

void saros_loop_reverse_read(const saros_attributes *attributes, saros_loop_view *forward,
                             saros_loop_view *backward) {
    saros_attributes first = part(attributes, 0), second = part(attributes, 1);
    *forward = saros_loop_read(&first);
    *backward = saros_loop_read(&second);
}

/* ---- type ---- */

/** Both loops are typed as loops of their own, the second with stacked carries of the first. */
static saros_status reverse_type(saros_typing *typing) {
    saros_loop_view f, b;
    saros_loop_reverse_read(typing->attributes, &f, &b);
    saros_attributes first = part(typing->attributes, 0), second = part(typing->attributes, 1);
    int ins = 1 + f.carries + f.inputs + f.captures, stacked = 1 + b.carries;
    int all = 1 + b.carries + b.inputs + b.captures, rest = all - stacked - f.carries;
    saros_status status = SAROS_OK;
    saros_type *operand = NULL;
    if (f.snapshots < 1 || f.kept + f.states || f.bound != b.bound || f.reverse == b.reverse ||
        rest < 0 || typing->operands != ins + stacked - 1 + rest + f.leaves ||
        (f.leaves && typing->operand[typing->operands - 1].dtype != SAROS_OPAQUE))
        return saros_fail(SAROS_ERR_USAGE, "loop_reverse", NULL,
                          "the loops do not fit each other: states %lld, bounds %lld and %lld, "
                          "%d operands",
                          (long long)f.snapshots, (long long)f.bound, (long long)b.bound,
                          typing->operands);
    saros_typing sub = {.row = typing->row,
                        .attributes = &first,
                        .operands = ins,
                        .operand = typing->operand,
                        .output = typing->output};
    SAROS_TRY(saros_loop_type(&sub)); /* which has room for what the loop leaves */
    if (!(operand = saros_allocate((size_t)all * sizeof *operand))) return SAROS_ERR_MEMORY;
    operand[0] = typing->operand[0];
    memcpy(operand + 1, typing->operand + ins, (size_t)b.carries * sizeof *operand);
    for (int k = 0; k < f.carries; ++k)
        SAROS_TRY(
            saros_loop_stack_type(&typing->operand[1 + k], f.bound, k, &operand[stacked + k]));
    memcpy(operand + stacked + f.carries, typing->operand + ins + b.carries,
           (size_t)rest * sizeof *operand);
    sub.attributes = &second;
    sub.operands = all;
    sub.operand = operand;
    SAROS_TRY(saros_loop_type(&sub));
    typing->outputs = sub.outputs;
done:
    saros_release(operand);
    return status;
}

/* ---- evaluation ---- */

typedef struct sweep {
    saros_loop_view forward;
    saros_running back;
    saros_frame *frame; /* of the forward body */
    int64_t n, index;
    saros_lane *carry, *input; /* data: the operand */
    char *working[2];          /* two states to work in */
    char **window;             /* per carry: two of its larger arrays, one behind the other */
    saros_states *states, *own;
} sweep;

static const saros_layout *layout_of(const sweep *s, int k) {
    return &s->frame->function->carry[k];
}

/** The first element of carry k in the even or odd one of its larger arrays. */
static char *window_of(const sweep *s, int k, int64_t slot) {
    const saros_layout *layout = layout_of(s, k);
    return s->window[k] + (slot & 1) * saros_padded(layout->bytes) + layout->before;
}

/** The states that the loop left, unless another sweep has them; else room for our own. */
static saros_status take_states(sweep *s, const saros_evaluation *e, int64_t bytes) {
    const saros_loop_view *v = &s->forward;
    s->states = v->leaves ? saros_states_of(e->in[e->ins - 1]) : NULL;
    if (s->states && !atomic_exchange(&s->states->taken, true)) return SAROS_OK;
    saros_status status = saros_states_make(v, s->n, bytes, &s->own);
    s->states = s->own;
    return status;
}

static saros_status sweep_open(sweep *s, const saros_evaluation *e, const saros_dense *in) {
    const saros_loop_view *v = &s->forward;
    int64_t bytes = 0;
    for (int k = 0; k < v->carries; ++k)
        bytes += saros_padded(saros_row_bytes(in->tensor[1 + k], false));
    int64_t lanes = saros_padded((int64_t)sizeof(saros_lane) * (v->carries + v->inputs)),
            windows = saros_padded((int64_t)sizeof(char *) * v->carries), larger = 0;
    for (int k = 0; k < v->carries; ++k) larger += 2 * saros_padded(layout_of(s, k)->bytes);
    char *memory = saros_frame_scratch(s->frame, (size_t)(lanes + windows + 2 * bytes + larger));
    if (!memory) return SAROS_ERR_MEMORY;
    s->carry = (void *)memory;
    s->input = s->carry + v->carries;
    s->window = (void *)(memory + lanes);
    lanes += windows;
    char *window = memory + lanes + 2 * bytes;
    for (int k = 0; k < v->carries; ++k) {
        s->window[k] = window;
        window += 2 * saros_padded(layout_of(s, k)->bytes);
    }
    for (int k = 0; k < 2; ++k) s->working[k] = memory + lanes + k * bytes;
    for (int k = 0; k < v->carries + v->inputs; ++k) {
        saros_tensor *tensor = in->tensor[1 + k];
        s->carry[k] =
            (saros_lane){.data = tensor->data, .bytes = saros_row_bytes(tensor, k >= v->carries)};
    }
    saros_frame_move_input(s->frame, 0, &s->index);
    int captures = 1 + v->carries + v->inputs;
    for (int k = captures; k < captures + v->captures; ++k)
        saros_frame_bind(s->frame, k, in->tensor[k]);
    saros_status status = take_states(s, e, bytes);
    return status == SAROS_OK ? saros_running_open(&s->back, e, in) : status;
}

/** Moves carries that lie in windows between these, at their array number `slot`, and `state`. */
static void copy_windows(const sweep *s, bool in, int64_t slot, char *state) {
    const saros_function *f = s->frame->function;
    char *at = state;
    for (int k = 0; k < s->forward.carries; ++k) {
        const saros_layout *layout = layout_of(s, k);
        const saros_type *type = &f->input_type[1 + k];
        char *dense = state ? at : s->carry[k].data, *window = window_of(s, k, slot);
        int64_t strides[SAROS_MAX_RANK];
        if (state) at += saros_padded(s->carry[k].bytes);
        if (!layout->bytes) continue;
        saros_strides_fill(type->rank, type->shape, strides);
        saros_copy_strided(type->rank, type->shape, type->dtype, in ? window : dense,
                           in ? layout->strides : strides, type->dtype, in ? dense : window,
                           in ? strides : layout->strides);
    }
}

/** Carries at `state`, NULL: the operands, are the inputs or outputs of the first body, but for
 * those that lie in windows: these at their array number `slot`. */
static void move_state(const sweep *s, bool output, char *state, int64_t slot) {
    char *at = state;
    for (int k = 0; k < s->forward.carries; ++k) {
        char *data = state ? at : s->carry[k].data;
        if (state) at += saros_padded(s->carry[k].bytes);
        if (layout_of(s, k)->bytes) data = window_of(s, k, slot);
        if (output)
            saros_frame_move_output(s->frame, k, data);
        else
            saros_frame_move_input(s->frame, 1 + k, data);
    }
}

/** Runs iterations first … last-1 from the carries at `from`, into `to`, which is not working[0].
 */
static saros_status advance(sweep *s, int64_t first, int64_t last, char *from, char *to) {
    const saros_loop_view *v = &s->forward;
    copy_windows(s, true, first, from);
    for (int64_t j = first; j < last; ++j) {
        saros_status status = saros_loop_ask(j, s->n);
        if (status != SAROS_OK) return status;
        char *next = (last - 1 - j) % 2 ? s->working[0] : to;
        s->index = v->reverse ? s->n - 1 - j : j;
        move_state(s, false, from, j);
        move_state(s, true, next, j + 1);
        for (int k = 0; k < v->inputs; ++k)
            saros_frame_move_input(s->frame, 1 + v->carries + k,
                                   s->input[k].data + s->index * s->input[k].bytes);
        status = saros_frame_run(s->frame);
        if (status != SAROS_OK) {
            saros_error_frame("iteration %lld of %lld, computed again", (long long)s->index,
                              (long long)s->n);
            return status;
        }
        from = next;
    }
    copy_windows(s, false, last, to);
    return SAROS_OK;
}

/** Stores the next state on the way from the last one at `from`, before iteration `end`. */
static saros_status store_next(sweep *s, int64_t end, char *from) {
    saros_states *states = s->states;
    int64_t top = states->top, at = states->position[top];
    int64_t next = at + saros_states_stride(end - at, states->most - top);
    saros_status status = advance(s, at, next, from, saros_states_room(states, top + 1));
    if (status == SAROS_OK) status = saros_states_keep(states, top + 1);
    if (status != SAROS_OK) return status;
    states->position[top + 1] = next;
    states->top = top + 1;
    return SAROS_OK;
}

/** The carries at `state` are what the second body sees of the first. */
static void feed_state(const sweep *s, char *state) {
    for (int k = 0; k < s->forward.carries; ++k) {
        saros_frame_move_input(s->back.frame, 1 + s->back.view.carries + k,
                               state ? state : s->carry[k].data);
        if (state) state += saros_padded(s->carry[k].bytes);
    }
}

static saros_status sweep_run(sweep *s) {
    saros_status status = SAROS_OK;
    saros_states *states = s->states;
    for (int64_t end = s->n; end > 0 && status == SAROS_OK;) {
        int64_t top = states->top, at = states->position[top];
        char *state = NULL;
        if (top) status = saros_states_find(states, top, &state);
        if (status != SAROS_OK) break;
        if (end - at > 1 && states->most - top > 1) {
            status = store_next(s, end, state);
            continue;
        }
        if (end - at > 1) {
            status = advance(s, at, end - 1, state, s->working[1]);
            state = s->working[1];
        }
        if (status != SAROS_OK) break;
        feed_state(s, state);
        status = saros_running_step(&s->back, s->n - end);
        --end;
        if (top && at == end) --states->top;
    }
    return status;
}

static saros_status reverse_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_dense in = {0};
    sweep s = {0};
    saros_loop_reverse_read(e->attributes, &s.forward, &s.back.view);
    s.back.fed = s.forward.carries;
    s.back.view.inputs -= s.back.fed;
    s.back.first = 1 + s.forward.carries + s.forward.inputs + s.forward.captures;
    SAROS_TRY(saros_running_count(e, s.forward.bound, &s.n));
    s.back.n = s.n;
    SAROS_TRY(saros_dense_make(e->ins, e->in, &in));
    s.frame = saros_frame_borrow(e->body[0], e->communicator);
    if (s.frame) s.back.frame = saros_frame_borrow(e->body[1], e->communicator);
    if (!s.back.frame) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(sweep_open(&s, e, &in));
    SAROS_TRY(sweep_run(&s));
    saros_running_finish(&s.back);
done:
    saros_states_release(s.own);
    if (s.frame) saros_frame_return(s.frame);
    if (s.back.frame) saros_frame_return(s.back.frame);
    saros_dense_free(&in);
    return status;
}

const saros_primitive saros_row_loop_reverse = {
    .name = "loop_reverse",
    .doc = "Runs a loop's iterations from the last to the first, their carries computed again.",
    .operands = -2,
    .flags = SAROS_REGION,
    .type = reverse_type,
    .evaluate = reverse_evaluate};

/* ---- build ---- */

void saros_loop_reverse(saros_graph *graph, const saros_loop_parts *forward,
                        const saros_loop_parts *backward, saros_value left, saros_value *out) {
    int operands = 1 + forward->leaves + forward->carries + forward->inputs + forward->captures +
                   backward->carries + backward->inputs + backward->captures;
    int outputs = saros_body_outputs(backward->body);
    saros_tensor *place = NULL;
    saros_value *operand = saros_allocate((size_t)operands * sizeof *operand);
    if (!operand || saros_loop_place(forward, &place) != SAROS_OK) {
        saros_release(operand);
        saros_poison_all(graph, outputs, out);
        return;
    }
    operand[0] = forward->n;
    saros_value *last = saros_loop_operands(backward, saros_loop_operands(forward, operand + 1));
    if (forward->leaves) *last = left;
    int64_t word[2 * SAROS_LOOP_WORDS];
    saros_loop_words(forward, word);
    saros_loop_words(backward, word + SAROS_LOOP_WORDS);
    word[SAROS_LOOP_WORDS + SAROS_LOOP_INPUTS] += forward->carries;
    saros_body *body[2] = {forward->body, backward->body};
    saros_attributes attributes = {
        .word = word, .words = 2 * SAROS_LOOP_WORDS, .body = body, .bodies = 2, .tensor = place};
    saros_build_all(graph, &saros_row_loop_reverse, &attributes, operands, operand, outputs, out);
    saros_tensor_release(place);
    saros_release(operand);
}
