/** The row of a fused group.
 *
 *  Evaluation is a nest (nest_impl.h) around generated code. Partial results of reductions are
 * combined as the reference reduces them. Results larger than the last-level cache are stored past
 * it.
 */
#include <string.h>

#include "graph_impl.h"
#include "kernel/emit_impl.h"
#include "kernel/kernel_row_impl.h"
#include "primitives/reduce_impl.h"
#include "saros/memory.h"
#include "tensor_impl.h"

enum {
    CACHED = 1 << 20, /* bytes that stay in a core's caches from kernel to kernel */
    SHORT = 50,       /* nanoseconds of one short row */
    TAKEN = 16        /* bytes that an element costs which is handed over: read and written */
};

static void loaded_release(void *payload) {
    saros_loaded *l = payload;
    saros_kernel_codes_close(&l->codes);
    saros_tensor_release(l->taker.attribute);
    saros_release(l->cover);
    saros_release(l);
}
static const saros_opaque_class kernel_class = {"kernel", loaded_release};

const saros_fused *saros_kernel_of(const saros_tensor *attribute) {
    const saros_loaded *l = saros_tensor_payload(attribute, &kernel_class);
    return l ? &l->kernel : NULL;
}

const saros_cover *saros_kernel_cover(const saros_tensor *attribute) {
    const saros_loaded *l = saros_tensor_payload(attribute, &kernel_class);
    return l ? l->cover : NULL;
}

bool saros_kernel_in_place(const saros_tensor *attribute, int m) {
    const saros_loaded *l = saros_tensor_payload(attribute, &kernel_class);
    /* what is taken is read again after all has been stored */
    return l && !l->taker.row && !l->kernel.reduce[m];
}

/* ---- operands of the nest ---- */

void saros_nest_operand(saros_nest *s, int k, const saros_tensor *t, uint32_t axes) {
    const int64_t bytes = (int64_t)saros_dtype_bytes(t->dtype);
    s->base[k] = t->data;
    s->bytes[k] = (int)bytes;
    for (int a = 0, b = 0; a < s->rank; ++a)
        s->stride[k][a] = axes >> a & 1 ? 0 : bytes * t->strides[b++];
}

/** Stores that are taken stand still in the nest; one more is where elements have their numbers. */
static void hand_over(const saros_loaded *l, const saros_type *type, saros_tensor *out,
                      saros_nest *s) {
    s->taker = &l->taker.how;
    s->taken = l->kernel.taken;
    s->output = out->data;
    for (int m = 0; m < s->outs; ++m) {
        const int k = s->ins + m;
        if (!(s->taken >> m & 1)) continue;
        s->base[k] = s->output;
        s->bytes[k] = (int)saros_dtype_bytes(saros_fused_dtype(&l->kernel, l->kernel.out[m]));
        memset(s->stride[k], 0, sizeof s->stride[k]);
    }
    const int k = s->ins + s->outs++;
    s->base[k] = s->output;
    s->bytes[k] = 1;
    saros_strides_fill(type->rank, type->shape, s->stride[k]);
}

/** Index space and operands of one evaluation; `type` is its full shape. */
void saros_loaded_nest(const saros_evaluation *e, const saros_loaded *l, const saros_type *type,
                       saros_nest *s) {
    const saros_fused *kernel = &l->kernel;
    s->rank = type->rank;
    s->ins = kernel->ins;
    s->outs = kernel->outs;
    s->reduces = s->taken = 0;
    s->taker = NULL;
    for (int a = 0; a < type->rank; ++a) {
        s->extent[a] = type->shape[a];
        s->reduced[a] = kernel->axes >> a & 1;
    }
    for (int k = 0; k < s->ins && !l->cover; ++k) saros_nest_operand(s, k, e->in[k], 0);
    for (int m = 0, kept = 0; m < s->outs; ++m) {
        if (kernel->taken >> m & 1) continue;
        const saros_primitive *row = kernel->reduce[m];
        const saros_tensor *out = e->out[kept++];
        saros_nest_operand(s, s->ins + m, out, row ? kernel->axes : 0);
        if (!row) continue;
        s->reduces |= UINT64_C(1) << m;
        saros_element_from_word(out->dtype, saros_reduce_neutral(row, out->dtype), &s->neutral[m]);
    }
    if (l->taker.row) hand_over(l, type, e->out[e->outs - 1], s);
}

/** Whether loads j and k lie in one array: shifted views, of which memory sees one. */
static bool shares_array(const saros_nest *s, const int64_t *span, int j, int k) {
    return s->base[k] < s->base[j] + span[j] && s->base[j] < s->base[k] + span[k];
}

/** Nanoseconds of an element on one core: memory at 30 GB/s, caches at 100, 50 operations of a
 * core's vectors in a nanosecond. The blocks of sums follow from it, so there it is a matter of
 * shapes alone: no load shares, none is in a cache. */
double saros_loaded_cost(saros_nest *s, const saros_loaded *l) {
    int64_t span[SAROS_NEST_OPERANDS];
    double bytes = 0, count = 1;
    for (int a = 0; a < s->rank; ++a) count *= (double)s->extent[a];
    for (int k = 0; k < s->ins + s->outs; ++k) {
        if (k >= s->ins && s->taken >> (k - s->ins) & 1) continue;
        bool reduced = k >= s->ins && s->reduces >> (k - s->ins) & 1, known = reduced;
        span[k] = s->bytes[k];
        for (int a = 0; a < s->rank; ++a)
            if (s->stride[k][a] > 0) span[k] += (s->extent[a] - 1) * s->stride[k][a];
        for (int j = 0; j < k && k < s->ins && !known && !s->reduces; ++j)
            known = shares_array(s, span, j, k);
        if (!known) bytes += s->bytes[k];
    }
    if (l->taker.row) bytes += (double)saros_type_count(&l->taker.type) / count * TAKEN;
    const bool cached = bytes * count < CACHED && !s->reduces;
    return bytes / (cached ? 100 : 30) + l->operations / 50.0;
}

/* ---- reductions ---- */

/** The results of no elements. */
static void fill_neutral(const saros_evaluation *e, const saros_fused *kernel) {
    for (int m = 0; m < e->outs; ++m) {
        static const int64_t still[SAROS_MAX_RANK] = {0};
        const saros_tensor *out = e->out[m];
        if (!kernel->reduce[m]) continue;
        int64_t element;
        saros_element_from_word(out->dtype, saros_reduce_neutral(kernel->reduce[m], out->dtype),
                                &element);
        saros_copy_strided(out->rank, out->shape, out->dtype, out->data, out->strides, out->dtype,
                           &element, still);
    }
}

static saros_status combine(const saros_nest *s, const saros_primitive *row, const void *partial,
                            saros_tensor *out) {
    int64_t shape[SAROS_NEST_AXES];
    uint32_t axes;
    int rank = saros_nest_partial(s, shape, &axes);
    saros_tensor *whole = NULL;
    saros_status status = SAROS_OK;
    if (!out->contiguous) SAROS_TRY(saros_tensor_make(out->dtype, out->rank, out->shape, &whole));
    SAROS_TRY(saros_reduce_memory(saros_reducers_of(row), out->dtype, rank, shape, axes, partial,
                                  whole ? whole->data : out->data));
    if (whole) SAROS_TRY(saros_tensor_assign(out, whole));
done:
    saros_tensor_release(whole);
    return status;
}

static saros_status run_partial(const saros_evaluation *e, const saros_fused *kernel, saros_nest *s,
                                saros_kernel_code *code) {
    saros_status status = SAROS_OK;
    void *partial[SAROS_KERNEL_STORES] = {0};
    int64_t shape[SAROS_NEST_AXES], count = 1;
    uint32_t axes;
    int rank = saros_nest_partial(s, shape, &axes);
    for (int a = 0; a < rank; ++a) count *= shape[a];
    for (int m = 0; m < e->outs; ++m) {
        if (!kernel->reduce[m]) continue;
        partial[m] = saros_allocate((size_t)(count * s->bytes[e->ins + m]));
        if (!partial[m]) SAROS_TRY(SAROS_ERR_MEMORY);
        saros_nest_redirect(s, m, partial[m]);
    }
    SAROS_TRY(saros_nest_run(s, code));
    for (int m = 0; m < e->outs; ++m)
        if (kernel->reduce[m]) SAROS_TRY(combine(s, kernel->reduce[m], partial[m], e->out[m]));
done:
    for (int m = 0; m < e->outs; ++m) saros_release(partial[m]);
    return status;
}

/* ---- one short row ---- */

/** Whether all elements of t, of at least two, are the same one. */
static bool stands_still(const saros_tensor *t) {
    for (int a = 0; a < t->rank; ++a)
        if (t->strides[a] != 0 && t->shape[a] > 1) return false;
    return true;
}

/** The operands as one row for the code, without the planning that a few elements do not pay for:
 * false if they are no such row. The bits are those of the nest, which has one block here. */
static bool one_row(const saros_evaluation *e, const saros_fused *kernel, const saros_type *type,
                    saros_kernel_pattern *pattern, const char **in, char **out) {
    const int64_t count = saros_type_count(type);
    if (count < 2 || count > SAROS_KERNEL_SHORT) return false;
    if (kernel->axes && kernel->axes != (UINT32_C(1) << type->rank) - 1) return false;
    *pattern = (saros_kernel_pattern){.mode = SAROS_NEST_POINTWISE};
    for (int k = 0; k < e->ins; ++k) {
        if (!e->in[k]->contiguous) {
            if (!stands_still(e->in[k])) return false;
            pattern->still |= UINT32_C(1) << k;
        }
        in[k] = e->in[k]->data;
    }
    for (int m = 0; m < e->outs; ++m) {
        if (kernel->reduce[m])
            pattern->mode = SAROS_NEST_ALL;
        else if (!e->out[m]->contiguous)
            return false;
        out[m] = e->out[m]->data;
    }
    return true;
}

static saros_status kernel_evaluate(const saros_evaluation *e) {
    static const int64_t still[SAROS_NEST_OPERANDS];
    saros_loaded *l = saros_tensor_payload(e->attributes->tensor, &kernel_class);
    const char *in[SAROS_NEST_LOADS];
    char *out[SAROS_NEST_STORES];
    saros_nest s;
    saros_type type;
    saros_kernel_pattern pattern;
    saros_kernel_code *code = NULL;
    saros_type_from_words(e->attributes->word, &type);
    if (l->cover) return saros_kernel_run_boxes(e, l, &type);
    if (!l->taker.row && one_row(e, &l->kernel, &type, &pattern, in, out)) {
        saros_status status = saros_kernel_codes_find(&l->codes, &l->kernel, pattern, SHORT, &code);
        if (status == SAROS_OK) code(1, saros_type_count(&type), in, still, out, still);
        return status;
    }
    saros_loaded_nest(e, l, &type, &s);
    s.nanoseconds = saros_loaded_cost(&s, l);
    const double work = s.nanoseconds * (double)saros_type_count(&type);
    if (!saros_nest_plan(&s)) {
        fill_neutral(e, &l->kernel);
        return SAROS_OK;
    }
    saros_status status = saros_kernel_codes_find(
        &l->codes, &l->kernel, (saros_kernel_pattern){s.still, s.mode, s.streams}, work, &code);
    if (status != SAROS_OK) return status;
    return s.reduces && !s.direct ? run_partial(e, &l->kernel, &s, code) : saros_nest_run(&s, code);
}

static saros_status kernel_type(saros_typing *t) {
    saros_type type;
    int used = saros_type_from_words(t->attributes->word, &type);
    const int64_t *word = t->attributes->word + used, *end = word + 1 + 2 * word[0];
    t->outputs = (int)*word++;
    for (int m = 0; m < t->outputs; ++m) {
        type.dtype = (saros_dtype)word[2 * m];
        saros_status status = saros_reduce_type("kernel", &type, word[2 * m + 1], &t->output[m]);
        if (status != SAROS_OK) return status;
    }
    if (end < t->attributes->word + t->attributes->words)
        saros_type_from_words(end, &t->output[t->outputs++]);
    return SAROS_OK;
}

const saros_primitive saros_row_kernel = {
    .name = "kernel",
    .doc = "a fused group of pointwise operations and reductions, compiled",
    .operands = -1,
    .outputs = 1,
    .flags = SAROS_STRIDED,
    .type = kernel_type,
    .evaluate = kernel_evaluate,
    .operations = saros_kernel_cost,
};

/** Its index space; how many results are stores, and of each dtype and reduced axes; the type of
 * what the taker makes. */
static int put_words(const saros_fused *kernel, const saros_kernel_taker *taker,
                     const saros_type *type, int64_t *word, int *results) {
    int words = saros_words_from_type(type, word);
    int64_t *count = &word[words++];
    *count = 0;
    for (int m = 0; m < kernel->outs; ++m) {
        if (kernel->taken >> m & 1) continue;
        word[words++] = (int64_t)saros_fused_dtype(kernel, kernel->out[m]);
        word[words++] = kernel->reduce[m] ? kernel->axes : 0;
        ++*count;
    }
    *results = (int)*count + (taker != NULL);
    return taker ? words + saros_words_from_type(&taker->type, word + words) : words;
}

void saros_kernel_build(saros_graph *graph, const saros_fused *kernel, saros_cover *cover,
                        const saros_kernel_taker *taker, const saros_type *type,
                        const saros_value *in, saros_value *out) {
    int64_t word[2 * SAROS_TYPE_WORDS + 1 + 2 * SAROS_KERNEL_STORES];
    saros_tensor *object = NULL;
    saros_value node = SAROS_NONE;
    int results = 0, words = put_words(kernel, taker, type, word, &results);
    saros_loaded *l = saros_allocate_zero(1, sizeof *l);
    if (l) {
        l->kernel = *kernel;
        l->cover = cover;
        if (taker) l->taker = *taker;
        saros_tensor_retain(l->taker.attribute);
        l->operations = saros_kernel_operations(kernel);
        saros_kernel_codes_open(&l->codes);
    }
    if (!l) saros_release(cover);
    if (!l || saros_tensor_opaque(&kernel_class, l, &object) != SAROS_OK) {
        node = saros_poison(graph);
    } else {
        node = saros_build(graph, &saros_row_kernel,
                           &(saros_attributes){.word = word, .words = words, .tensor = object},
                           cover ? cover->parts : kernel->ins, in);
    }
    for (int m = 0; m < results; ++m) out[m] = saros_output(node, m);
    saros_tensor_release(object);
}
