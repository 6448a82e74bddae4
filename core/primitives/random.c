/** Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, Parallel random
 * numbers: as easy as 1, 2, 3, SC 2011).
 *
 *  A key is i64[2]; its first element is the 64-bit key of Philox, its second the upper half of the
 * 128-bit counter. Element i of a result uses counter i, so its value depends on key and absolute
 * index alone. uniform: 53 bits (f64) or 24 bits (f32) of the block over 2^53 or 2^24, in [0,1).
 * normal: Box-Muller on the two 64-bit halves of the element's own block. fold: the block of
 * counter i under the key, as a new key.
 *
 *  Keys may have leading axes, one independent stream per key: the batch form of all three.
 */
#include <math.h>

#include "primitives/build_impl.h"
#include "saros/pool.h"
#include "tensor_impl.h"

typedef struct philox_block {
    uint32_t word[4];
} philox_block;

static philox_block philox(uint64_t key, uint64_t low, uint64_t high) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    philox_block c = {
        {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)}};
    for (int round = 0; round < 10; ++round) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c.word[0], p1 = UINT64_C(0xCD9E8D57) * c.word[2];
        c = (philox_block){{(uint32_t)(p1 >> 32) ^ c.word[1] ^ k0, (uint32_t)p1,
                            (uint32_t)(p0 >> 32) ^ c.word[3] ^ k1, (uint32_t)p0}};
        k0 += 0x9E3779B9; /* golden ratio */
        k1 += 0xBB67AE85; /* sqrt(3) - 1 */
    }
    return c;
}

static uint64_t half(philox_block b, int k) {
    return (uint64_t)b.word[2 * k + 1] << 32 | b.word[2 * k];
}

/** In [0,1), 53 bits. */
static double unit(uint64_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
}

/* ---- shapes ---- */

static saros_status check_key(const char *where, const saros_type *key) {
    char text[96];
    if (key->dtype == SAROS_I64 && key->rank >= 1 && key->shape[key->rank - 1] == 2)
        return SAROS_OK;
    return saros_fail(SAROS_ERR_TYPE, where, "make it with saros_random_key", "%s is no random key",
                      saros_type_text(key, text, sizeof text));
}

/** Leading axes of the key, then the type told by the words. */
static saros_status draw_type(saros_typing *t) {
    const saros_type *key = &t->operand[0];
    saros_type told;
    saros_type_from_words(t->attributes->word, &told);
    saros_status status = check_key(t->row->name, key);
    if (status != SAROS_OK) return status;
    if (!saros_dtype_is_float(told.dtype))
        return saros_fail(SAROS_ERR_TYPE, t->row->name, NULL, "f64 or f32 is needed, not %s",
                          saros_dtype_name(told.dtype));
    if (told.split || key->split)
        return saros_fail(SAROS_ERR_UNSUPPORTED, t->row->name, NULL,
                          "random numbers of an array cut over ranks");
    if (key->rank - 1 + told.rank > SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_SHAPE, t->row->name, NULL, "the result has rank %d",
                          key->rank - 1 + told.rank);
    t->output[0] = saros_type_make(told.dtype, key->rank - 1, key->shape);
    for (int a = 0; a < told.rank; ++a) t->output[0].shape[t->output[0].rank++] = told.shape[a];
    return SAROS_OK;
}

static saros_status fold_type(saros_typing *t) {
    const saros_type *key = &t->operand[0], *i = &t->operand[1];
    saros_status status = check_key("saros_random_fold", key);
    if (status != SAROS_OK) return status;
    saros_type like = *key;
    like.rank -= 1;
    if (!saros_type_equal(&like, i))
        return saros_fail(SAROS_ERR_TYPE, "saros_random_fold", NULL,
                          "the index must be an i64 scalar");
    t->output[0] = *key;
    return SAROS_OK;
}

/* ---- evaluation ---- */

typedef double draw(philox_block block);

static double draw_uniform(philox_block b) {
    return unit(half(b, 0));
}
/** sqrt(-2 log u) cos(2 pi v), u in (0,1]. */
static double draw_normal(philox_block b) {
    double u = 1.0 - unit(half(b, 0)), v = unit(half(b, 1));
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}
/** Fewer bits, so that rounding to f32 never gives 1. */
static double draw_uniform_f32(philox_block b) {
    return (double)(half(b, 0) >> 40) * 0x1p-24;
}

/** Elements of one result; tasks are runs of them. */
typedef struct drawing {
    const uint64_t *key;
    saros_tensor *out;
    int64_t each; /**< elements of one key */
    draw *draw;
} drawing;

enum { RUN = 4096 };

static saros_status draw_run(void *user, int64_t task) {
    const drawing *d = user;
    const int64_t first = task * RUN;
    const int64_t last = first + RUN < d->out->count ? first + RUN : d->out->count;
    for (int64_t i = first; i < last; ++i) {
        const uint64_t *key = d->key + 2 * (i / d->each);
        const double x = d->draw(philox(key[0], (uint64_t)(i % d->each), key[1]));
        if (d->out->dtype == SAROS_F64)
            ((double *)d->out->data)[i] = x;
        else
            ((float *)d->out->data)[i] = (float)x;
    }
    return SAROS_OK;
}

static saros_status run_draws(const saros_evaluation *e, draw *f64, draw *f32) {
    saros_status status = SAROS_OK;
    saros_tensor *key = NULL, *out = e->out[0];
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &key));
    drawing d = {key->data, out, 0, out->dtype == SAROS_F64 ? f64 : f32};
    if (out->count > 0) {
        d.each = out->count / (key->count / 2);
        status = saros_pool_run((out->count + RUN - 1) / RUN, draw_run, &d);
    }
done:
    saros_tensor_release(key);
    return status;
}

static saros_status uniform_evaluate(const saros_evaluation *e) {
    return run_draws(e, draw_uniform, draw_uniform_f32);
}

static saros_status normal_evaluate(const saros_evaluation *e) {
    return run_draws(e, draw_normal, draw_normal);
}

static saros_status fold_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *key = NULL, *index = NULL;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &key));
    SAROS_TRY(saros_tensor_contiguous(e->in[1], &index));
    const uint64_t *k = key->data, *i = index->data;
    uint64_t *out = e->out[0]->data;
    for (int64_t s = 0; s < index->count; ++s) {
        philox_block block = philox(k[2 * s], i[s], k[2 * s + 1]);
        out[2 * s] = half(block, 0);
        out[2 * s + 1] = half(block, 1);
    }
done:
    saros_tensor_release(key);
    saros_tensor_release(index);
    return status;
}

/* ---- rows ---- */

static void draw_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                       const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    out[0] = saros_build(rule->graph, rule->row, &rule->attributes, 1, in);
    out_batched[0] = true;
}

static void fold_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                       const bool *batched, saros_value *out, bool *out_batched) {
    saros_value x[2];
    for (int k = 0; k < 2; ++k) x[k] = batched[k] ? in[k] : saros_broadcast_leading(in[k], size);
    out[0] = saros_build(rule->graph, rule->row, &rule->attributes, 2, x);
    out_batched[0] = true;
}

const saros_primitive saros_row_random_fold = {
    .name = "random_fold",
    .doc = "a new random key from a key and an index",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = fold_type,
    .evaluate = fold_evaluate,
    .batch = fold_batch,
};
const saros_primitive saros_row_random_uniform = {
    .name = "random_uniform",
    .doc = "uniform numbers in [0,1) from a key",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = draw_type,
    .evaluate = uniform_evaluate,
    .batch = draw_batch,
};
const saros_primitive saros_row_random_normal = {
    .name = "random_normal",
    .doc = "standard normal numbers from a key",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = draw_type,
    .evaluate = normal_evaluate,
    .batch = draw_batch,
};

saros_value saros_random_key(saros_graph *graph, int64_t seed) {
    saros_tensor *tensor = NULL;
    int64_t shape = 2, key[2] = {seed, 0};
    if (saros_tensor_from(SAROS_I64, 1, &shape, key, &tensor) != SAROS_OK)
        return saros_poison(graph);
    saros_value value = saros_constant(graph, tensor);
    saros_tensor_release(tensor);
    return value;
}

saros_value saros_random_fold(saros_value key, saros_value i) {
    saros_value x[] = {key, i}, bad;
    if (saros_operands_bad("saros_random_fold", 2, x, &bad)) return bad;
    if (saros_value_dtype(i) == SAROS_I32 || saros_value_dtype(i) == SAROS_BOOL)
        x[1] = saros_cast(i, SAROS_I64);
    return saros_build_words(&saros_row_random_fold, 0, NULL, 2, x);
}

static saros_value build_draw(const saros_primitive *row, const char *where, saros_value key,
                              const saros_type *type) {
    saros_value bad;
    int64_t word[SAROS_TYPE_WORDS];
    if (saros_operands_bad(where, 1, &key, &bad)) return bad;
    return saros_build_words(row, saros_words_from_type(type, word), word, 1, &key);
}
saros_value saros_random_uniform(saros_value key, const saros_type *type) {
    return build_draw(&saros_row_random_uniform, "saros_random_uniform", key, type);
}
saros_value saros_random_normal(saros_value key, const saros_type *type) {
    return build_draw(&saros_row_random_normal, "saros_random_normal", key, type);
}
