/** rfft, irfft and fft along the last axis, on pairs (re, im): forward sum_j x_j exp(-2 pi i jk/n),
 * backward the same with + and divided by n.
 *
 *  All are linear. With weights w = 1 at k = 0 and k = n/2 and 2 between, the transpose of rfft is
 * n irfft of the cotangents divided by w, and that of irfft is rfft of the cotangent times w/n. The
 * matrix of fft is symmetric, so its transpose (of pairs, real) is n times the inverse, and back.
 * irfft ignores the imaginary parts at k = 0 and n/2.
 */
#include "primitives/fft_impl.h"

#include <string.h>

#include "primitives/build_impl.h"
#include "primitives/operations_impl.h"
#include "saros/memory.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

/* ---- shapes ---- */

static saros_status pair_type(const saros_typing *t, int64_t least) {
    const saros_type *x = &t->operand[0];
    char a[96], b[96];
    if (!saros_dtype_is_float(x->dtype) || x->rank < 1 || x->shape[x->rank - 1] < least)
        return saros_fail(SAROS_ERR_SHAPE, t->row->name, NULL,
                          "%s has no last axis of f64 or f32 to transform",
                          saros_type_text(x, a, sizeof a));
    if (t->operands == 2 && !saros_type_equal(x, &t->operand[1]))
        return saros_fail(SAROS_ERR_SHAPE, t->row->name, NULL, "re is %s, im is %s",
                          saros_type_text(x, a, sizeof a),
                          saros_type_text(&t->operand[1], b, sizeof b));
    return saros_axis_whole(t->row->name, x, x->rank - 1);
}

static saros_status rfft_type(saros_typing *t) {
    saros_status status = pair_type(t, 1);
    t->output[0] = t->output[1] = t->operand[0];
    if (status != SAROS_OK) return status;
    int64_t half = t->operand[0].shape[t->operand[0].rank - 1] / 2 + 1;
    t->output[0].shape[t->operand[0].rank - 1] = half;
    t->output[1].shape[t->operand[0].rank - 1] = half;
    return SAROS_OK;
}

static saros_status irfft_type(saros_typing *t) {
    int64_t n = t->attributes->word[0];
    saros_status status = pair_type(t, 1);
    t->output[0] = t->operand[0];
    if (status != SAROS_OK) return status;
    int64_t half = t->operand[0].shape[t->operand[0].rank - 1];
    if (n < 1 || n / 2 + 1 != half)
        return saros_fail(SAROS_ERR_SHAPE, "saros_irfft", "n reals have n/2+1 frequencies",
                          "%lld frequencies do not give %lld reals", (long long)half, (long long)n);
    t->output[0].shape[t->operand[0].rank - 1] = n;
    return SAROS_OK;
}

static saros_status fft_type(saros_typing *t) {
    t->output[0] = t->output[1] = t->operand[0];
    return pair_type(t, 1);
}

/* ---- evaluation ---- */

static void scale(saros_dtype dtype, int64_t n, double factor, void *x) {
    double *f64 = x;
    float *f32 = x;
    if (dtype == SAROS_F64)
        for (int64_t i = 0; i < n; ++i) f64[i] *= factor;
    else
        for (int64_t i = 0; i < n; ++i) f32[i] *= (float)factor;
}

/** Transforms every row of length n; operand k goes to part in[k] of the area, output k comes from
 * part out[k]. */
static saros_status transform(const saros_evaluation *e, saros_fft_kind kind, int64_t n,
                              const int *in, const int *out) {
    saros_status status = SAROS_OK;
    saros_tensor *x[2] = {NULL, NULL};
    const saros_fft_plan *plan;
    char *area = NULL;
    saros_dtype dtype = e->out[0]->dtype;
    size_t bytes = saros_dtype_bytes(dtype), part = (size_t)n * bytes;
    int64_t row_in = e->in[0]->shape[e->in[0]->rank - 1];
    int64_t row_out = e->out[0]->shape[e->out[0]->rank - 1];
    size_t from = (size_t)row_in * bytes, to = (size_t)row_out * bytes;
    if (e->out[0]->count == 0) return SAROS_OK;
    for (int k = 0; k < e->ins; ++k) SAROS_TRY(saros_tensor_contiguous(e->in[k], &x[k]));
    SAROS_TRY(saros_fft_find(kind, n, dtype, &plan));
    area = saros_allocate(SAROS_FFT_PARTS * part);
    if (!area) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int64_t r = 0; r < x[0]->count / row_in; ++r) {
        for (int k = 0; k < e->ins; ++k)
            memcpy(area + (size_t)in[k] * part, (char *)x[k]->data + (size_t)r * from, from);
        if (kind == SAROS_FFT_HALF_TO_REAL) { /* parts that reals cannot have */
            memset(area + part, 0, bytes);
            if (n % 2 == 0) memset(area + part + from - bytes, 0, bytes);
        }
        saros_fft_execute(plan, area, area + part, area + 2 * part, area + 3 * part);
        for (int k = 0; k < e->outs; ++k)
            memcpy((char *)e->out[k]->data + (size_t)r * to, area + (size_t)out[k] * part, to);
    }
done:
    saros_release(area);
    saros_tensor_release(x[0]);
    saros_tensor_release(x[1]);
    return status;
}

static saros_status rfft_evaluate(const saros_evaluation *e) {
    int64_t n = e->in[0]->shape[e->in[0]->rank - 1];
    return transform(e, SAROS_FFT_REAL_TO_HALF, n, (int[]){SAROS_FFT_RE_IN},
                     (int[]){SAROS_FFT_RE_OUT, SAROS_FFT_IM_OUT});
}

static saros_status irfft_evaluate(const saros_evaluation *e) {
    int64_t n = e->attributes->word[0];
    saros_status status =
        transform(e, SAROS_FFT_HALF_TO_REAL, n, (int[]){SAROS_FFT_RE_IN, SAROS_FFT_IM_IN},
                  (int[]){SAROS_FFT_RE_OUT});
    if (status == SAROS_OK)
        scale(e->out[0]->dtype, e->out[0]->count, 1.0 / (double)n, e->out[0]->data);
    return status;
}

/** Exchanging re and im before and after turns forward into backward. */
static saros_status fft_evaluate(const saros_evaluation *e) {
    int64_t n = e->in[0]->shape[e->in[0]->rank - 1];
    bool inverse = e->attributes->word[0];
    saros_status status = transform(
        e, SAROS_FFT_COMPLEX, n, (int[]){SAROS_FFT_RE_IN + inverse, SAROS_FFT_IM_IN - inverse},
        (int[]){SAROS_FFT_RE_OUT + inverse, SAROS_FFT_IM_OUT - inverse});
    for (int k = 0; status == SAROS_OK && inverse && k < 2; ++k)
        scale(e->out[k]->dtype, e->out[k]->count, 1.0 / (double)n, e->out[k]->data);
    return status;
}

/* ---- derivatives and batches ---- */

/** `ends` at frequencies 0 and n/2, `between` elsewhere, of v's type. */
static saros_value weigh(saros_value v, int64_t n, double ends, double between) {
    saros_type type = *saros_value_type(v), index = type;
    index.dtype = SAROS_I64;
    saros_value k = saros_iota(v.graph, &index, type.rank - 1);
    saros_value end = saros_eq(k, saros_like(k, 0.0));
    if (n % 2 == 0) end = saros_or(end, saros_eq(k, saros_like(k, (double)(n / 2))));
    return saros_mul(v, saros_where(end, saros_like(v, ends), saros_like(v, between)));
}

static saros_value present(saros_value v, saros_value like) {
    return saros_is_none(v) ? saros_zeros_like(like) : v;
}

static saros_value rfft_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    const saros_type *type = saros_value_type(rule->in[0]);
    int64_t n = type->shape[type->rank - 1];
    double all = (double)n;
    return saros_irfft(weigh(present(ct[0], rule->out[0]), n, all, all / 2),
                       weigh(present(ct[1], rule->out[1]), n, all, all / 2), n);
}

static saros_value irfft_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    int64_t n = rule->attributes.word[0];
    saros_value part[2];
    saros_rfft(*ct, &part[0], &part[1]);
    return weigh(part[operand], n, 1.0 / (double)n, 2.0 / (double)n);
}

static saros_value fft_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    const saros_type *type = saros_value_type(rule->in[0]);
    double n = (double)type->shape[type->rank - 1];
    bool inverse = rule->attributes.word[0];
    saros_value part[2];
    saros_fft(present(ct[0], rule->out[0]), present(ct[1], rule->out[1]), !inverse, &part[0],
              &part[1]);
    return saros_mul(part[operand], saros_like(part[operand], inverse ? 1.0 / n : n));
}

static void fft_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched) {
    saros_value x[2];
    for (int k = 0; k < rule->ins; ++k)
        x[k] = batched[k] ? in[k] : saros_broadcast_leading(in[k], size);
    out[0] = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, x);
    for (int k = 0; k < rule->outs; ++k) {
        out[k] = saros_output(out[0], k);
        out_batched[k] = true;
    }
}

/* ---- rows and building ---- */

const saros_primitive saros_row_rfft = {
    .name = "rfft",
    .doc = "Fourier transform of reals along the last axis: re and im of n/2+1 frequencies",
    .operands = 1,
    .outputs = 2,
    .type = rfft_type,
    .evaluate = rfft_evaluate,
    .operations = saros_count_fft,
    .linear_in = {0x1},
    .transpose = rfft_transpose,
    .batch = fft_batch,
    .axes = &saros_axes_last,
};
const saros_primitive saros_row_irfft = {
    .name = "irfft",
    .doc = "n reals from n/2+1 frequencies along the last axis, the inverse of rfft",
    .operands = 2,
    .outputs = 1,
    .type = irfft_type,
    .evaluate = irfft_evaluate,
    .operations = saros_count_fft,
    .linear_in = {0x3},
    .transpose = irfft_transpose,
    .batch = fft_batch,
    .axes = &saros_axes_last,
};
const saros_primitive saros_row_fft = {
    .name = "fft",
    .doc = "Fourier transform of pairs (re, im) along the last axis, or its inverse",
    .operands = 2,
    .outputs = 2,
    .type = fft_type,
    .evaluate = fft_evaluate,
    .operations = saros_count_fft,
    .linear_in = {0x3},
    .transpose = fft_transpose,
    .batch = fft_batch,
    .axes = &saros_axes_last,
};

static saros_value as_float(saros_value x) {
    return saros_dtype_is_float(saros_value_dtype(x)) ? x : saros_cast(x, SAROS_F64);
}

/** re and im in one float dtype and one split. */
static void as_pair(saros_value *x) {
    saros_dtype dtype = saros_dtype_promote(saros_value_dtype(x[0]), saros_value_dtype(x[1]));
    for (int k = 0; k < 2; ++k) x[k] = as_float(saros_cast(x[k], dtype));
    saros_split_unify(2, x);
}

void saros_rfft(saros_value x, saros_value *re, saros_value *im) {
    saros_value bad;
    if (saros_operands_bad("saros_rfft", 1, &x, &bad)) {
        *re = *im = bad;
        return;
    }
    x = as_float(x);
    *re = saros_build_words(&saros_row_rfft, 0, NULL, 1, &x);
    *im = saros_output(*re, 1);
}

saros_value saros_irfft(saros_value re, saros_value im, int64_t n) {
    saros_value x[] = {re, im}, bad;
    if (saros_operands_bad("saros_irfft", 2, x, &bad)) return bad;
    as_pair(x);
    return saros_build_words(&saros_row_irfft, 1, &n, 2, x);
}

void saros_fft(saros_value re, saros_value im, bool inverse, saros_value *out_re,
               saros_value *out_im) {
    saros_value x[] = {re, im}, bad;
    if (saros_operands_bad("saros_fft", 2, x, &bad)) {
        *out_re = *out_im = bad;
        return;
    }
    as_pair(x);
    *out_re = saros_build_words(&saros_row_fft, 1, (int64_t[]){inverse}, 2, x);
    *out_im = saros_output(*out_re, 1);
}
