/** Running a loop: one frame of the body for all iterations, only addresses move.
 *
 *  The carry alternates between the node's output and a buffer in such a way that the last
 * iteration writes the output; kept rows are written where they stay. Row r of a kept value is that
 * of iteration (r+1) every - 1; rows that no iteration reaches are zero. */
#include <string.h>

#include "function_impl.h"
#include "region_impl.h"
#include "region_loop_impl.h"
#include "saros/memory.h"

/** A value of the body that moves from iteration to iteration. */
typedef struct lane {
    char *data;    /* carry: the output; input, kept, state: first row */
    char *other;   /* carry: the second buffer; kept: where rows go that are not kept */
    char *initial; /* carry: the operand */
    int64_t bytes; /* of one row */
} lane;

typedef struct running {
    saros_loop_view view;
    saros_frame *frame;
    int64_t n, index;
    lane *carry, *input, *kept; /* kept: then the states */
} running;

static int64_t row_bytes(const saros_tensor *tensor, bool stacked) {
    int64_t count = 1;
    for (int a = stacked; a < tensor->rank; ++a) count *= tensor->shape[a];
    return count * (int64_t)saros_dtype_bytes(tensor->dtype);
}

static size_t padded(int64_t bytes) {
    return ((size_t)bytes + 63) & ~(size_t)63;
}

/** Lanes and second buffers, in memory that stays with the frame. */
static saros_status make_lanes(running *r, const saros_evaluation *e, const saros_dense *in) {
    const saros_loop_view *v = &r->view;
    int kept = v->kept + v->states;
    size_t lanes = (size_t)(v->carries + v->inputs + kept) * sizeof(lane);
    size_t bytes = padded((int64_t)lanes);
    for (int k = 0; k < v->carries; ++k) bytes += padded(row_bytes(e->out[k], false));
    for (int k = 0; k < kept; ++k) bytes += padded(row_bytes(e->out[v->carries + k], true));
    char *memory = saros_frame_scratch(r->frame, bytes);
    if (!memory) return SAROS_ERR_MEMORY;
    r->carry = (void *)memory;
    r->input = r->carry + v->carries;
    r->kept = r->input + v->inputs;
    memory += padded((int64_t)lanes);
    for (int k = 0; k < v->carries; ++k) {
        int64_t size = row_bytes(e->out[k], false);
        r->carry[k] = (lane){e->out[k]->data, memory, in->tensor[1 + k]->data, size};
        memory += padded(size);
    }
    for (int k = 0; k < v->inputs; ++k) {
        saros_tensor *tensor = in->tensor[1 + v->carries + k];
        r->input[k] = (lane){.data = tensor->data, .bytes = row_bytes(tensor, true)};
    }
    for (int k = 0; k < kept; ++k) {
        saros_tensor *out = e->out[v->carries + k];
        r->kept[k] = (lane){out->data, memory, NULL, row_bytes(out, true)};
        memory += padded(r->kept[k].bytes);
    }
    return SAROS_OK;
}

static void bind_fixed(running *r, const saros_dense *in) {
    int first = 1 + r->view.carries + r->view.inputs;
    saros_frame_move_input(r->frame, 0, &r->index);
    for (int k = 0; k < r->view.captures; ++k)
        saros_frame_bind(r->frame, first + k, in->tensor[first + k]);
}

static void move_lanes(running *r, int64_t j) {
    const saros_loop_view *v = &r->view;
    saros_frame *frame = r->frame;
    int64_t i = v->reverse ? r->n - 1 - j : j;
    bool to_output = ((r->n - 1 - j) & 1) == 0;
    r->index = i;
    for (int k = 0; k < v->carries; ++k) {
        const lane *l = &r->carry[k];
        saros_frame_move_output(frame, k, to_output ? l->data : l->other);
        saros_frame_move_input(frame, 1 + k,
                               j == 0 ? l->initial : (to_output ? l->other : l->data));
    }
    for (int k = 0; k < v->inputs; ++k) {
        const lane *l = &r->input[k];
        saros_frame_move_input(frame, 1 + v->carries + k, l->data + i * l->bytes);
    }
    bool keeps = (i + 1) % v->every == 0;
    for (int k = 0; k < v->kept + v->states; ++k) {
        const lane *l = &r->kept[k];
        char *row = l->data + i * l->bytes;
        if (k < v->kept) row = keeps ? l->data + ((i + 1) / v->every - 1) * l->bytes : l->other;
        saros_frame_move_output(frame, v->carries + k, row);
    }
}

static saros_status iterate(running *r) {
    for (int64_t j = 0; j < r->n; ++j) {
        move_lanes(r, j);
        saros_status status = saros_frame_run(r->frame);
        if (status == SAROS_OK) continue;
        saros_error_frame("iteration %lld of %lld", (long long)r->index, (long long)r->n);
        return status;
    }
    return SAROS_OK;
}

static void finish(const running *r) {
    const saros_loop_view *v = &r->view;
    for (int k = 0; r->n == 0 && k < v->carries; ++k)
        if (r->carry[k].bytes)
            memcpy(r->carry[k].data, r->carry[k].initial, (size_t)r->carry[k].bytes);
    for (int k = 0; k < v->kept + v->states; ++k) {
        const lane *l = &r->kept[k];
        int64_t rows = k < v->kept ? v->bound / v->every : v->bound;
        int64_t filled = k < v->kept ? r->n / v->every : r->n;
        if (rows > filled && l->bytes)
            memset(l->data + filled * l->bytes, 0, (size_t)((rows - filled) * l->bytes));
    }
}

saros_status saros_loop_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_dense in = {0};
    running r = {.view = saros_loop_read(e->attributes)};
    memcpy(&r.n, e->in[0]->data, sizeof r.n);
    if (r.n < 0 || r.n > r.view.bound)
        return saros_fail(SAROS_ERR_DOMAIN, "loop", "raise the bound of the loop",
                          "n is %lld, needed 0 to %lld", (long long)r.n, (long long)r.view.bound);
    SAROS_TRY(saros_dense_make(e->ins, e->in, &in));
    r.frame = saros_frame_borrow(e->body[0], e->communicator);
    if (!r.frame) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(make_lanes(&r, e, &in));
    bind_fixed(&r, &in);
    SAROS_TRY(iterate(&r));
    finish(&r);
done:
    if (r.frame) saros_frame_return(r.frame);
    saros_dense_free(&in);
    return status;
}
