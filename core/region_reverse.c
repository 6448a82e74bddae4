/** loop_reverse: the reverse sweep of a loop in bounded memory.
 *
 *  Two loops in one node. The first is only run for its carries x_0, x_1, …; the second goes
 * through the iterations from the last to the first and sees x_j in its iteration for j. At most s
 * carries x_j are held at once; the others are computed again from the nearest one held, by the
 * binomial schedule (Griewank and Walther, Algorithm 799: revolve, ACM TOMS 26, 2000): with r the
 * smallest number such that n <= b(s, r) = C(s+r, s), no iteration is run forward more than r
 * times, and
 *
 *      forward iterations = r n - C(s+r, r-1),
 *
 *  the fewest that any schedule for n known beforehand has. x_0 is the operand itself; copies in
 *  memory are the s - 1 others and two that an advance alternates between.
 *
 *  Operands: n; carry, input, capture of the first; the same of the second. Bodies and words: those
 *  of the first loop, then those of the second, whose inputs begin with the first one's carries. */
#include <string.h>

#include "primitives/build_impl.h"
#include "region_loop_impl.h"
#include "saros/memory.h"

static saros_attributes part(const saros_attributes *attributes, int k) {
    return (saros_attributes){.word = attributes->word + k * SAROS_LOOP_WORDS,
                              .words = SAROS_LOOP_WORDS,
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
        rest < 0 || typing->operands != ins + stacked - 1 + rest)
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
    SAROS_TRY(saros_loop_type(&sub));
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

/* ---- schedule ---- */

/** C(s+r, s), or INT64_MAX where it would pass 2^62. */
static int64_t binomial(int64_t s, int64_t r) {
    int64_t value = 1;
    for (int64_t k = 1; k <= r; ++k) {
        if (value > ((int64_t)1 << 62) / (s + k)) return INT64_MAX;
        value = value * (s + k) / k;
    }
    return value;
}

/** How far to advance before the next of s states is stored, n > 1 iterations to reverse: what
 * remains behind it is done with s - 1 states and r repetitions, what lies before it with s and
 * r - 1. */
static int64_t stride(int64_t n, int64_t s) {
    int64_t r = 1;
    while (binomial(s, r) < n) ++r;
    int64_t before = binomial(s, r - 1), behind = n - binomial(s - 1, r - 1);
    return before < behind ? before : behind;
}

/* ---- evaluation ---- */

typedef struct sweep {
    saros_loop_view forward;
    saros_running back;
    saros_frame *frame; /* of the forward body */
    int64_t n, index, states;
    saros_lane *carry, *input; /* data: the operand; carry.bytes is also its padded room */
    int64_t *position;         /* iteration whose carry state k holds */
    char *memory;
    int64_t bytes; /* of one state */
} sweep;

static int64_t padded(int64_t bytes) {
    return (bytes + 63) & ~(int64_t)63;
}

static saros_status sweep_open(sweep *s, const saros_evaluation *e, const saros_dense *in) {
    const saros_loop_view *v = &s->forward;
    s->states = v->snapshots < s->n ? v->snapshots : s->n > 1 ? s->n : 1;
    for (int k = 0; k < v->carries; ++k)
        s->bytes += padded(saros_row_bytes(in->tensor[1 + k], false));
    int64_t lanes = padded((int64_t)sizeof(saros_lane) * (v->carries + v->inputs));
    int64_t positions = padded((int64_t)sizeof *s->position * s->states);
    char *memory =
        saros_frame_scratch(s->frame, (size_t)(lanes + positions + (s->states + 1) * s->bytes));
    if (!memory) return SAROS_ERR_MEMORY;
    s->carry = (void *)memory;
    s->input = s->carry + v->carries;
    s->position = (void *)(memory + lanes);
    s->memory = memory + lanes + positions;
    for (int k = 0; k < v->carries + v->inputs; ++k) {
        saros_tensor *tensor = in->tensor[1 + k];
        s->carry[k] =
            (saros_lane){.data = tensor->data, .bytes = saros_row_bytes(tensor, k >= v->carries)};
    }
    saros_frame_move_input(s->frame, 0, &s->index);
    int captures = 1 + v->carries + v->inputs;
    for (int k = captures; k < captures + v->captures; ++k)
        saros_frame_bind(s->frame, k, in->tensor[k]);
    return saros_running_open(&s->back, e, in);
}

/** State 0 is the operand; 1 … states - 1 are stored; `states` and the one after it are the two to
 * work in. */
static void move_state(const sweep *s, saros_frame *frame, bool output, int first, int64_t state) {
    char *at = s->memory + (state - 1) * s->bytes;
    for (int k = 0; k < s->forward.carries; ++k) {
        char *data = state ? at : s->carry[k].data;
        if (output)
            saros_frame_move_output(frame, first + k, data);
        else
            saros_frame_move_input(frame, first + k, data);
        at += padded(s->carry[k].bytes);
    }
}

/** Runs iterations first … last-1 from the carry in `from`, into `to`. */
static saros_status advance(sweep *s, int64_t first, int64_t last, int64_t from, int64_t to) {
    const saros_loop_view *v = &s->forward;
    for (int64_t j = first; j < last; ++j) {
        saros_status status = saros_loop_ask(j, s->n);
        if (status != SAROS_OK) return status;
        int64_t next = (last - 1 - j) % 2 ? s->states : to;
        s->index = v->reverse ? s->n - 1 - j : j;
        move_state(s, s->frame, false, 1, from);
        move_state(s, s->frame, true, 0, next);
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
    return SAROS_OK;
}

static saros_status sweep_run(sweep *s) {
    saros_status status = SAROS_OK;
    int64_t top = 0, working = s->states + 1;
    s->position[0] = 0;
    for (int64_t end = s->n; end > 0 && status == SAROS_OK;) {
        int64_t at = s->position[top], left = s->states - top, state = top;
        if (end - at > 1 && left > 1) {
            s->position[top + 1] = at + stride(end - at, left);
            status = advance(s, at, s->position[top + 1], top, top + 1);
            ++top;
            continue;
        }
        if (end - at > 1) {
            status = advance(s, at, end - 1, top, working);
            state = working;
        }
        if (status != SAROS_OK) break;
        move_state(s, s->back.frame, false, 1 + s->back.view.carries, state);
        status = saros_running_step(&s->back, s->n - end);
        --end;
        if (top && s->position[top] == end) --top;
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
                        const saros_loop_parts *backward, saros_value *out) {
    int operands = 1 + forward->carries + forward->inputs + forward->captures + backward->carries +
                   backward->inputs + backward->captures;
    int outputs = saros_body_outputs(backward->body);
    saros_value *operand = saros_allocate((size_t)operands * sizeof *operand);
    if (!operand) {
        saros_poison_all(graph, outputs, out);
        return;
    }
    operand[0] = forward->n;
    saros_loop_operands(backward, saros_loop_operands(forward, operand + 1));
    int64_t word[2 * SAROS_LOOP_WORDS];
    saros_loop_words(forward, word);
    saros_loop_words(backward, word + SAROS_LOOP_WORDS);
    word[SAROS_LOOP_WORDS + SAROS_LOOP_INPUTS] += forward->carries;
    saros_body *body[2] = {forward->body, backward->body};
    saros_attributes attributes = {
        .word = word, .words = 2 * SAROS_LOOP_WORDS, .body = body, .bodies = 2};
    saros_build_all(graph, &saros_row_loop_reverse, &attributes, operands, operand, outputs, out);
    saros_release(operand);
}
