/** Row weigh: y_k = sum_j m_kj x_j along one axis, the numbers m standing in the node.
 *
 *  So equal closures are one node whoever builds them. Its transpose is the row with the transposed
 * matrix. Meant for a handful of nodes at the end of an axis: the matrix is dense and small.
 */
#include "weigh_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"

enum { AXIS, ROWS, COLUMNS, NUMBERS };

saros_value saros_weigh(saros_value x, int axis, int64_t rows, int64_t columns, const double *m) {
    int64_t *word = saros_allocate((size_t)(NUMBERS + rows * columns) * sizeof *word);
    if (!word) return saros_poison(x.graph);
    word[AXIS] = axis;
    word[ROWS] = rows;
    word[COLUMNS] = columns;
    for (int64_t k = 0; k < rows * columns; ++k) word[NUMBERS + k] = saros_bits(m[k]);
    saros_attributes attributes = {.word = word, .words = (int)(NUMBERS + rows * columns)};
    saros_value y = saros_build(x.graph, &saros_row_weigh, &attributes, 1, &x);
    saros_release(word);
    return y;
}

void saros_weigh_read(const saros_attributes *attributes, int *axis, int64_t *rows,
                      int64_t *columns) {
    *axis = (int)attributes->word[AXIS];
    *rows = attributes->word[ROWS];
    *columns = attributes->word[COLUMNS];
}

double saros_weigh_number(const saros_attributes *attributes, int64_t k, int64_t j) {
    return saros_from_bits(attributes->word[NUMBERS + k * attributes->word[COLUMNS] + j]);
}

static saros_status weigh_type(saros_typing *t) {
    const int64_t *word = t->attributes->word;
    const saros_type *x = &t->operand[0];
    if (x->dtype != SAROS_F64)
        return saros_fail(SAROS_ERR_TYPE, "weigh", NULL, "the operand must be f64");
    if (word[AXIS] >= x->rank || x->shape[word[AXIS]] != word[COLUMNS])
        return saros_fail(SAROS_ERR_SHAPE, "weigh", NULL,
                          "axis %lld must exist and have %lld nodes", (long long)word[AXIS],
                          (long long)word[COLUMNS]);
    t->output[0] = *x;
    t->output[0].shape[word[AXIS]] = word[ROWS];
    return SAROS_OK;
}

/* One run along the innermost of the other axes: y = m x for each of its `count` places. */
static void weigh_run(const int64_t *word, int64_t count, const double *x, int64_t x_axis,
                      int64_t x_step, double *y, int64_t y_axis, int64_t y_step) {
    for (int64_t k = 0; k < word[ROWS]; ++k) {
        double *to = y + k * y_axis;
        for (int64_t i = 0; i < count; ++i) to[i * y_step] = 0;
        for (int64_t j = 0; j < word[COLUMNS]; ++j) {
            double m = saros_from_bits(word[NUMBERS + k * word[COLUMNS] + j]);
            const double *from = x + j * x_axis;
            for (int64_t i = 0; i < count; ++i) to[i * y_step] += m * from[i * x_step];
        }
    }
}

static saros_status weigh_evaluate(const saros_evaluation *e) {
    const int64_t *word = e->attributes->word, *shape = saros_tensor_shape(e->in[0]);
    const int64_t *xs = saros_tensor_strides(e->in[0]), *ys = saros_tensor_strides(e->out[0]);
    int rank = saros_tensor_rank(e->in[0]), axis = (int)word[AXIS];
    int run = rank == 1 ? -1 : axis == rank - 1 ? rank - 2 : rank - 1;
    const double *x = saros_tensor_const_data(e->in[0]);
    double *y = saros_tensor_data(e->out[0]);
    int64_t index[SAROS_MAX_RANK] = {0}, runs = 1;
    for (int a = 0; a < rank; ++a)
        if (a != axis && a != run) runs *= shape[a];
    for (; runs > 0; --runs) {
        weigh_run(word, run < 0 ? 1 : shape[run], x, xs[axis], run < 0 ? 0 : xs[run], y, ys[axis],
                  run < 0 ? 0 : ys[run]);
        for (int a = rank - 1; a >= 0; --a) {
            if (a == axis || a == run) continue;
            x += xs[a];
            y += ys[a];
            if (++index[a] < shape[a]) break;
            x -= index[a] * xs[a];
            y -= index[a] * ys[a];
            index[a] = 0;
        }
    }
    return SAROS_OK;
}

static saros_value weigh_transpose(const saros_rule *rule, int operand,
                                   const saros_value *cotangent) {
    (void)operand;
    const int64_t *word = rule->attributes.word;
    int64_t rows = word[ROWS], columns = word[COLUMNS];
    double *m = saros_allocate((size_t)(rows * columns) * sizeof *m);
    if (!m) return saros_poison(rule->graph);
    for (int64_t k = 0; k < rows; ++k)
        for (int64_t j = 0; j < columns; ++j)
            m[j * rows + k] = saros_from_bits(word[NUMBERS + k * columns + j]);
    saros_value x = saros_weigh(cotangent[0], (int)word[AXIS], columns, rows, m);
    saros_release(m);
    return x;
}

static void weigh_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                        const bool *batched, saros_value *out, bool *out_batched) {
    (void)size;
    const saros_attributes *of = &rule->attributes;
    int64_t *word = saros_allocate((size_t)of->words * sizeof *word);
    if (!word) {
        out[0] = saros_poison(rule->graph);
        return;
    }
    memcpy(word, of->word, (size_t)of->words * sizeof *word);
    word[AXIS] += batched[0];
    saros_attributes attributes = {.word = word, .words = of->words};
    out[0] = saros_build(rule->graph, rule->row, &attributes, 1, in);
    out_batched[0] = batched[0];
    saros_release(word);
}

const saros_primitive saros_row_weigh = {
    .name = "weigh",
    .doc = "fixed combinations of nodes along an axis: y_k = sum_j m_kj x_j",
    .operands = 1,
    .outputs = 1,
    .type = weigh_type,
    .evaluate = weigh_evaluate,
    .linear_in = {1},
    .transpose = weigh_transpose,
    .batch = weigh_batch,
};
