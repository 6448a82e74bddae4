/** Row compress: the values of a sparse matrix from the scales of its terms.
 *
 *  What to write is in the attribute (compression.c). It is written for one range of elements after
 * the other, so that a kernel which computes the scales hands them over while they are in cache
 * (column `take`), and none of them is ever an array in memory. That needs operands of one shape;
 * where the pieces of the residual differ in size, the row is evaluated from arrays.
 *
 *  The values are what solvers fill their matrices with: they are never differentiated.
 */
#include "compression_impl.h"

#include "interleave_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/pool.h"

enum { TASK_BUCKETS = 16, QUADS = 16 };

static void compression_free(void *payload) {
    saros_compression_release(payload);
}
static const saros_opaque_class compression_class = {"compression", compression_free};

/* ---- filling ---- */

/** What values are made from: operands from element `first` on. */
typedef struct filling {
    const saros_compression *c;
    int64_t first;
    const saros_elements *operand;
    double *values;
} filling;

static saros_numbers numbers_of(const filling *f, const saros_compression_run *of, int stream,
                                int64_t j) {
    static const double zero = 0;
    if (stream < 0) return (saros_numbers){&zero, 0};
    const int k = f->c->operand[stream];
    if (k < 0) return (saros_numbers){&f->c->number[stream], 0};
    const double *from = f->operand[k].from;
    if (f->operand[k].still) return (saros_numbers){from, 0};
    return (saros_numbers){from + (of->element - f->first) + j * of->step, of->step};
}

/** The blocks of four copies, for periods from j on: their number. */
static int list_quads(const filling *f, const saros_compression_run *of,
                      const saros_compression_block *b, const saros_compression_block *end,
                      int64_t j, double (*held)[4], saros_quad *quad) {
    int n = 0;
    for (; b < end; ++b) {
        const saros_compression_copy *copy = f->c->copy + b->first;
        if (b->count < 4) continue;
        quad[n].to = copy->to;
        for (int k = 0; k < 4; ++k, ++held) {
            const saros_numbers a = numbers_of(f, of, copy[k].stream, j);
            quad[n].step[k] = a.step;
            quad[n].from[k] = a.step ? a.from : *held;
            for (int i = 0; i < 4 && a.step == 0; ++i) (*held)[i] = *a.from;
        }
        n++;
    }
    return n;
}

/** Periods j … last - 1 of the blocks that are no quads, or of all. */
static void fill_rest(const filling *f, const saros_compression_run *of, bool all, int64_t j,
                      int64_t last) {
    const saros_compression_group *p = &f->c->group[of->group];
    const saros_compression_block *b = f->c->block + p->first, *end = b + p->blocks;
    double *to = f->values + of->value + j * p->width;
    saros_numbers from[4];
    for (; j < last && b < end; ++b) {
        const saros_compression_copy *copy = f->c->copy + b->first;
        if (b->count == 4 && !all) continue;
        for (int k = 0; k < b->count; ++k) from[k] = numbers_of(f, of, copy[k].stream, j);
        if (copy->add)
            saros_interleave_add(from[0], p->width, last - j, to + copy->to);
        else
            saros_interleave(b->count, from, p->width, last - j, to + copy->to);
    }
}

/** Periods j … last - 1 of a run. */
static void fill_run(const filling *f, const saros_compression_run *of, int64_t j, int64_t last) {
    const saros_compression_group *p = &f->c->group[of->group];
    const saros_compression_block *b = f->c->block + p->first, *end = b + p->blocks;
    const int64_t whole = of->step == 1 ? (last - j) & ~INT64_C(3) : 0;
    double held[4 * QUADS][4], *to = f->values + of->value + j * p->width;
    saros_quad quad[QUADS];
    for (; whole && b < end; b += QUADS) {
        const saros_compression_block *until = end - b < QUADS ? end : b + QUADS;
        const int n = list_quads(f, of, b, until, j, held, quad);
        saros_interleave_quads(n, quad, p->width, whole, to);
    }
    if (whole) fill_rest(f, of, false, j, j + whole);
    fill_rest(f, of, true, j + whole, last);
}

/** All values made from elements from … to - 1. */
static void fill_elements(const filling *f, int64_t from, int64_t to) {
    const saros_compression *c = f->c;
    for (int64_t end; from < to; from = end) {
        const int64_t b = from / SAROS_COMPRESSION_BUCKET;
        end = (b + 1) * SAROS_COMPRESSION_BUCKET;
        if (end > to) end = to;
        for (int64_t k = c->bucket[b]; k < c->bucket[b + 1]; ++k) {
            const saros_compression_run *of = &c->run[c->listed[k]];
            int64_t first, last;
            saros_compression_part(of, from, end, &first, &last);
            fill_run(f, of, first, last);
        }
    }
}

/* ---- the row ---- */

static saros_status compress_type(saros_typing *t) {
    const saros_compression *c = saros_tensor_payload(t->attributes->tensor, &compression_class);
    const int64_t entries = saros_sparsity_nonzeros(c->pattern);
    for (int k = 0; k < t->operands; ++k)
        if (t->operand[k].dtype != SAROS_F64)
            return saros_fail(SAROS_ERR_TYPE, "compress", NULL, "scales must be f64");
    t->output[0] = saros_type_make(SAROS_F64, 1, &entries);
    return SAROS_OK;
}

static void compress_take(const saros_tensor *attribute, int64_t first, int64_t count,
                          const saros_elements *operand, void *out) {
    const filling f = {saros_tensor_payload(attribute, &compression_class), first, operand, out};
    fill_elements(&f, first, first + count);
}

static saros_status fill_task(void *user, int64_t task) {
    const filling *f = user;
    const int64_t chunk = TASK_BUCKETS * SAROS_COMPRESSION_BUCKET, from = task * chunk;
    const int64_t to = from + chunk < f->c->elements ? from + chunk : f->c->elements;
    fill_elements(f, from, to);
    return SAROS_OK;
}

/** Whether all elements are the same one. */
static bool stands_still(const saros_tensor *t) {
    for (int a = 0; a < saros_tensor_rank(t); ++a)
        if (saros_tensor_strides(t)[a] != 0) return false;
    return true;
}

static saros_status compress_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_compression *c = saros_tensor_payload(e->attributes->tensor, &compression_class);
    saros_elements *operand = saros_allocate((size_t)(e->ins + 1) * sizeof *operand);
    saros_tensor **dense = saros_allocate_zero((size_t)e->ins + 1, sizeof(saros_tensor *));
    filling f = {.c = c, .operand = operand, .values = saros_tensor_data(e->out[0])};
    if (!operand || !dense) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < e->ins; ++k) {
        operand[k] = (saros_elements){saros_tensor_const_data(e->in[k]), stands_still(e->in[k])};
        if (operand[k].still) continue;
        SAROS_TRY(saros_tensor_contiguous(e->in[k], &dense[k]));
        operand[k].from = saros_tensor_const_data(dense[k]);
    }
    const int64_t chunk = TASK_BUCKETS * SAROS_COMPRESSION_BUCKET;
    status = saros_pool_run((c->elements + chunk - 1) / chunk, fill_task, &f);
done:
    for (int k = 0; dense && k < e->ins; ++k) saros_tensor_release(dense[k]);
    saros_release(dense);
    saros_release(operand);
    return status;
}

#define COMPRESS_ROW(name_, take_)                                                                 \
    {                                                                                              \
        .name = name_, .doc = "values of a sparse matrix from the scales of its terms",            \
        .operands = -1, .outputs = 1, .flags = SAROS_CONSTANT, .type = compress_type,              \
        .evaluate = compress_evaluate, .take = take_                                               \
    }
const saros_primitive saros_row_compress = COMPRESS_ROW("compress", compress_take);
const saros_primitive saros_row_compress_apart = COMPRESS_ROW("compress apart", NULL);

saros_value saros_compression_build(saros_graph *graph, saros_compression *c) {
    saros_value values = SAROS_NONE;
    saros_tensor *attribute = NULL;
    saros_value *operand = saros_allocate((size_t)(c->operands + 1) * sizeof *operand);
    for (int k = 0; operand && k < c->streams; ++k) {
        if (c->operand[k] < 0) continue;
        saros_value scale = c->scale[k];
        if (c->whole && saros_value_rank(scale) == 0)
            scale = saros_broadcast(scale, c->type.rank, c->type.shape, NULL);
        operand[c->operand[k]] = scale;
    }
    const bool whole = c->whole;
    const int operands = c->operands;
    if (operand && saros_tensor_opaque(&compression_class, c, &attribute) == SAROS_OK)
        values = saros_build(graph, whole ? &saros_row_compress : &saros_row_compress_apart,
                             &(saros_attributes){.tensor = attribute}, operands, operand);
    if (!operand) saros_compression_release(c);
    saros_tensor_release(attribute);
    saros_release(operand);
    return saros_is_none(values) ? saros_poison(graph) : values;
}

saros_status saros_compression_values(const saros_function *function, saros_tensor *const *in,
                                      int64_t nonzeros, double *values) {
    saros_tensor *out = NULL;
    saros_status status =
        saros_tensor_wrap(SAROS_F64, 1, &nonzeros, NULL, values, SAROS_BORROW, NULL, NULL, &out);
    if (status == SAROS_OK) status = saros_function_call(function, in, &out, NULL);
    saros_tensor_release(out);
    return status;
}
