/** Running a region: blocks of rows are tasks, contiguous runs of tasks are lanes.
 *
 *  A lane has accumulators of its own and frames of the bodies for as long as it runs; the lanes'
 * accumulators are added in a tree over their numbers. Tasks and lanes depend on shapes alone, so
 * results are the same bits on any number of threads. Fewer lanes than a few are one lane, on the
 * caller, so that large products of matrices can share their own work.
 *  Rows of a value that do not lie one after the other are copied block by block.
 */
#include <math.h>
#include <string.h>

#include "function_impl.h"
#include "region_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"
#include "saros/stop.h"

enum {
    CHUNK = 1 << 11, /* elements of an accumulator that one task adds up over the lanes; those of
                        all lanes fit into a core's cache */
    GROUPS = 4       /* of lanes */
};

typedef struct running {
    const saros_evaluation *e;
    int classes, accumulators;
    saros_rows_view view[SAROS_ROWS_CLASSES];
    saros_rows_lanes count;
    saros_tensor **in; /* wholes row-major, the others as they are */
    int64_t offset[SAROS_MAX_OUTPUTS];
    uint8_t *side; /* [lane][accumulator]: which of its two buffers holds it */
} running;

static int64_t padded(int64_t bytes) {
    return (bytes + 63) & ~(int64_t)63;
}

static int64_t bytes_of(const saros_tensor *t) {
    return t->count * (int64_t)saros_dtype_bytes(t->dtype);
}

static char *accumulator_at(const running *r, int64_t lane, int64_t k, int side) {
    char *memory = r->e->out[r->e->outs - 1]->data;
    return memory + (2 * lane + side) * r->count.bytes + r->offset[k];
}

/* ---- elements ---- */

static void fill(const saros_tensor *like, saros_rows_join join, char *to) {
    const double edge = join == SAROS_ROWS_MAX ? -INFINITY : INFINITY;
    if (join == SAROS_ROWS_SUM)
        memset(to, 0, (size_t)bytes_of(like));
    else if (like->dtype == SAROS_F64)
        for (int64_t i = 0; i < like->count; ++i) ((double *)to)[i] = edge;
    else
        for (int64_t i = 0; i < like->count; ++i) ((float *)to)[i] = (float)edge;
}

static double extreme(saros_rows_join join, double a, double b) {
    if (isnan(a) || isnan(b)) return a + b;
    return (join == SAROS_ROWS_MAX) == (a < b) ? b : a;
}

/** a[i] = a[i] joined with b[i]. */
static void join_parts(saros_dtype dtype, saros_rows_join join, int64_t n, char *a, const char *b) {
    double *f64 = (void *)a;
    float *f32 = (void *)a;
    if (join != SAROS_ROWS_SUM) {
        for (int64_t i = 0; i < n && dtype == SAROS_F64; ++i)
            f64[i] = extreme(join, f64[i], ((const double *)b)[i]);
        for (int64_t i = 0; i < n && dtype == SAROS_F32; ++i)
            f32[i] = (float)extreme(join, f32[i], ((const float *)b)[i]);
    } else if (dtype == SAROS_F64) {
        for (int64_t i = 0; i < n; ++i) f64[i] += ((const double *)b)[i];
    } else if (dtype == SAROS_F32) {
        for (int64_t i = 0; i < n; ++i) f32[i] += ((const float *)b)[i];
    } else if (dtype == SAROS_I64) {
        for (int64_t i = 0; i < n; ++i) ((uint64_t *)a)[i] += ((const uint64_t *)b)[i];
    } else {
        for (int64_t i = 0; i < n; ++i) ((uint32_t *)a)[i] += ((const uint32_t *)b)[i];
    }
}

/** Chunk `task` of all accumulators: the sum over the lanes into the output. */
static saros_status join_lanes(void *user, int64_t task) {
    const running *r = user;
    int k = 0;
    for (; task >= (r->e->out[k]->count + CHUNK - 1) / CHUNK; ++k)
        task -= (r->e->out[k]->count + CHUNK - 1) / CHUNK;
    const saros_tensor *out = r->e->out[k];
    const int64_t size = (int64_t)saros_dtype_bytes(out->dtype), from = task * CHUNK;
    const int64_t n = out->count - from < CHUNK ? out->count - from : CHUNK;
    const saros_rows_join join = (saros_rows_join)r->e->attributes->word[SAROS_ROWS_HEAD + k];
    const int64_t lanes = r->count.lanes;
    for (int64_t step = 1; step < lanes; step *= 2)
        for (int64_t l = 0; l + step < lanes; l += 2 * step)
            join_parts(out->dtype, join, n,
                       accumulator_at(r, l, k, r->side[l * r->accumulators + k]) + from * size,
                       accumulator_at(r, l + step, k, r->side[(l + step) * r->accumulators + k]) +
                           from * size);
    memcpy((char *)out->data + from * size, accumulator_at(r, 0, k, r->side[k]) + from * size,
           (size_t)(n * size));
    return SAROS_OK;
}

/* ---- blocks ---- */

/** Rows first … first + extent - 1 of a tensor. */
typedef struct part {
    saros_tensor *of;
    int64_t shape[SAROS_MAX_RANK], bytes;
    char *data;
    bool dense; /* row-major as it lies */
} part;

static part part_of(saros_tensor *t, int axis, int64_t first, int64_t extent) {
    const int64_t size = (int64_t)saros_dtype_bytes(t->dtype);
    part p = {.of = t, .bytes = size};
    memcpy(p.shape, t->shape, sizeof p.shape);
    p.shape[axis] = extent;
    for (int a = 0; a < t->rank; ++a) p.bytes *= p.shape[a];
    p.data = (char *)t->data + first * t->strides[axis] * size;
    p.dense = saros_strides_contiguous(t->rank, p.shape, t->strides);
    return p;
}

/** Copies between a part and row-major memory. */
static void copy_part(const part *p, char *memory, bool out) {
    int64_t strides[SAROS_MAX_RANK];
    const saros_dtype dtype = p->of->dtype;
    saros_strides_fill(p->of->rank, p->shape, strides);
    if (out)
        saros_copy_strided(p->of->rank, p->shape, dtype, p->data, p->of->strides, dtype, memory,
                           strides);
    else
        saros_copy_strided(p->of->rank, p->shape, dtype, memory, strides, dtype, p->data,
                           p->of->strides);
}

/** One lane at work. */
typedef struct lane {
    const running *run;
    int64_t number, first; /* row */
    saros_frame *frame[2 * SAROS_ROWS_CLASSES];
} lane;

static saros_status open_frame(lane *l, const saros_rows_view *v, int body) {
    const saros_evaluation *e = l->run->e;
    saros_frame *frame = saros_frame_borrow(e->body[body], e->communicator);
    if (!frame) return SAROS_ERR_MEMORY;
    l->frame[body] = frame;
    const int fixed = 1 + v->accumulators + v->blocks;
    saros_frame_move_input(frame, 0, &l->first);
    for (int k = 0; k < v->wholes; ++k)
        saros_frame_bind(frame, fixed + k, l->run->in[v->operand + v->blocks + k]);
    return SAROS_OK;
}

static void bind_accumulators(lane *l, const saros_rows_view *v, saros_frame *frame) {
    for (int k = 0; k < v->accumulators; ++k) {
        const int64_t at = v->accumulator[k];
        uint8_t *side = &l->run->side[l->number * l->run->accumulators + at];
        saros_frame_move_input(frame, 1 + k, accumulator_at(l->run, l->number, at, *side));
        if (!saros_function_in_place(frame->function, k, 1 + k)) *side = !*side;
        saros_frame_move_output(frame, k, accumulator_at(l->run, l->number, at, *side));
    }
}

static int64_t copied_bytes(const lane *l, const saros_rows_view *v, int64_t extent) {
    const running *r = l->run;
    int64_t bytes = 0;
    for (int k = 0; k < v->blocks + v->stores; ++k) {
        saros_tensor *t = k < v->blocks ? r->in[v->operand + k]
                                        : r->e->out[r->accumulators + v->store + k - v->blocks];
        const int64_t axis = k < v->blocks ? v->block_axis[k] : v->store_axis[k - v->blocks];
        const part p = part_of(t, (int)axis, l->first, extent);
        if (!p.dense) bytes += padded(p.bytes);
    }
    return bytes;
}

static saros_status run_block(lane *l, const saros_rows_view *v, saros_frame *frame,
                              int64_t extent) {
    const running *r = l->run;
    const int64_t bytes = copied_bytes(l, v, extent);
    char *memory = bytes ? saros_frame_scratch(frame, (size_t)bytes) : NULL, *stored;
    if (bytes && !memory) return SAROS_ERR_MEMORY;
    bind_accumulators(l, v, frame);
    for (int k = 0; k < v->blocks; ++k) {
        const part p = part_of(r->in[v->operand + k], (int)v->block_axis[k], l->first, extent);
        if (!p.dense) copy_part(&p, memory, false);
        saros_frame_move_input(frame, 1 + v->accumulators + k, p.dense ? p.data : memory);
        if (!p.dense) memory += padded(p.bytes);
    }
    stored = memory;
    for (int pass = 0; pass < 2; ++pass, memory = stored) {
        for (int k = 0; k < v->stores; ++k) {
            saros_tensor *out = r->e->out[r->accumulators + v->store + k];
            const part p = part_of(out, (int)v->store_axis[k], l->first, extent);
            if (pass == 0)
                saros_frame_move_output(frame, v->accumulators + k, p.dense ? p.data : memory);
            else if (!p.dense)
                copy_part(&p, memory, true);
            if (!p.dense) memory += padded(p.bytes);
        }
        const saros_status status = pass == 0 ? saros_frame_run(frame) : SAROS_OK;
        if (status == SAROS_OK) continue;
        saros_error_frame("rows %lld to %lld of %lld", (long long)l->first,
                          (long long)(l->first + extent - 1), (long long)v->rows);
        return status;
    }
    return SAROS_OK;
}

static saros_status run_task(lane *l, int64_t task) {
    const saros_rows_view *v = l->run->view;
    for (;; ++v) {
        const int64_t tasks = (v->rows + v->block - 1) / v->block;
        if (task < tasks) break;
        task -= tasks;
    }
    l->first = task * v->block;
    if (saros_stop_requested())
        return saros_fail(SAROS_ERR_STOPPED, "rows", NULL,
                          "stopped on request before row %lld of %lld", (long long)l->first,
                          (long long)v->rows);
    const int64_t extent = v->rows - l->first < v->block ? v->rows - l->first : v->block;
    const int body = v->body + (extent < v->block);
    if (!l->frame[body]) {
        const saros_status status = open_frame(l, v, body);
        if (status != SAROS_OK) return status;
    }
    return run_block(l, v, l->frame[body], extent);
}

/** First task of a lane. Lanes become shorter within each of a few groups of them, the j-th from
 * the end is j times the last: each thread of a pool takes a range of lanes, so that all of them
 * end nearly together. */
static int64_t first_task(const saros_rows_lanes *count, int64_t number) {
    const int64_t tasks = count->tasks, lanes = count->lanes;
    const int64_t groups = lanes % GROUPS ? 1 : GROUPS, size = lanes / groups;
    const int64_t group = number / size, j = number % size;
    if (tasks < 2 * lanes) return number * tasks / lanes;
    const int64_t begin = group * tasks / groups, n = (group + 1) * tasks / groups - begin;
    return begin + n * j * (2 * size + 1 - j) / (size * (size + 1));
}

static saros_status run_lane(void *user, int64_t number) {
    running *r = user;
    lane l = {.run = r, .number = number};
    saros_status status = SAROS_OK;
    for (int k = 0; k < r->accumulators; ++k)
        fill(r->e->out[k], (saros_rows_join)r->e->attributes->word[SAROS_ROWS_HEAD + k],
             accumulator_at(r, number, k, 0));
    for (int64_t t = first_task(&r->count, number); t < first_task(&r->count, number + 1); ++t)
        SAROS_TRY(run_task(&l, t));
done:
    for (int b = 0; b < 2 * SAROS_ROWS_CLASSES; ++b)
        if (l.frame[b]) saros_frame_return(l.frame[b]);
    return status;
}

/* ---- evaluation ---- */

static saros_status open_running(running *r) {
    const saros_evaluation *e = r->e;
    int64_t offset = 0;
    r->classes = saros_rows_read_node(e->attributes, r->view);
    r->accumulators = (int)e->attributes->word[SAROS_ROWS_ACCUMULATORS];
    r->count = saros_rows_count(e->attributes);
    for (int k = 0; k < r->accumulators; ++k) {
        r->offset[k] = offset;
        offset += padded(bytes_of(e->out[k]));
    }
    const size_t sides = (size_t)(r->count.lanes * r->accumulators);
    r->in = saros_allocate_zero(1, (size_t)e->ins * sizeof *r->in + sides + 1);
    if (!r->in) return SAROS_ERR_MEMORY;
    r->side = (uint8_t *)(r->in + e->ins);
    for (int c = 0; c < r->classes; ++c) {
        const saros_rows_view *v = &r->view[c];
        for (int k = v->operand; k < v->operand + v->blocks; ++k)
            r->in[k] = saros_tensor_retain(e->in[k]);
        for (int k = v->operand + v->blocks; k < v->operand + v->blocks + v->wholes; ++k) {
            const saros_status status = saros_tensor_contiguous(e->in[k], &r->in[k]);
            if (status != SAROS_OK) return status;
        }
    }
    return SAROS_OK;
}

saros_status saros_rows_evaluate(const saros_evaluation *e) {
    running r = {.e = e};
    saros_status status = SAROS_OK;
    int64_t chunks = 0;
    SAROS_TRY(open_running(&r));
    if (r.count.lanes > 1)
        SAROS_TRY(saros_pool_run(r.count.lanes, run_lane, &r));
    else
        SAROS_TRY(run_lane(&r, 0));
    for (int k = 0; k < r.accumulators; ++k) chunks += (e->out[k]->count + CHUNK - 1) / CHUNK;
    if (chunks) SAROS_TRY(saros_pool_run(chunks, join_lanes, &r));
done:
    for (int k = 0; r.in && k < e->ins; ++k) saros_tensor_release(r.in[k]);
    saros_release(r.in);
    return status;
}
