/** sum and mean.
 *
 *  The order of a sum is fixed by the shape alone. A contiguous run is summed in 8 lanes in f64, 16
 * in f32 (lane l takes elements l, l + 8, …), which are added in a tree, as are blocks of 1024
 * elements; rows are added four at a time in groups of 64, groups in a tree. So the error grows as
 * the logarithm of the count (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition,
 * section 4.2), and the loops vectorise without reassociation by the compiler. Integers wrap
 * around.
 */
#include "primitives/operations_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/reduce_impl.h"
#include "rows/axes_impl.h"

enum { RUN = 1024, GROUP = 64, TILE = 256 };

/** Where to cut n elements for a tree of blocks: a multiple of `block` near the middle. */
static int64_t half_of(int64_t n, int64_t block) {
    return (n / block + 1) / 2 * block;
}

/** How many narrow rows to treat as one: a power of two that keeps them in a tile. */
static int64_t widening(const saros_layers *l) {
    int64_t wide = 1;
    while (l->inner > 1 && 2 * wide * l->inner <= TILE && 8 * wide <= l->n) wide *= 2;
    return wide;
}

/* ---- double ---- */

/** Sums of `outer` runs of n <= RUN elements, `step` apart. */
SAROS_FAST static void runs_f64(int64_t outer, int64_t n, int64_t step, const double *x,
                                double *y) {
    for (int64_t o = 0; o < outer; ++o, x += step) {
        double lane[8] = {0};
        int64_t i = 0;
        for (; i + 8 <= n; i += 8)
            for (int l = 0; l < 8; ++l) lane[l] += x[i + l];
        for (int l = 0; i + l < n; ++l) lane[l] += x[i + l];
        y[o] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
               ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }
}
static double run_tree_f64(int64_t n, const double *x) {
    double y;
    if (n > RUN) {
        int64_t half = half_of(n, RUN);
        return run_tree_f64(half, x) + run_tree_f64(n - half, x + half);
    }
    runs_f64(1, n, 0, x, &y);
    return y;
}
/** y[j] = x[0][j] + x[1][j] + … in this order, four rows at a time; j < m, rows `step` apart. */
SAROS_FAST static void rows_f64(int64_t n, int64_t m, int64_t step, const double *x,
                                double *restrict y) {
    int64_t i = 0;
    for (int64_t j = 0; j < m; ++j) y[j] = 0;
    for (; i + 4 <= n; i += 4) {
        const double *a = x + i * step, *b = a + step, *c = b + step, *d = c + step;
        for (int64_t j = 0; j < m; ++j) y[j] = (((y[j] + a[j]) + b[j]) + c[j]) + d[j];
    }
    for (; i < n; ++i)
        for (int64_t j = 0; j < m; ++j) y[j] += x[i * step + j];
}
static void row_tree_f64(int64_t n, int64_t m, int64_t step, const double *x, double *y) {
    if (n <= GROUP) {
        rows_f64(n, m, step, x, y);
        return;
    }
    double right[TILE];
    int64_t half = half_of(n, GROUP);
    row_tree_f64(half, m, step, x, y);
    row_tree_f64(n - half, m, step, x + half * step, right);
    for (int64_t j = 0; j < m; ++j) y[j] += right[j];
}
/** Narrow rows: `wide` of them count as one row, whose parts are added at the end. */
static void narrow_rows_f64(int64_t n, int64_t m, int64_t wide, const double *x, double *y) {
    double sum[TILE];
    row_tree_f64(n / wide, wide * m, wide * m, x, sum);
    for (int64_t parts = wide; parts > 1; parts /= 2)
        for (int64_t j = 0; j < parts / 2 * m; ++j) sum[j] += sum[parts / 2 * m + j];
    rows_f64(n % wide, m, m, x + n / wide * wide * m, y);
    for (int64_t j = 0; j < m; ++j) y[j] += sum[j];
}
static void sum_f64(const saros_layers *l) {
    const double *x = l->x;
    double *y = l->y;
    if (l->inner == 1 && l->n <= RUN) {
        runs_f64(l->outer, l->n, l->n, x, y);
        return;
    }
    int64_t wide = widening(l);
    for (int64_t o = 0; o < l->outer; ++o, x += l->n * l->inner, y += l->inner) {
        if (l->inner == 1) {
            y[0] = run_tree_f64(l->n, x);
        } else if (wide > 1) {
            narrow_rows_f64(l->n, l->inner, wide, x, y);
        } else {
            for (int64_t j = 0; j < l->inner; j += TILE) {
                int64_t m = l->inner - j < TILE ? l->inner - j : TILE;
                row_tree_f64(l->n, m, l->inner, x + j, y + j);
            }
        }
    }
}

/* ---- float ---- */

/** Sums of `outer` runs of n <= RUN elements, `step` apart. */
SAROS_FAST static void runs_f32(int64_t outer, int64_t n, int64_t step, const float *x, float *y) {
    for (int64_t o = 0; o < outer; ++o, x += step) {
        float lane[16] = {0};
        int64_t i = 0;
        for (; i + 16 <= n; i += 16)
            for (int l = 0; l < 16; ++l) lane[l] += x[i + l];
        for (int l = 0; i + l < n; ++l) lane[l] += x[i + l];
        for (int l = 0; l < 8; ++l) lane[l] += lane[l + 8];
        y[o] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
               ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }
}
static float run_tree_f32(int64_t n, const float *x) {
    float y;
    if (n > RUN) {
        int64_t half = half_of(n, RUN);
        return run_tree_f32(half, x) + run_tree_f32(n - half, x + half);
    }
    runs_f32(1, n, 0, x, &y);
    return y;
}
/** y[j] = x[0][j] + x[1][j] + … in this order, four rows at a time; j < m, rows `step` apart. */
SAROS_FAST static void rows_f32(int64_t n, int64_t m, int64_t step, const float *x,
                                float *restrict y) {
    int64_t i = 0;
    for (int64_t j = 0; j < m; ++j) y[j] = 0;
    for (; i + 4 <= n; i += 4) {
        const float *a = x + i * step, *b = a + step, *c = b + step, *d = c + step;
        for (int64_t j = 0; j < m; ++j) y[j] = (((y[j] + a[j]) + b[j]) + c[j]) + d[j];
    }
    for (; i < n; ++i)
        for (int64_t j = 0; j < m; ++j) y[j] += x[i * step + j];
}
static void row_tree_f32(int64_t n, int64_t m, int64_t step, const float *x, float *y) {
    if (n <= GROUP) {
        rows_f32(n, m, step, x, y);
        return;
    }
    float right[TILE];
    int64_t half = half_of(n, GROUP);
    row_tree_f32(half, m, step, x, y);
    row_tree_f32(n - half, m, step, x + half * step, right);
    for (int64_t j = 0; j < m; ++j) y[j] += right[j];
}
/** Narrow rows: `wide` of them count as one row, whose parts are added at the end. */
static void narrow_rows_f32(int64_t n, int64_t m, int64_t wide, const float *x, float *y) {
    float sum[TILE];
    row_tree_f32(n / wide, wide * m, wide * m, x, sum);
    for (int64_t parts = wide; parts > 1; parts /= 2)
        for (int64_t j = 0; j < parts / 2 * m; ++j) sum[j] += sum[parts / 2 * m + j];
    rows_f32(n % wide, m, m, x + n / wide * wide * m, y);
    for (int64_t j = 0; j < m; ++j) y[j] += sum[j];
}
static void sum_f32(const saros_layers *l) {
    const float *x = l->x;
    float *y = l->y;
    if (l->inner == 1 && l->n <= RUN) {
        runs_f32(l->outer, l->n, l->n, x, y);
        return;
    }
    int64_t wide = widening(l);
    for (int64_t o = 0; o < l->outer; ++o, x += l->n * l->inner, y += l->inner) {
        if (l->inner == 1) {
            y[0] = run_tree_f32(l->n, x);
        } else if (wide > 1) {
            narrow_rows_f32(l->n, l->inner, wide, x, y);
        } else {
            for (int64_t j = 0; j < l->inner; j += TILE) {
                int64_t m = l->inner - j < TILE ? l->inner - j : TILE;
                row_tree_f32(l->n, m, l->inner, x + j, y + j);
            }
        }
    }
}

/* ---- integers ---- */

static void sum_i64(const saros_layers *l) {
    const uint64_t *x = l->x;
    uint64_t *y = l->y;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = 0;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j) y[j] += x[j];
    }
}

/* ---- row ---- */

static saros_status sum_type(saros_typing *t) {
    saros_dtype dtype = t->operand[0].dtype;
    if (dtype == SAROS_BOOL || dtype == SAROS_I32 || dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, "saros_sum", NULL, "f64, f32 or i64 is needed, not %s",
                          saros_dtype_name(dtype));
    return saros_reduce_type("saros_sum", &t->operand[0], t->attributes->word[0], &t->output[0]);
}

const saros_reducers saros_sum_reducers = {sum_f64, sum_f32, sum_i64, NULL, NULL};

static saros_status sum_evaluate(const saros_evaluation *e) {
    return saros_reduce_run(e, &saros_sum_reducers);
}

static saros_value sum_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_reduce_expand(*ct, rule->in[0], (uint32_t)rule->attributes.word[0]);
}

static void sum_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    out[0] = saros_sum_local(in[0], saros_reduce_batched((uint32_t)rule->attributes.word[0]));
    out_batched[0] = true;
}

const saros_primitive saros_row_sum = {
    .name = "sum",
    .doc = "sum over axes; integers and masks count in i64",
    .operands = 1,
    .outputs = 1,
    .type = sum_type,
    .evaluate = sum_evaluate,
    .operations = saros_count_reduced,
    .linear_in = {0x1},
    .transpose = sum_transpose,
    .batch = sum_batch,
    .axes = &saros_axes_sum,
};

saros_value saros_sum_local(saros_value x, uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad("saros_sum", 1, &x, &bad)) return bad;
    if (saros_reduce_axes("saros_sum", x, axes) != SAROS_OK) return saros_poison(x.graph);
    if (!saros_dtype_is_float(saros_value_dtype(x))) x = saros_cast(x, SAROS_I64);
    if (axes == 0) return x;
    return saros_build_words(&saros_row_sum, 1, (int64_t[]){axes}, 1, &x);
}

saros_value saros_sum(saros_value x, uint32_t axes) {
    saros_value sum = saros_sum_local(x, axes);
    if (saros_is_poisoned(sum) || saros_is_none(sum)) return sum;
    return saros_value_type(x)->split & axes ? saros_allreduce(sum) : sum;
}

saros_value saros_mean(saros_value x, uint32_t axes) {
    saros_value sum = saros_sum(x, axes), bad;
    if (saros_operands_bad("saros_mean", 1, &sum, &bad)) return bad;
    const saros_type *type = saros_value_type(x);
    int64_t count = 1;
    for (int a = 0; a < type->rank; ++a)
        if (axes >> a & 1) count *= type->shape[a];
    if (!(type->split & axes)) {
        saros_dtype dtype = saros_value_dtype(sum);
        saros_value n =
            saros_scalar(sum.graph, saros_dtype_is_float(dtype) ? dtype : SAROS_F64, (double)count);
        return saros_div(sum, n);
    }
    /* every rank holds its own number of elements */
    saros_value ones = saros_splat(x.graph, type, 1.0);
    return saros_div(sum, saros_sum(ones, axes));
}
