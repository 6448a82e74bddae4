/** The row of a fused group.
 *
 *  Evaluation collapses the axes of all operands together, keeps the innermost one for the vector
 *  loop, the next for the row loop and walks the rest. An operand that neither moves by one element
 *  nor stands still along the innermost axis is copied row-major first.
 */
#include <pthread.h>
#include <string.h>

#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "tensor_impl.h"

enum { VARIANTS = 8 };

/** A kernel and its code, one variant per pattern of operands that stand still. */
typedef struct loaded {
    saros_fused kernel;
    pthread_mutex_t lock;
    int variants;
    uint32_t still[VARIANTS];
    saros_kernel_code *_Atomic code[VARIANTS];
} loaded;

static void loaded_release(void *payload) {
    loaded *l = payload;
    pthread_mutex_destroy(&l->lock);
    saros_release(l);
}
static const saros_opaque_class kernel_class = {"kernel", loaded_release};

const saros_fused *saros_kernel_of(const saros_tensor *attribute) {
    const loaded *l = saros_tensor_payload(attribute, &kernel_class);
    return l ? &l->kernel : NULL;
}

static saros_status code_for(loaded *l, uint32_t still, saros_kernel_code **out) {
    saros_status status = SAROS_OK;
    char *text = NULL;
    for (int v = 0; v < VARIANTS; ++v) {
        saros_kernel_code *code = l->code[v];
        if (code && l->still[v] == still) {
            *out = code;
            return SAROS_OK;
        }
    }
    pthread_mutex_lock(&l->lock);
    text = saros_kernel_emit(&l->kernel, (saros_kernel_pattern){still}, saros_jit_bits(), "kernel");
    if (!text) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_jit_compile(text, out));
    SAROS_TRY(saros_kernel_record(&l->kernel, still));
    if (l->variants < VARIANTS) {
        l->still[l->variants] = still;
        l->code[l->variants++] = *out;
    }
done:
    pthread_mutex_unlock(&l->lock);
    saros_release(text);
    return status;
}

/** The collapsed index space: strides in bytes. */
typedef struct nest {
    int rank, ins, outs;
    int64_t extent[SAROS_MAX_RANK];
    int64_t stride[SAROS_KERNEL_LOADS + SAROS_KERNEL_STORES][SAROS_MAX_RANK];
} nest;

static int64_t stride_bytes(const saros_tensor *t, int axis) {
    return saros_tensor_strides(t)[axis] * (int64_t)saros_dtype_bytes(saros_tensor_dtype(t));
}

static void collapse(nest *s, saros_tensor *const *tensor, int rank, const int64_t *shape) {
    int n = s->ins + s->outs;
    for (int a = 0; a < rank; ++a) {
        if (shape[a] == 1) continue;
        bool joins = s->rank > 0;
        for (int k = 0; k < n && joins; ++k)
            joins = s->stride[k][s->rank - 1] == stride_bytes(tensor[k], a) * shape[a];
        if (joins)
            s->extent[s->rank - 1] *= shape[a];
        else
            s->extent[s->rank++] = shape[a];
        for (int k = 0; k < n; ++k) s->stride[k][s->rank - 1] = stride_bytes(tensor[k], a);
    }
    while (s->rank < 2) { /* leading axes of extent 1 */
        for (int a = s->rank; a > 0; --a) {
            s->extent[a] = s->extent[a - 1];
            for (int k = 0; k < n; ++k) s->stride[k][a] = s->stride[k][a - 1];
        }
        s->extent[0] = 1;
        for (int k = 0; k < n; ++k) s->stride[k][0] = 0;
        s->rank++;
    }
}

static void walk(const nest *s, saros_kernel_code *code, char **base) {
    int rows = s->rank - 2, n = s->ins + s->outs;
    int64_t index[SAROS_MAX_RANK] = {0}, row_stride[SAROS_KERNEL_LOADS + SAROS_KERNEL_STORES];
    for (int k = 0; k < n; ++k) row_stride[k] = s->stride[k][rows];
    for (;;) {
        code(s->extent[rows], s->extent[rows + 1], (const char *const *)base, row_stride,
             base + s->ins, row_stride + s->ins);
        int a = rows - 1;
        for (; a >= 0; --a) {
            for (int k = 0; k < n; ++k) base[k] += s->stride[k][a];
            if (++index[a] < s->extent[a]) break;
            for (int k = 0; k < n; ++k) base[k] -= s->stride[k][a] * s->extent[a];
            index[a] = 0;
        }
        if (a < 0) return;
    }
}

static saros_status kernel_evaluate(const saros_evaluation *e) {
    loaded *l = saros_tensor_payload(e->attributes->tensor, &kernel_class);
    saros_tensor *tensor[SAROS_KERNEL_LOADS + SAROS_KERNEL_STORES], *copy[SAROS_KERNEL_LOADS] = {0};
    char *base[SAROS_KERNEL_LOADS + SAROS_KERNEL_STORES];
    const int64_t *shape = saros_tensor_shape(e->out[0]);
    int rank = saros_tensor_rank(e->out[0]);
    saros_status status = SAROS_OK;
    saros_kernel_code *code = NULL;
    uint32_t still = 0;
    if (saros_tensor_count(e->out[0]) == 0) return SAROS_OK;
    int last = rank - 1;
    while (last > 0 && shape[last] == 1) last--;
    for (int k = 0; k < e->ins; ++k) {
        tensor[k] = e->in[k];
        if (rank > 0 && shape[last] > 1 && saros_tensor_strides(tensor[k])[last] != 0 &&
            saros_tensor_strides(tensor[k])[last] != 1) {
            SAROS_TRY(saros_tensor_contiguous(tensor[k], &copy[k]));
            tensor[k] = copy[k];
        }
        base[k] = saros_tensor_data(tensor[k]);
    }
    for (int m = 0; m < e->outs; ++m) {
        tensor[e->ins + m] = e->out[m];
        base[e->ins + m] = saros_tensor_data(e->out[m]);
    }
    nest s = {.ins = e->ins, .outs = e->outs};
    collapse(&s, tensor, rank, shape);
    for (int k = 0; k < e->ins; ++k)
        if (s.stride[k][s.rank - 1] == 0) still |= UINT32_C(1) << k;
    SAROS_TRY(code_for(l, still, &code));
    walk(&s, code, base);
done:
    for (int k = 0; k < e->ins; ++k) saros_tensor_release(copy[k]);
    return status;
}

static saros_status kernel_type(saros_typing *t) {
    saros_type type;
    int used = saros_type_from_words(t->attributes->word, &type);
    t->outputs = t->attributes->words - used;
    for (int m = 0; m < t->outputs; ++m) {
        t->output[m] = type;
        t->output[m].dtype = (saros_dtype)t->attributes->word[used + m];
    }
    return SAROS_OK;
}

const saros_primitive saros_row_kernel = {
    .name = "kernel",
    .doc = "a fused group of pointwise operations, compiled",
    .operands = -1,
    .outputs = 1,
    .flags = SAROS_STRIDED,
    .type = kernel_type,
    .evaluate = kernel_evaluate,
};

void saros_kernel_build(saros_graph *graph, saros_fused *kernel, const saros_type *type,
                        const saros_value *in, saros_value *out) {
    int64_t word[SAROS_TYPE_WORDS + SAROS_KERNEL_STORES];
    saros_tensor *object = NULL;
    saros_value node = SAROS_NONE;
    int words = saros_words_from_type(type, word);
    for (int m = 0; m < kernel->outs; ++m) {
        int o = kernel->out[m] - kernel->ins;
        word[words++] = (int64_t)kernel->operation[o].dtype;
    }
    loaded *l = saros_allocate_zero(1, sizeof *l);
    if (l) {
        l->kernel = *kernel;
        pthread_mutex_init(&l->lock, NULL);
    }
    if (!l || saros_tensor_opaque(&kernel_class, l, &object) != SAROS_OK) {
        node = saros_poison(graph);
    } else {
        node = saros_build(graph, &saros_row_kernel,
                           &(saros_attributes){.word = word, .words = words, .tensor = object},
                           kernel->ins, in);
    }
    for (int m = 0; m < kernel->outs; ++m) out[m] = saros_output(node, m);
    saros_tensor_release(object);
}
