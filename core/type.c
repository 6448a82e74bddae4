/** Types of values: element types, promotion, counts and texts. */
#include <stdio.h>
#include <string.h>

#include "saros/tensor.h"

static const char *const names[SAROS_DTYPE_COUNT] = {
#define NAME(name, text, type, bytes) text,
    SAROS_DTYPE_LIST(NAME)
#undef NAME
        "opaque"};

static const size_t sizes[SAROS_DTYPE_COUNT] = {
#define SIZE(name, text, type, bytes) bytes,
    SAROS_DTYPE_LIST(SIZE)
#undef SIZE
        0};

const char *saros_dtype_name(saros_dtype dtype) {
    return (unsigned)dtype < SAROS_DTYPE_COUNT ? names[dtype] : "unknown";
}

size_t saros_dtype_bytes(saros_dtype dtype) {
    return (unsigned)dtype < SAROS_DTYPE_COUNT ? sizes[dtype] : 0;
}

bool saros_dtype_is_float(saros_dtype dtype) {
    return dtype == SAROS_F64 || dtype == SAROS_F32;
}

saros_dtype saros_dtype_promote(saros_dtype a, saros_dtype b) {
    /* Opaque objects have no arithmetic; the caller's rule reports them. */
    if (a == SAROS_OPAQUE || b == SAROS_OPAQUE) return SAROS_OPAQUE;
    static const int order[SAROS_DTYPE_COUNT] = {
        [SAROS_BOOL] = 0, [SAROS_I32] = 1, [SAROS_I64] = 2, [SAROS_F32] = 3, [SAROS_F64] = 4};
    saros_dtype low = order[a] < order[b] ? a : b, high = low == a ? b : a;
    /* f32 holds neither all i32 nor all i64 exactly; NumPy widens both. */
    if (high == SAROS_F32 && (low == SAROS_I64 || low == SAROS_I32)) return SAROS_F64;
    return high;
}

saros_type saros_type_make(saros_dtype dtype, int rank, const int64_t *shape) {
    saros_type type = {.dtype = dtype, .rank = rank};
    for (int a = 0; a < rank && a < SAROS_MAX_RANK; ++a) type.shape[a] = shape[a];
    return type;
}

saros_type saros_type_scalar(saros_dtype dtype) {
    return (saros_type){.dtype = dtype};
}

int64_t saros_type_count(const saros_type *type) {
    int64_t count = 1;
    for (int a = 0; a < type->rank; ++a) count *= type->shape[a];
    return count;
}

bool saros_type_equal(const saros_type *a, const saros_type *b) {
    if (a->dtype != b->dtype || a->rank != b->rank || a->split != b->split) return false;
    for (int k = 0; k < a->rank; ++k)
        if (a->shape[k] != b->shape[k]) return false;
    return true;
}

const char *saros_type_text(const saros_type *type, char *text, size_t bytes) {
    if (!bytes) return text;
    size_t used = 0;
    text[0] = '\0';
    for (int part = -1; part <= type->rank && used < bytes; ++part) {
        char piece[32] = "";
        if (part < 0) {
            snprintf(piece, sizeof piece, "%s%s", saros_dtype_name(type->dtype),
                     type->rank ? "[" : "");
        } else if (part < type->rank) {
            snprintf(piece, sizeof piece, "%s%lld%s", part ? "," : "", (long long)type->shape[part],
                     type->split >> part & 1 ? "/ranks" : "");
        } else if (type->rank) {
            snprintf(piece, sizeof piece, "]");
        }
        int written = snprintf(text + used, bytes - used, "%s", piece);
        used += written > 0 ? (size_t)written : 0;
    }
    return text;
}
