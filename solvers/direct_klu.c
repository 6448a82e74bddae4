/** Sparse LU by KLU of SuiteSparse (Davis and Palamadai Natarajan 2010): block triangular form,
 * minimum degree ordering, Gilbert-Peierls elimination.
 *
 *  KLU reads matrices by columns; our arrays by rows are those of A^T by columns, so that its solve
 * and its transposed solve change places. A second matrix of the same pattern reuses the pivots of
 * the first where they are still good (reciprocal pivot growth above 1e-4), which is several times
 * faster.
 */
#include "direct_impl.h"

#include <klu.h>

#include "saros/memory.h"

/* SuiteSparse wants its integers mutable; they are only read. */
static SuiteSparse_long *rows_of(const saros_sparsity *pattern) {
    _Static_assert(sizeof(SuiteSparse_long) == sizeof(int64_t), "KLU's long integers are 64-bit");
    return (SuiteSparse_long *)(uintptr_t)saros_sparsity_rows(pattern);
}
static SuiteSparse_long *columns_of(const saros_sparsity *pattern) {
    return (SuiteSparse_long *)(uintptr_t)saros_sparsity_columns(pattern);
}

static saros_status klu_error(const char *step, const klu_l_common *common) {
    if (common->status == KLU_OUT_OF_MEMORY)
        return saros_fail(SAROS_ERR_MEMORY, "KLU", NULL, "out of memory in %s", step);
    return saros_fail(SAROS_ERR_INTERNAL, "KLU", NULL, "%s failed with status %lld", step,
                      (long long)common->status);
}

/* Our rows are scaled already. */
static void common_set(klu_l_common *common) {
    klu_l_defaults(common);
    common->scale = -1;
    common->halt_if_singular = 1;
}

static saros_status klu_analyse(saros_sparsity *pattern, void **analysis) {
    klu_l_common common;
    common_set(&common);
    klu_l_symbolic *symbolic =
        klu_l_analyze(saros_sparsity_size(pattern), rows_of(pattern), columns_of(pattern), &common);
    if (symbolic) {
        *analysis = symbolic;
        return SAROS_OK;
    }
    if (common.status == KLU_SINGULAR)
        return saros_fail(SAROS_ERR_DOMAIN, "KLU", "is an unknown fixed by no equation?",
                          "the pattern of order %lld is structurally singular",
                          (long long)saros_sparsity_size(pattern));
    return klu_error("the analysis", &common);
}

static void klu_analysis_release(void *analysis) {
    klu_l_common common;
    common_set(&common);
    klu_l_symbolic *symbolic = analysis;
    klu_l_free_symbolic(&symbolic, &common);
}

typedef struct factored {
    klu_l_numeric *numeric; /**< NULL before the first matrix and after a singular one */
    klu_l_common common;
} factored;

static void klu_numbers_release(void *numbers) {
    factored *f = numbers;
    if (f->numeric) klu_l_free_numeric(&f->numeric, &f->common);
    saros_release(f);
}

/* true if the pivots of the last matrix serve this one */
static bool klu_reuse(saros_sparsity *pattern, klu_l_symbolic *symbolic, double *values,
                      factored *f) {
    SuiteSparse_long *row = rows_of(pattern), *column = columns_of(pattern);
    return f->numeric && klu_l_refactor(row, column, values, symbolic, f->numeric, &f->common) &&
           klu_l_rgrowth(row, column, values, symbolic, f->numeric, &f->common) &&
           f->common.rgrowth > 1e-4;
}

static saros_status klu_factorise(saros_sparsity *pattern, void *analysis, const double *values,
                                  void **numbers, double *pivots) {
    if (!*numbers) {
        factored *made = saros_allocate_zero(1, sizeof *made);
        if (!made) return SAROS_ERR_MEMORY;
        common_set(&made->common);
        *numbers = made;
    }
    factored *f = *numbers;
    double *value = (double *)(uintptr_t)values;
    if (!klu_reuse(pattern, analysis, value, f)) {
        if (f->numeric) klu_l_free_numeric(&f->numeric, &f->common);
        f->numeric =
            klu_l_factor(rows_of(pattern), columns_of(pattern), value, analysis, &f->common);
    }
    *pivots = 0;
    if (f->common.status == KLU_SINGULAR) return SAROS_OK;
    if (!f->numeric || !klu_l_rcond(analysis, f->numeric, &f->common))
        return klu_error("the factorisation", &f->common);
    *pivots = f->common.rcond;
    return SAROS_OK;
}

static saros_status klu_numbers_solve(saros_sparsity *pattern, void *analysis, void *numbers,
                                      bool transposed, int64_t columns, double *b) {
    factored *f = numbers;
    int64_t n = saros_sparsity_size(pattern);
    SuiteSparse_long done = transposed
                                ? klu_l_solve(analysis, f->numeric, n, columns, b, &f->common)
                                : klu_l_tsolve(analysis, f->numeric, n, columns, b, &f->common);
    return done ? SAROS_OK : klu_error("the solve", &f->common);
}

const saros_direct_method saros_direct_klu = {
    .name = "KLU",
    .analyse = klu_analyse,
    .analysis_release = klu_analysis_release,
    .factorise = klu_factorise,
    .solve = klu_numbers_solve,
    .numbers_release = klu_numbers_release,
};
