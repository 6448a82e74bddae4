/** Transforms, dense linear algebra and random numbers. */
#include "script_op_impl.h"

static int build_rfft(const script_op_call *call, saros_value *out) {
    saros_rfft(call->value[0], &out[0], &out[1]);
    return 2;
}

static int build_irfft(const script_op_call *call, saros_value *out) {
    const saros_type *type = saros_value_type(call->value[0]);
    int64_t half = type->rank ? type->shape[type->rank - 1] : 1;
    int64_t n = call->fixed[0].given ? call->fixed[0].word[0] : 2 * (half - 1);
    out[0] = saros_irfft(call->value[0], call->value[1], n);
    return 1;
}

static int fft(const script_op_call *call, bool inverse, saros_value *out) {
    saros_value re = call->value[0], im = call->value[1];
    if (saros_is_none(im)) im = saros_zeros_like(re);
    saros_fft(re, im, inverse, &out[0], &out[1]);
    return 2;
}

static int build_fft(const script_op_call *call, saros_value *out) {
    return fft(call, false, out);
}
static int build_ifft(const script_op_call *call, saros_value *out) {
    return fft(call, true, out);
}

static int build_triangular(const script_op_call *call, saros_value *out) {
    bool transposed = call->fixed[0].given && call->fixed[0].word[0] != 0;
    out[0] = saros_triangular_solve(call->value[0], call->value[1], transposed);
    return 1;
}

static int build_inv(const script_op_call *call, saros_value *out) {
    const saros_type type = *saros_value_type(call->value[0]);
    if (type.rank != 2)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL, "takes a matrix, got rank %d",
                              type.rank);
    saros_type count = saros_type_make(SAROS_I64, 2, type.shape);
    saros_value mask =
        saros_eq(saros_iota(call->graph, &count, 0), saros_iota(call->graph, &count, 1));
    out[0] = saros_solve(call->value[0], saros_cast(mask, type.dtype));
    return 1;
}

static int build_eigh(const script_op_call *call, saros_value *out) {
    saros_eigh(call->value[0], &out[0], &out[1]);
    return 2;
}

/* ---- random ---- */

static saros_type random_type(const script_op_call *call, int dtype) {
    const script_static *shape = &call->fixed[0], *d = &call->fixed[dtype];
    return saros_type_make(d->given ? (saros_dtype)d->word[0] : SAROS_F64, shape->count,
                           shape->word);
}

static int build_uniform(const script_op_call *call, saros_value *out) {
    saros_type type = random_type(call, 1);
    saros_value u = saros_random_uniform(call->value[0], &type);
    saros_value lo = call->value[1], hi = call->value[2];
    if (!saros_is_none(hi)) {
        lo = saros_cast(lo, type.dtype);
        u = saros_add(lo, saros_mul(u, saros_sub(saros_cast(hi, type.dtype), lo)));
    } else if (!saros_is_none(lo)) {
        return script_op_fail(call, out, SAROS_ERR_USAGE, NULL, "lo is given without hi");
    }
    out[0] = u;
    return 1;
}

static int build_normal(const script_op_call *call, saros_value *out) {
    saros_type type = random_type(call, 1);
    out[0] = saros_random_normal(call->value[0], &type);
    return 1;
}

static int build_fold(const script_op_call *call, saros_value *out) {
    out[0] = saros_random_fold(call->value[0], saros_cast(call->value[1], SAROS_I64));
    return 1;
}

#define F SCRIPT_FLOAT
static const script_op rows[] = {
    {"rfft", "v", "x", NULL, "transform of real numbers along the last axis: re, im", F, NULL, NULL,
     build_rfft},
    {"irfft", "vvi?", "re, im, n?", NULL, "its inverse, n numbers (default 2 (m-1))", F, NULL, NULL,
     build_irfft},
    {"fft", "vv?", "re, im?", NULL, "transform of complex numbers along the last axis: re, im", F,
     NULL, NULL, build_fft},
    {"ifft", "vv?", "re, im?", "fft", "its inverse", F, NULL, NULL, build_ifft},
    {"linalg.solve", "vv", "A, b", "lu lu_solve", "x with A x = b", F, NULL, saros_solve, NULL},
    {"linalg.cholesky", "v", "A", "cholesky", "lower triangular L with L L^T = A", F,
     saros_cholesky, NULL, NULL},
    {"linalg.triangular_solve", "vvi?", "L, b, transposed?", "triangular_solve",
     "x with L x = b, L lower triangular", F, NULL, NULL, build_triangular},
    {"linalg.det", "v", "A", "det", "determinant", F, saros_det, NULL, NULL},
    {"linalg.inv", "v", "A", "lu lu_solve", "inverse; prefer solve", F, NULL, NULL, build_inv},
    {"linalg.eigh", "v", "A", "eigh",
     "eigenvalues ascending and eigenvectors (columns) of a symmetric matrix", F, NULL, NULL,
     build_eigh},
    {"random.uniform", "vlv?v?d?", "key, shape, lo?, hi?, dtype?", "random_uniform",
     "numbers in [lo, hi), default [0, 1)", SCRIPT_APART_0, NULL, NULL, build_uniform},
    {"random.normal", "vld?", "key, shape, dtype?", "random_normal", "standard normal numbers",
     SCRIPT_APART_0, NULL, NULL, build_normal},
    {"random.fold", "vv", "key, i", "random_fold",
     "new key from a key and a number; also key:fold(i)", SCRIPT_APART_0 | SCRIPT_APART_1, NULL,
     NULL, build_fold},
};
#undef F

const script_op_list script_linalg_ops = {rows, (int)(sizeof rows / sizeof *rows)};
