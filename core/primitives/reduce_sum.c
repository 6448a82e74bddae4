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

#define REAL double
#define LANES 8
#define RUNS runs_f64
#define RUN_TREE run_tree_f64
#define ROWS rows_f64
#define ROW_TREE row_tree_f64
#define NARROW_ROWS narrow_rows_f64
#define SUM sum_f64
#include "primitives/reduce_sum_impl.h"

#define REAL float
#define LANES 16
#define RUNS runs_f32
#define RUN_TREE run_tree_f32
#define ROWS rows_f32
#define ROW_TREE row_tree_f32
#define NARROW_ROWS narrow_rows_f32
#define SUM sum_f32
#include "primitives/reduce_sum_impl.h"

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
