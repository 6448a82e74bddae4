/** Patterns of square sparse matrices by rows (CSR): made, read, shared, and patterns made from
 * them.
 *
 *  The values of a matrix are kept apart, in the order of the pattern; nothing here touches them.
 */
#include "direct_impl.h"
#include "sparse_impl.h"

#include <string.h>

#include "saros/memory.h"

static saros_status pattern_allocate(int64_t n, int64_t nonzeros, saros_sparsity **out) {
    saros_sparsity *p = saros_allocate_zero(1, sizeof *p);
    if (!p) return SAROS_ERR_MEMORY;
    p->row = saros_allocate((size_t)(n + 1 + nonzeros) * sizeof *p->row);
    if (!p->row) {
        saros_release(p);
        return SAROS_ERR_MEMORY;
    }
    atomic_init(&p->references, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->column = p->row + n + 1;
    p->n = n;
    p->nonzeros = nonzeros;
    p->row[0] = 0;
    *out = p;
    return SAROS_OK;
}

/* Bandwidth, once all rows are in place. */
static void pattern_measure(saros_sparsity *p) {
    for (int64_t i = 0; i < p->n; ++i) {
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            int64_t above = p->column[k] - i;
            if (above > p->upper) p->upper = above;
            if (-above > p->lower) p->lower = -above;
        }
    }
}

static saros_status pattern_check(int64_t n, const int64_t *row, const int64_t *column) {
    static const char *const where = "saros_sparsity_make";
    if (n < 0 || row[0] != 0)
        return saros_fail(SAROS_ERR_USAGE, where, NULL,
                          "n is %lld and row_start[0] is %lld, wanted n >= 0 and 0", (long long)n,
                          (long long)row[0]);
    for (int64_t i = 0; i < n; ++i) {
        if (row[i + 1] < row[i])
            return saros_fail(SAROS_ERR_USAGE, where, NULL, "row_start falls at row %lld",
                              (long long)i);
        for (int64_t k = row[i]; k < row[i + 1]; ++k) {
            if (column[k] < 0 || column[k] >= n)
                return saros_fail(SAROS_ERR_USAGE, where, NULL,
                                  "column %lld in row %lld, wanted 0 … %lld", (long long)column[k],
                                  (long long)i, (long long)n - 1);
            if (k > row[i] && column[k] <= column[k - 1])
                return saros_fail(SAROS_ERR_USAGE, where, "sort the columns of each row",
                                  "columns of row %lld do not ascend (%lld after %lld)",
                                  (long long)i, (long long)column[k], (long long)column[k - 1]);
        }
    }
    return SAROS_OK;
}

saros_status saros_sparsity_make(int64_t n, const int64_t *row_start, const int64_t *column,
                                 saros_sparsity **out) {
    saros_status status = pattern_check(n, row_start, column);
    if (status) return status;
    saros_sparsity *p = NULL;
    status = pattern_allocate(n, row_start[n], &p);
    if (status) return status;
    memcpy(p->row, row_start, (size_t)(n + 1) * sizeof *p->row);
    if (p->nonzeros) memcpy(p->column, column, (size_t)p->nonzeros * sizeof *p->column);
    pattern_measure(p);
    *out = p;
    return SAROS_OK;
}

saros_status saros_sparsity_dense(int64_t n, saros_sparsity **out) {
    if (n < 0)
        return saros_fail(SAROS_ERR_USAGE, "saros_sparsity_dense", NULL, "n is %lld, wanted n >= 0",
                          (long long)n);
    saros_sparsity *p = NULL;
    saros_status status = pattern_allocate(n, n * n, &p);
    if (status) return status;
    for (int64_t i = 0; i < n; ++i) {
        p->row[i + 1] = (i + 1) * n;
        for (int64_t j = 0; j < n; ++j) p->column[i * n + j] = j;
    }
    pattern_measure(p);
    *out = p;
    return SAROS_OK;
}

saros_status saros_sparsity_with_diagonal(saros_sparsity *pattern, saros_sparsity **out) {
    int64_t n = pattern->n, missing = 0;
    saros_sparsity *p = NULL;
    saros_status status = pattern_allocate(n, pattern->nonzeros + n, &p);
    if (status) return status;
    int64_t at = 0;
    for (int64_t i = 0; i < n; ++i) {
        bool placed = false;
        for (int64_t k = pattern->row[i]; k < pattern->row[i + 1]; ++k) {
            int64_t j = pattern->column[k];
            if (!placed && j > i) {
                p->column[at++] = i;
                missing++;
                placed = true;
            }
            placed = placed || j == i;
            p->column[at++] = j;
        }
        if (!placed) {
            p->column[at++] = i;
            missing++;
        }
        p->row[i + 1] = at;
    }
    p->nonzeros = at;
    if (missing == 0) {
        saros_sparsity_release(p);
        *out = saros_sparsity_retain(pattern);
        return SAROS_OK;
    }
    pattern_measure(p);
    *out = p;
    return SAROS_OK;
}

/* Rows listed column by column, in order. */
static saros_status pattern_transpose(const saros_sparsity *p, saros_sparsity **out) {
    saros_sparsity *t = NULL;
    saros_status status = pattern_allocate(p->n, p->nonzeros, &t);
    if (status) return status;
    for (int64_t i = 0; i <= p->n; ++i) t->row[i] = 0;
    for (int64_t k = 0; k < p->nonzeros; ++k) t->row[p->column[k] + 1]++;
    for (int64_t j = 0; j < p->n; ++j) t->row[j + 1] += t->row[j];
    for (int64_t i = 0; i < p->n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) t->column[t->row[p->column[k]]++] = i;
    for (int64_t j = p->n; j > 0; --j) t->row[j] = t->row[j - 1]; /* each has moved to its end */
    t->row[0] = 0;
    *out = t;
    return SAROS_OK;
}

saros_status saros_sparsity_symmetric(saros_sparsity *pattern, saros_sparsity **out) {
    saros_sparsity *all = NULL, *turned = NULL, *p = NULL;
    saros_status status = SAROS_OK;
    int64_t at = 0;
    SAROS_TRY(saros_sparsity_with_diagonal(pattern, &all));
    SAROS_TRY(pattern_transpose(all, &turned));
    SAROS_TRY(pattern_allocate(all->n, all->nonzeros, &p));
    for (int64_t i = 0; i < all->n; ++i) {
        int64_t t = turned->row[i];
        for (int64_t k = all->row[i]; k < all->row[i + 1]; ++k) {
            while (t < turned->row[i + 1] && turned->column[t] < all->column[k]) t++;
            if (t < turned->row[i + 1] && turned->column[t] == all->column[k])
                p->column[at++] = all->column[k];
        }
        p->row[i + 1] = at;
    }
    p->nonzeros = at;
    pattern_measure(p);
    *out = p;
done:
    saros_sparsity_release(all);
    saros_sparsity_release(turned);
    return status;
}

saros_status saros_sparsity_positions(const saros_sparsity *part, const saros_sparsity *whole,
                                      int64_t **position) {
    int64_t *of = saros_allocate((size_t)part->nonzeros * sizeof *of);
    if (!of) return SAROS_ERR_MEMORY;
    for (int64_t i = 0; i < part->n; ++i) {
        int64_t at = whole->row[i];
        for (int64_t k = part->row[i]; k < part->row[i + 1]; ++k) {
            while (whole->column[at] != part->column[k]) at++;
            of[k] = at;
        }
    }
    *position = of;
    return SAROS_OK;
}

saros_status saros_sparsity_repeat(saros_sparsity *pattern, int64_t copies, saros_sparsity **out) {
    int64_t n = pattern->n, nonzeros = pattern->nonzeros;
    saros_sparsity *p = NULL;
    saros_status status = pattern_allocate(n * copies, nonzeros * copies, &p);
    if (status) return status;
    for (int64_t c = 0; c < copies; ++c) {
        for (int64_t i = 0; i < n; ++i) p->row[c * n + i + 1] = c * nonzeros + pattern->row[i + 1];
        for (int64_t k = 0; k < nonzeros; ++k)
            p->column[c * nonzeros + k] = c * n + pattern->column[k];
    }
    pattern_measure(p);
    *out = p;
    return SAROS_OK;
}

saros_sparsity *saros_sparsity_retain(saros_sparsity *pattern) {
    if (pattern) atomic_fetch_add(&pattern->references, 1);
    return pattern;
}

void saros_sparsity_release(saros_sparsity *pattern) {
    if (!pattern || atomic_fetch_sub(&pattern->references, 1) != 1) return;
    pthread_mutex_destroy(&pattern->lock);
    saros_colouring_release(pattern->colouring);
    if (pattern->analysis) pattern->method->analysis_release(pattern->analysis);
    saros_release(pattern->row);
    saros_release(pattern);
}

int64_t saros_sparsity_size(const saros_sparsity *pattern) {
    return pattern->n;
}
int64_t saros_sparsity_nonzeros(const saros_sparsity *pattern) {
    return pattern->nonzeros;
}
const int64_t *saros_sparsity_rows(const saros_sparsity *pattern) {
    return pattern->row;
}
const int64_t *saros_sparsity_columns(const saros_sparsity *pattern) {
    return pattern->column;
}

void saros_sparsity_bandwidth(const saros_sparsity *pattern, int64_t *lower, int64_t *upper) {
    *lower = pattern->lower;
    *upper = pattern->upper;
}
