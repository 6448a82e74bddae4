/** Sparse Jacobians by compressed forward products.
 *
 *  Columns that share no row get one colour (Curtis, Powell and Reid 1974; greedy distance-2
 * colouring in the order of the columns, Gebremedhin, Manne and Pothen 2005, alg. 3.1). With d the
 * sum of the unit vectors of a colour, J d holds all its columns: one jvp per colour gives J
 * exactly.
 *
 *  On grids a linear form of the position may need fewer colours (colour_lattice.c).
 *
 *  Does not colour rows: a pattern with one dense row needs n products.
 */
#include "sparse_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "saros/memory.h"

/* The pattern by columns: the rows that meet column j are row[from[j]] … row[from[j+1]-1]. */
static int64_t *pattern_columns(const saros_sparsity *p, int64_t **row) {
    int64_t *from = saros_allocate_zero((size_t)(p->n + 2 + p->nonzeros), sizeof *from);
    if (!from) return NULL;
    *row = from + p->n + 2;
    for (int64_t k = 0; k < p->nonzeros; ++k) from[p->column[k] + 2]++;
    for (int64_t j = 0; j < p->n; ++j) from[j + 2] += from[j + 1];
    for (int64_t i = 0; i < p->n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) (*row)[from[p->column[k] + 1]++] = i;
    return from;
}

/* Fills c->of_column and c->colours. */
static saros_status colour_greedily(const saros_sparsity *p, saros_colouring *c) {
    if (p->nonzeros == p->n * p->n) {
        for (int64_t j = 0; j < p->n; ++j) c->of_column[j] = (int)j;
        c->colours = (int)p->n;
        return SAROS_OK;
    }
    int64_t *row = NULL, *from = pattern_columns(p, &row);
    int64_t *taken_by = saros_allocate((size_t)(p->n + 1) * sizeof *taken_by);
    if (!from || !taken_by) {
        saros_release(from);
        saros_release(taken_by);
        return SAROS_ERR_MEMORY;
    }
    for (int64_t j = 0; j <= p->n; ++j) taken_by[j] = c->of_column[j < p->n ? j : 0] = -1;
    for (int64_t j = 0; j < p->n; ++j) {
        for (int64_t r = from[j]; r < from[j + 1]; ++r)
            for (int64_t k = p->row[row[r]]; k < p->row[row[r] + 1]; ++k)
                if (c->of_column[p->column[k]] >= 0) taken_by[c->of_column[p->column[k]]] = j;
        int colour = 0;
        while (taken_by[colour] == j) colour++;
        c->of_column[j] = colour;
        if (colour >= c->colours) c->colours = colour + 1;
    }
    saros_release(from);
    saros_release(taken_by);
    return SAROS_OK;
}

/* Lists columns and nonzeros colour by colour (counting sort). */
static void colour_group(const saros_sparsity *p, saros_colouring *c) {
    for (int64_t j = 0; j < p->n; ++j) c->column_from[c->of_column[j] + 1]++;
    for (int64_t k = 0; k < p->nonzeros; ++k) c->entry_from[c->of_column[p->column[k]] + 1]++;
    for (int s = 0; s < c->colours; ++s) {
        c->column_from[s + 1] += c->column_from[s];
        c->entry_from[s + 1] += c->entry_from[s];
    }
    for (int64_t j = 0; j < p->n; ++j) c->column[c->column_from[c->of_column[j]]++] = j;
    for (int64_t i = 0; i < p->n; ++i) {
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            int64_t at = c->entry_from[c->of_column[p->column[k]]]++;
            c->entry[at] = k;
            c->entry_row[at] = i;
        }
    }
    /* each start has moved to its end, which is the start of the next colour */
    for (int s = c->colours; s > 0; --s) {
        c->column_from[s] = c->column_from[s - 1];
        c->entry_from[s] = c->entry_from[s - 1];
    }
    c->column_from[0] = c->entry_from[0] = 0;
}

static saros_status colouring_make(const saros_sparsity *p, saros_colouring **out) {
    saros_status status = SAROS_OK;
    saros_colouring *c = saros_allocate_zero(1, sizeof *c);
    if (!c) return SAROS_ERR_MEMORY;
    c->of_column = saros_allocate((size_t)(p->n + 1) * sizeof *c->of_column);
    if (!c->of_column) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(colour_greedily(p, c));
    SAROS_TRY(saros_colouring_lattice(p, c->colours, c->of_column, &c->colours));
    size_t words = 2 * ((size_t)c->colours + 1) + (size_t)(p->n + 2 * p->nonzeros);
    c->column_from = saros_allocate_zero(words, sizeof *c->column_from);
    if (!c->column_from) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    c->entry_from = c->column_from + c->colours + 1;
    c->column = c->entry_from + c->colours + 1;
    c->entry = c->column + p->n;
    c->entry_row = c->entry + p->nonzeros;
    colour_group(p, c);
    *out = c;
    return SAROS_OK;
done:
    saros_colouring_release(c);
    return status;
}

void saros_colouring_release(saros_colouring *colouring) {
    if (!colouring) return;
    saros_release(colouring->of_column);
    saros_release(colouring->column_from);
    saros_release(colouring);
}

saros_status saros_sparsity_colouring(saros_sparsity *pattern, const saros_colouring **out) {
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&pattern->lock);
    if (!pattern->colouring) status = colouring_make(pattern, &pattern->colouring);
    pthread_mutex_unlock(&pattern->lock);
    if (status == SAROS_OK) *out = pattern->colouring;
    return status;
}

saros_status saros_sparsity_colour(saros_sparsity *pattern, int *colours,
                                   const int **colour_of_column) {
    const saros_colouring *c = NULL;
    saros_status status = saros_sparsity_colouring(pattern, &c);
    if (status) return status;
    *colours = c->colours;
    *colour_of_column = c->of_column;
    return SAROS_OK;
}

saros_status saros_sparse_jacobian(saros_sparsity *pattern, const saros_function *jvp, int inputs,
                                   saros_tensor *const *in, double *values) {
    const saros_colouring *c = NULL;
    saros_status status = saros_sparsity_colouring(pattern, &c);
    if (status) return status;
    saros_tensor *seed = NULL, *product = NULL;
    saros_tensor **operand = saros_allocate((size_t)(inputs + 1) * sizeof *operand);
    if (!operand) return SAROS_ERR_MEMORY;
    if (inputs) memcpy(operand, in, (size_t)inputs * sizeof *operand);
    SAROS_TRY(saros_tensor_zeros(SAROS_F64, 1, &pattern->n, &seed));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &pattern->n, &product));
    operand[inputs] = seed;
    double *d = saros_tensor_data(seed);
    const double *column = saros_tensor_const_data(product);
    for (int s = 0; s < c->colours; ++s) {
        for (int64_t k = c->column_from[s]; k < c->column_from[s + 1]; ++k) d[c->column[k]] = 1;
        SAROS_TRY(saros_function_call(jvp, operand, &product, NULL));
        for (int64_t k = c->entry_from[s]; k < c->entry_from[s + 1]; ++k)
            values[c->entry[k]] = column[c->entry_row[k]];
        for (int64_t k = c->column_from[s]; k < c->column_from[s + 1]; ++k) d[c->column[k]] = 0;
    }
done:
    saros_tensor_release(seed);
    saros_tensor_release(product);
    saros_release(operand);
    return status;
}

double saros_sparse_rounding(const saros_sparsity *pattern, const double *values, const double *x) {
    double sum = 0;
    for (int64_t i = 0; i < pattern->n; ++i) {
        double size = 0;
        for (int64_t k = pattern->row[i]; k < pattern->row[i + 1]; ++k)
            size += fabs(values[k] * x[pattern->column[k]]);
        sum += size * size;
    }
    return 4 * DBL_EPSILON * sqrt(sum);
}

saros_status saros_sparse_verify(const saros_sparsity *pattern, const saros_function *jvp,
                                 int inputs, saros_tensor *const *in, const double *values) {
    saros_status status = SAROS_OK;
    saros_tensor *direction = NULL, *product = NULL;
    saros_tensor **operand = saros_allocate((size_t)(inputs + 1) * sizeof *operand);
    if (!operand) return SAROS_ERR_MEMORY;
    if (inputs) memcpy(operand, in, (size_t)inputs * sizeof *operand);
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &pattern->n, &direction));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &pattern->n, &product));
    operand[inputs] = direction;
    double *v = saros_tensor_data(direction);
    /* fractions of multiples of the golden ratio: no zeros, no pattern that columns could share */
    for (int64_t j = 0; j < pattern->n; ++j)
        v[j] = 0.5 + fmod((double)(j + 1) * 0.6180339887498949, 1);
    SAROS_TRY(saros_function_call(jvp, operand, &product, NULL));
    const double *y = saros_tensor_const_data(product);
    for (int64_t i = 0; i < pattern->n; ++i) {
        double sum = 0, size = 0;
        for (int64_t k = pattern->row[i]; k < pattern->row[i + 1]; ++k) {
            sum += values[k] * v[pattern->column[k]];
            size += fabs(values[k] * v[pattern->column[k]]);
        }
        if (fabs(y[i] - sum) > 1e-8 * fmax(size, fabs(y[i]))) {
            status = saros_fail(SAROS_ERR_USAGE, "sparse Jacobian",
                                "add the missing entries, or give no pattern",
                                "the sparsity pattern misses entries in row %lld (J v is %g, the "
                                "pattern gives %g)",
                                (long long)i, y[i], sum);
            break;
        }
    }
done:
    saros_tensor_release(direction);
    saros_tensor_release(product);
    saros_release(operand);
    return status;
}
