/** Eager application of one row: no graph, no arena.
 *
 *  Output types are remembered per thread in a direct-mapped table keyed by (row, words, types of
 * the operands); a colliding key replaces the old one. Rows that hold a tensor or bodies, and keys
 * too long for a table entry, are typed anew each time. Where the row can, the result is a view. */
#include <pthread.h>
#include <string.h>

#include "function_impl.h"
#include "profile_impl.h"
#include "saros/memory.h"

enum { KEY_WORDS = 32, PLAN_OUTPUTS = 2, PLANS = 128 };

typedef struct plan {
    const saros_primitive *row;
    int words, outs;
    int64_t key[KEY_WORDS];
    saros_type out[PLAN_OUTPUTS];
} plan;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static bool has_key;
static _Thread_local plan *plans;

static void make_key(void) {
    has_key = pthread_key_create(&thread_end, saros_release) == 0;
}

/** The thread's table, or NULL if there is no memory for it. */
static plan *table(void) {
    if (plans) return plans;
    pthread_once(&once, make_key);
    if (!has_key) return NULL;
    plan *made = saros_allocate_zero(PLANS, sizeof *made);
    if (made && pthread_setspecific(thread_end, made) != 0) {
        saros_release(made);
        made = NULL;
    }
    return plans = made;
}

/** Length of the key, or -1 if it does not fit. */
static int write_key(const saros_attributes *attributes, int ins, saros_tensor *const *in,
                     int64_t *key) {
    int words = attributes->words;
    if (attributes->tensor || attributes->bodies || words > KEY_WORDS) return -1;
    for (int k = 0; k < words; ++k) key[k] = attributes->word[k];
    for (int k = 0; k < ins; ++k) {
        if (words + 1 + in[k]->rank > KEY_WORDS) return -1;
        key[words++] = (int64_t)in[k]->dtype << 8 | in[k]->rank;
        for (int a = 0; a < in[k]->rank; ++a) key[words++] = in[k]->shape[a];
    }
    return words;
}

/** Types of the outputs into `out` (room for SAROS_MAX_OUTPUTS). */
static saros_status infer(const saros_primitive *row, const saros_attributes *attributes, int ins,
                          saros_tensor *const *in, int *outs, saros_type *out) {
    int minimum = row->operands < 0 ? -row->operands - 1 : row->operands;
    if (ins < minimum || (row->operands >= 0 && ins != minimum))
        return saros_fail(SAROS_ERR_USAGE, row->name, NULL, "got %d operands, needed %s%d", ins,
                          row->operands < 0 ? "at least " : "", minimum);
    saros_type *type = saros_allocate((size_t)ins * sizeof *type);
    if (!type) return SAROS_ERR_MEMORY;
    for (int k = 0; k < ins; ++k) type[k] = saros_tensor_type(in[k]);
    memset(&out[0], 0, sizeof out[0]);
    saros_typing typing = {row, attributes, ins, type, row->outputs, out};
    saros_status status = row->type(&typing);
    *outs = typing.outputs;
    saros_release(type);
    return status;
}

static saros_status find_types(const saros_primitive *row, const saros_attributes *attributes,
                               int ins, saros_tensor *const *in, int *outs, saros_type *out) {
    int64_t key[KEY_WORDS];
    int words = write_key(attributes, ins, in, key);
    plan *all = words >= 0 ? table() : NULL;
    if (!all) return infer(row, attributes, ins, in, outs, out);
    uint64_t hash = (uint64_t)(uintptr_t)(const void *)row;
    for (int k = 0; k < words; ++k) hash = saros_hash_mix(hash, (uint64_t)key[k]);
    plan *p = &all[(hash >> 20) % PLANS];
    size_t bytes = (size_t)words * sizeof *key;
    if (p->row == row && p->words == words && memcmp(p->key, key, bytes) == 0) {
        *outs = p->outs;
        memcpy(out, p->out, (size_t)p->outs * sizeof *out);
        return SAROS_OK;
    }
    saros_status status = infer(row, attributes, ins, in, outs, out);
    if (status != SAROS_OK || *outs > PLAN_OUTPUTS) return status;
    p->row = row;
    p->words = words;
    p->outs = *outs;
    memcpy(p->key, key, bytes);
    memcpy(p->out, out, (size_t)*outs * sizeof *out);
    return SAROS_OK;
}

static bool try_view(const saros_primitive *row, const saros_attributes *attributes, int ins,
                     saros_tensor *const *in, const saros_type *type, saros_status *status,
                     saros_tensor **out) {
    int64_t strides[SAROS_MAX_RANK] = {0}, offset = 0;
    if (!row->view || ins < 1 || in[0]->dtype != type->dtype) return false;
    if (type->dtype == SAROS_OPAQUE) {
        *out = saros_tensor_retain(in[0]);
        *status = SAROS_OK;
        return true;
    }
    if (!row->view(attributes, in[0], type, strides, &offset)) return false;
    *status = saros_tensor_view(in[0], type->rank, type->shape, strides, offset, out);
    return true;
}

/** Whether a given output may be written at once: exact type, row-major, apart from the operands.
 */
static bool usable(const saros_tensor *out, const saros_type *type, int ins,
                   saros_tensor *const *in) {
    saros_type got = saros_tensor_type(out);
    got.split = type->split;
    if (!saros_type_equal(&got, type) || !out->contiguous) return false;
    for (int k = 0; k < ins; ++k)
        if (in[k]->dtype != SAROS_OPAQUE && saros_tensor_overlap(out, in[k])) return false;
    return true;
}

static saros_status compile_bodies(const saros_attributes *attributes, saros_function **body) {
    for (int b = 0; b < attributes->bodies; ++b) {
        saros_status status = saros_compile_body(attributes->body[b], NULL, &body[b]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

static saros_status evaluate_recorded(const saros_evaluation *evaluation) {
    if (!saros_profile_is_on()) return evaluation->row->evaluate(evaluation);
    const saros_recording recording = saros_recording_open(NULL);
    if (!recording.profile) return evaluation->row->evaluate(evaluation);
    const saros_status status = saros_recording_evaluate(&recording, 0, evaluation);
    saros_recording_close(&recording);
    return status;
}

/** Evaluates into `result`, which holds usable given outputs (retained) or NULL. */
static saros_status evaluate(const saros_primitive *row, const saros_attributes *attributes,
                             int ins, saros_tensor *const *in, int outs, const saros_type *type,
                             saros_tensor **result) {
    saros_status status = SAROS_OK;
    saros_function **body = NULL;
    for (int k = 0; k < outs; ++k)
        if (!result[k] && type[k].dtype != SAROS_OPAQUE)
            SAROS_TRY(saros_tensor_make(type[k].dtype, type[k].rank, type[k].shape, &result[k]));
    if (attributes->bodies) {
        body = saros_allocate_zero((size_t)attributes->bodies, sizeof(saros_function *));
        if (!body) return SAROS_ERR_MEMORY;
        SAROS_TRY(compile_bodies(attributes, body));
    }
    saros_evaluation evaluation = {row, attributes, ins, outs, in, result, body, NULL};
    status = evaluate_recorded(&evaluation);
done:
    for (int b = 0; body && b < attributes->bodies; ++b) saros_function_release(body[b]);
    saros_release(body);
    return status;
}

saros_status saros_apply(const saros_primitive *row, const saros_attributes *attributes, int ins,
                         saros_tensor *const *in, saros_tensor **out) {
    static const saros_attributes none = {0};
    saros_type type[SAROS_MAX_OUTPUTS];
    saros_tensor *result[SAROS_MAX_OUTPUTS];
    int outs = 0, done = 0;
    if (!attributes) attributes = &none;
    saros_status status = find_types(row, attributes, ins, in, &outs, type);
    if (status != SAROS_OK) return status;
    if (outs > SAROS_MAX_OUTPUTS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, row->name, NULL, "%d outputs, at most %d fit",
                          outs, SAROS_MAX_OUTPUTS);
    if (outs == 1 && !out[0] && try_view(row, attributes, ins, in, type, &status, out))
        return status;
    for (int k = 0; k < outs; ++k)
        result[k] =
            out[k] && usable(out[k], &type[k], ins, in) ? saros_tensor_retain(out[k]) : NULL;
    status = evaluate(row, attributes, ins, in, outs, type, result);
    for (; status == SAROS_OK && done < outs; ++done)
        if (out[done] && out[done] != result[done])
            status = saros_tensor_assign(out[done], result[done]);
    for (int k = 0; k < outs; ++k) {
        bool handed = status == SAROS_OK && !out[k];
        if (handed)
            out[k] = result[k];
        else
            saros_tensor_release(result[k]);
    }
    return status;
}
