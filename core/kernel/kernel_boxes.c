/** Running a kernel whose loads are in parts: box by box (cover.c), a few rows at a time.
 *
 *  A task is a range of the first axis, through all boxes: whoever makes the middle of a row makes
 * its ends too, while its lines are in the cache. In a box all loads are plain strided operands,
 * and where these are contiguous along rows, or one element, the code is called at once; else the
 * box is a nest of its own, which reads it by tiles.
 */
#include <math.h>

#include "graph_impl.h"
#include "kernel/kernel_row_impl.h"
#include "pool_impl.h"

enum {
    TASK = 10000, /* nanoseconds of a task, at least */
    TASKS = 64    /* about as many at most */
};

typedef struct boxes {
    const saros_evaluation *e;
    saros_loaded *l;
    const saros_type *type;
    saros_kernel_pattern pattern; /* of the main box */
    saros_kernel_code *code;
    double nanoseconds;
    int64_t rows; /* of a task */
} boxes;

static int64_t bytes_to(const int64_t *stride, int rank, const int64_t *from, const int64_t *to) {
    int64_t bytes = 0;
    for (int a = 0; a < rank; ++a) bytes += (to[a] - from[a]) * stride[a];
    return bytes;
}

/** The nest in a box of its own: `at` from lo to hi of it. */
static void enter(const boxes *b, const saros_kernel_box *at, const int64_t *lo, const int64_t *hi,
                  saros_nest *s) {
    static const int64_t origin[SAROS_MAX_RANK] = {0};
    saros_loaded_nest(b->e, b->l, b->type, s);
    for (int k = 0; k < s->ins; ++k) {
        const saros_kernel_part *part = &b->l->cover->part[at->operand[k]];
        saros_nest_operand(s, k, b->e->in[at->operand[k]], 0);
        s->base[k] += bytes_to(s->stride[k], s->rank, part->lo, lo);
    }
    for (int k = s->ins; k < s->ins + s->outs; ++k)
        s->base[k] += bytes_to(s->stride[k], s->rank, origin, lo);
    for (int a = 0; a < s->rank; ++a) s->extent[a] = hi[a] - lo[a];
    s->nanoseconds = b->nanoseconds;
}

/** Whether operand k is contiguous along rows; `still`: one element instead. */
static bool suits(const saros_nest *s, int k, bool still) {
    const int inner = s->rank - 1;
    return s->extent[inner] == 1 || s->stride[k][inner] == (still ? 0 : s->bytes[k]);
}

static bool is_simple(const boxes *b, const saros_nest *s) {
    if (s->taker) return false;
    for (int k = 0; k < s->ins; ++k)
        if (!suits(s, k, b->pattern.still >> k & 1)) return false;
    for (int k = s->ins; k < s->ins + s->outs; ++k)
        if (!suits(s, k, false)) return false;
    return true;
}

/** Rows and columns are left to the code. */
static void run_simple(const boxes *b, const saros_nest *s) {
    const char *in[SAROS_NEST_LOADS];
    char *out[SAROS_NEST_STORES];
    int64_t in_stride[SAROS_NEST_LOADS], out_stride[SAROS_NEST_STORES], index[SAROS_MAX_RANK] = {0};
    const int row = s->rank - 2;
    for (int k = 0; k < s->ins; ++k) in_stride[k] = row < 0 ? 0 : s->stride[k][row];
    for (int m = 0; m < s->outs; ++m) out_stride[m] = row < 0 ? 0 : s->stride[s->ins + m][row];
    for (;;) {
        static const int64_t origin[SAROS_MAX_RANK] = {0};
        const int outer = row < 0 ? 0 : row;
        for (int k = 0; k < s->ins; ++k)
            in[k] = s->base[k] + bytes_to(s->stride[k], outer, origin, index);
        for (int m = 0; m < s->outs; ++m)
            out[m] = s->base[s->ins + m] + bytes_to(s->stride[s->ins + m], outer, origin, index);
        b->code(row < 0 ? 1 : s->extent[row], s->extent[s->rank - 1], in, in_stride, out,
                out_stride);
        int a = outer - 1;
        for (; a >= 0 && ++index[a] == s->extent[a]; --a) index[a] = 0;
        if (a < 0) return;
    }
}

static saros_status run_nest(const boxes *b, saros_nest *s) {
    saros_kernel_code *code = NULL;
    if (!saros_nest_plan(s)) return SAROS_OK;
    s->streams = false;
    double work = s->nanoseconds;
    for (int a = 0; a < s->rank; ++a) work *= (double)s->extent[a];
    saros_status status = saros_kernel_codes_find(
        &b->l->codes, &b->l->kernel, (saros_kernel_pattern){s->still, s->mode, false}, work, &code);
    for (int64_t task = 0; status == SAROS_OK && task < s->tasks; ++task)
        status = saros_nest_run_task(s, code, task);
    return status;
}

static saros_status run_rows(void *user, int64_t task) {
    const boxes *b = user;
    const saros_cover *cover = b->l->cover;
    const int64_t first = task * b->rows, last = first + b->rows;
    saros_status status = SAROS_OK;
    for (int j = 0; status == SAROS_OK && j < cover->boxes; ++j) {
        const saros_kernel_box *box = &cover->box[j];
        int64_t lo[SAROS_MAX_RANK], hi[SAROS_MAX_RANK];
        for (int a = 0; a < b->type->rank; ++a) lo[a] = box->lo[a], hi[a] = box->hi[a];
        if (lo[0] < first) lo[0] = first;
        if (hi[0] > last) hi[0] = last;
        if (lo[0] >= hi[0]) continue;
        saros_nest s;
        enter(b, box, lo, hi, &s);
        if (is_simple(b, &s))
            run_simple(b, &s);
        else
            status = run_nest(b, &s);
    }
    return status;
}

/** What an element costs and the code, by the main box. */
static saros_status prepare(boxes *b) {
    const saros_kernel_box *main = &b->l->cover->box[b->l->cover->main];
    saros_nest s;
    enter(b, main, main->lo, main->hi, &s);
    b->nanoseconds = saros_loaded_cost(&s, b->l);
    for (int k = 0; k < s.ins; ++k)
        if (s.stride[k][s.rank - 1] == 0) b->pattern.still |= UINT32_C(1) << k;
    if (s.taker) return SAROS_OK; /* every box is a nest: it has tiles */
    return saros_kernel_codes_find(&b->l->codes, &b->l->kernel, b->pattern,
                                   b->nanoseconds * (double)saros_type_count(b->type), &b->code);
}

saros_status saros_kernel_run_boxes(const saros_evaluation *e, saros_loaded *l,
                                    const saros_type *type) {
    boxes b = {.e = e, .l = l, .type = type, .pattern = {.mode = SAROS_NEST_POINTWISE}};
    saros_status status = prepare(&b);
    if (status != SAROS_OK) return status;
    const int64_t rows = type->shape[0];
    const double whole = b.nanoseconds * (double)saros_type_count(type);
    const double parts = whole < 2 * TASK ? 2 : whole < (double)TASKS * TASK ? whole / TASK : TASKS;
    b.rows = (int64_t)ceil((double)rows / parts);
    const int64_t tasks = (rows + b.rows - 1) / b.rows;
    return saros_pool_run_small(tasks, run_rows, &b, whole);
}
