/** Running a loop: one frame of the body for all iterations, only addresses move.
 *
 *  The carry alternates between the node's output and a buffer in such a way that the last
 * iteration writes the output, or stays in the output where the body may work in place. A carry
 * that the body wants as a window of a larger array moves in after its first value is copied there
 * and is copied out at the end. Kept rows are written where they stay. Row r of a kept value is
 * that of iteration (r+1) every - 1; rows that no iteration reaches are zero. */
#include <string.h>

#include "region_states_impl.h"
#include "saros/memory.h"
#include "saros/stop.h"

int64_t saros_row_bytes(const saros_tensor *tensor, bool stacked) {
    int64_t count = 1;
    for (int a = stacked; a < tensor->rank; ++a) count *= tensor->shape[a];
    return count * (int64_t)saros_dtype_bytes(tensor->dtype);
}

static size_t padded(int64_t bytes) {
    return ((size_t)bytes + 63) & ~(size_t)63;
}

/** Whether carry k needs no second buffer. */
static bool stays(const saros_running *r, int k) {
    return saros_function_in_place(r->frame->function, k, 1 + k);
}

static const saros_layout *layout_of(const saros_running *r, int k) {
    const saros_function *f = r->frame->function;
    return k < f->carries && f->carry[k].bytes ? &f->carry[k] : NULL;
}

/** Memory that carry k takes besides its output: a second buffer, or two of larger arrays. */
static int64_t room_of(const saros_running *r, int k) {
    const saros_layout *layout = layout_of(r, k);
    int buffers = stays(r, k) ? 0 : 1;
    return layout ? (buffers + 1) * (int64_t)padded(layout->bytes)
                  : buffers * (int64_t)padded(saros_row_bytes(r->out[k], false));
}

static saros_lane carry_lane(const saros_running *r, int k, char *memory, char *initial) {
    const saros_layout *layout = layout_of(r, k);
    char *first = r->out[k]->data, *second = memory;
    saros_lane lane = {.bytes = saros_row_bytes(r->out[k], false), .layout = layout};
    if (layout) {
        first = memory + layout->before;
        second = first + padded(layout->bytes);
    }
    lane.data = first;
    lane.other = stays(r, k) ? first : second;
    lane.initial = initial;
    if (layout && r->n > 0) {
        const saros_tensor *out = r->out[k];
        int64_t dense[SAROS_MAX_RANK];
        saros_strides_fill(out->rank, out->shape, dense);
        lane.initial = r->n & 1 ? lane.other : lane.data; /* the first iteration writes the other */
        saros_copy_strided(out->rank, out->shape, out->dtype, lane.initial, layout->strides,
                           out->dtype, initial, dense);
    }
    return lane;
}

/** Lanes and second buffers, in memory that stays with the frame. */
static saros_status make_lanes(saros_running *r, const saros_evaluation *e, const saros_dense *in) {
    const saros_loop_view *v = &r->view;
    int kept = v->kept + v->states;
    size_t lanes = (size_t)(v->carries + v->inputs + kept) * sizeof(saros_lane);
    size_t bytes = padded((int64_t)lanes);
    for (int k = 0; k < v->carries; ++k) bytes += (size_t)room_of(r, k);
    for (int k = 0; k < kept; ++k) bytes += padded(saros_row_bytes(e->out[v->carries + k], true));
    char *memory = saros_frame_scratch(r->frame, bytes);
    if (!memory) return SAROS_ERR_MEMORY;
    r->carry = (void *)memory;
    r->input = r->carry + v->carries;
    r->kept = r->input + v->inputs;
    memory += padded((int64_t)lanes);
    for (int k = 0; k < v->carries; ++k) {
        r->carry[k] = carry_lane(r, k, memory, in->tensor[r->first + k]->data);
        memory += room_of(r, k);
    }
    for (int k = 0; k < v->inputs; ++k) {
        saros_tensor *tensor = in->tensor[r->first + v->carries + k];
        r->input[k] = (saros_lane){.data = tensor->data, .bytes = saros_row_bytes(tensor, true)};
    }
    for (int k = 0; k < kept; ++k) {
        saros_tensor *out = e->out[v->carries + k];
        r->kept[k] =
            (saros_lane){.data = out->data, .other = memory, .bytes = saros_row_bytes(out, true)};
        memory += padded(r->kept[k].bytes);
    }
    return SAROS_OK;
}

static void bind_fixed(saros_running *r, const saros_dense *in) {
    int skip = r->view.carries + r->view.inputs;
    saros_frame_move_input(r->frame, 0, &r->index);
    for (int k = 0; k < r->view.captures; ++k)
        saros_frame_bind(r->frame, 1 + r->fed + skip + k, in->tensor[r->first + skip + k]);
}

static void move_lanes(saros_running *r, int64_t j) {
    const saros_loop_view *v = &r->view;
    saros_frame *frame = r->frame;
    int64_t i = v->reverse ? r->n - 1 - j : j;
    bool to_output = ((r->n - 1 - j) & 1) == 0;
    r->index = i;
    for (int k = 0; k < v->carries; ++k) {
        const saros_lane *l = &r->carry[k];
        saros_frame_move_output(frame, k, to_output ? l->data : l->other);
        saros_frame_move_input(frame, 1 + k,
                               j == 0 ? l->initial : (to_output ? l->other : l->data));
    }
    for (int k = 0; k < v->inputs; ++k) {
        const saros_lane *l = &r->input[k];
        saros_frame_move_input(frame, 1 + v->carries + r->fed + k, l->data + i * l->bytes);
    }
    bool keeps = (i + 1) % v->every == 0;
    for (int k = 0; k < v->kept + v->states; ++k) {
        const saros_lane *l = &r->kept[k];
        char *row = l->data + i * l->bytes;
        if (k < v->kept) row = keeps ? l->data + ((i + 1) / v->every - 1) * l->bytes : l->other;
        saros_frame_move_output(frame, v->carries + k, row);
    }
}

saros_status saros_running_open(saros_running *r, const saros_evaluation *e,
                                const saros_dense *in) {
    r->out = e->out;
    saros_status status = make_lanes(r, e, in);
    if (status == SAROS_OK) bind_fixed(r, in);
    return status;
}

saros_status saros_loop_ask(int64_t j, int64_t n) {
    if (!saros_stop_requested()) return SAROS_OK;
    return saros_fail(SAROS_ERR_STOPPED, "loop", NULL,
                      "stopped on request before iteration %lld of %lld", (long long)j,
                      (long long)n);
}

saros_status saros_running_step(saros_running *r, int64_t j) {
    saros_status status = saros_loop_ask(j, r->n);
    if (status != SAROS_OK) return status;
    move_lanes(r, j);
    status = saros_frame_run(r->frame);
    if (status != SAROS_OK)
        saros_error_frame("iteration %lld of %lld", (long long)r->index, (long long)r->n);
    return status;
}

void saros_running_finish(const saros_running *r) {
    const saros_loop_view *v = &r->view;
    for (int k = 0; k < v->carries; ++k) {
        const saros_lane *l = &r->carry[k];
        saros_tensor *out = r->out[k];
        if (r->n == 0 && l->bytes && out->data != l->initial)
            memcpy(out->data, l->initial, (size_t)l->bytes);
        else if (r->n > 0 && l->layout)
            saros_copy_strided(out->rank, out->shape, out->dtype, out->data, out->strides,
                               out->dtype, l->data, l->layout->strides);
    }
    for (int k = 0; k < v->kept + v->states; ++k) {
        const saros_lane *l = &r->kept[k];
        int64_t rows = k < v->kept ? v->bound / v->every : v->bound;
        int64_t filled = k < v->kept ? r->n / v->every : r->n;
        if (rows > filled && l->bytes)
            memset(l->data + filled * l->bytes, 0, (size_t)((rows - filled) * l->bytes));
    }
}

saros_status saros_running_count(const saros_evaluation *e, int64_t bound, int64_t *n) {
    memcpy(n, e->in[0]->data, sizeof *n);
    if (*n >= 0 && *n <= bound) return SAROS_OK;
    return saros_fail(SAROS_ERR_DOMAIN, "loop", "raise the bound of the loop",
                      "n is %lld, needed 0 to %lld", (long long)*n, (long long)bound);
}

/** Whether iteration j of a loop that ends early does not begin: then n becomes j, and carries that
 * stand in the second buffers go to the outputs. */
static bool ends(saros_running *r, int64_t j) {
    if (!r->view.early) return false;
    bool in_output = ((r->n - j) & 1) == 0;
    const saros_lane *go = &r->carry[0];
    if (*(const bool *)(j == 0 ? go->initial : in_output ? go->data : go->other)) return false;
    for (int k = 0; j > 0 && !in_output && k < r->view.carries; ++k)
        if (r->carry[k].bytes)
            memcpy(r->carry[k].data, r->carry[k].other, (size_t)r->carry[k].bytes);
    r->n = j;
    return true;
}

/* ---- states left for the reverse sweep ---- */

static saros_status open_states(const saros_running *r, saros_states **out) {
    int64_t bytes = 0;
    for (int k = 0; k < r->view.carries; ++k)
        bytes += saros_padded(saros_row_bytes(r->out[k], false));
    return saros_states_make(&r->view, r->n, bytes, out);
}

/** Stores the carries as they are before iteration j > 0. */
static saros_status store_state(const saros_running *r, saros_states *states, int64_t j) {
    const bool in_output = ((r->n - j) & 1) == 0;
    char *at = saros_states_room(states, states->top + 1);
    for (int k = 0; k < r->view.carries; ++k) {
        const saros_lane *l = &r->carry[k];
        const saros_tensor *out = r->out[k];
        int64_t dense[SAROS_MAX_RANK];
        saros_strides_fill(out->rank, out->shape, dense);
        saros_copy_strided(out->rank, out->shape, out->dtype, at, dense, out->dtype,
                           in_output ? l->data : l->other, l->layout ? l->layout->strides : dense);
        at += saros_padded(l->bytes);
    }
    saros_status status = saros_states_keep(states, states->top + 1);
    if (status == SAROS_OK) states->position[++states->top] = j;
    return status;
}

/** Runs the iterations; at those where the binomial schedule wants it, stores a state. */
static saros_status run_all(saros_running *r, saros_states *states) {
    int64_t next = -1;
    for (int64_t j = 0; j < r->n && !ends(r, j); ++j) {
        saros_status status = SAROS_OK;
        if (j == next) status = store_state(r, states, j);
        if (states && (j == 0 || j == next))
            next = states->most - states->top > 1 && r->n - j > 1
                       ? j + saros_states_stride(r->n - j, states->most - states->top)
                       : -1;
        if (status == SAROS_OK) status = saros_running_step(r, j);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_loop_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_states *states = NULL;
    saros_dense in = {0};
    saros_running r = {.view = saros_loop_read(e->attributes), .first = 1};
    SAROS_TRY(saros_running_count(e, r.view.bound, &r.n));
    SAROS_TRY(saros_dense_make(e->ins, e->in, &in));
    r.frame = saros_frame_borrow(e->body[0], e->communicator);
    if (!r.frame) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(saros_running_open(&r, e, &in));
    if (r.view.leaves) SAROS_TRY(open_states(&r, &states));
    SAROS_TRY(run_all(&r, states));
    saros_running_finish(&r);
    if (states) status = saros_states_wrap(states, &e->out[e->outs - 1]);
    states = NULL;
done:
    saros_states_release(states);
    /* what runs once, as a checkpointed part does, lends its memory to what comes after */
    if (r.view.bound == 1)
        saros_frame_discard(r.frame);
    else if (r.frame)
        saros_frame_return(r.frame);
    saros_dense_free(&in);
    return status;
}
