/** SUNMatrix and SUNLinearSolver over our patterns: what CVODES needs to keep J, form I - gamma J,
 * factorise it and solve. A matrix singular to working precision is a recoverable failure: CVODES
 * then tries a smaller step.
 */
#include "sunsparse_impl.h"

#include <string.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"

static const struct _generic_SUNMatrix_Ops matrix_operations;
static const struct _generic_SUNLinearSolver_Ops solver_operations;

/* ---- matrix ---- */

typedef struct values_of {
    saros_sparsity *pattern;
    int64_t *diagonal; /* position of a_ii in the values */
    double *value;
} values_of;

double *saros_sunmatrix_values(SUNMatrix matrix) {
    return ((values_of *)matrix->content)->value;
}

static void matrix_destroy(SUNMatrix matrix) {
    if (!matrix) return;
    values_of *c = matrix->content;
    if (c) {
        saros_sparsity_release(c->pattern);
        saros_release(c->diagonal);
        saros_release(c->value);
        saros_release(c);
    }
    SUNMatFreeEmpty(matrix);
}

SUNMatrix saros_sunmatrix_make(saros_sparsity *pattern, SUNContext context) {
    SUNMatrix matrix = SUNMatNewEmpty(context);
    values_of *c = saros_allocate_zero(1, sizeof *c);
    if (!matrix || !c) {
        saros_release(c);
        if (matrix) SUNMatFreeEmpty(matrix);
        return NULL;
    }
    *matrix->ops = matrix_operations;
    matrix->content = c;
    c->pattern = saros_sparsity_retain(pattern);
    c->diagonal = saros_allocate((size_t)pattern->n * sizeof *c->diagonal);
    c->value = saros_allocate_zero((size_t)pattern->nonzeros, sizeof *c->value);
    if (!c->diagonal || !c->value) {
        matrix_destroy(matrix);
        return NULL;
    }
    for (int64_t i = 0; i < pattern->n; ++i)
        for (int64_t k = pattern->row[i]; k < pattern->row[i + 1]; ++k)
            if (pattern->column[k] == i) c->diagonal[i] = k;
    return matrix;
}

static SUNMatrix_ID matrix_id(SUNMatrix matrix) {
    (void)matrix;
    return SUNMATRIX_CUSTOM;
}

static SUNMatrix matrix_clone(SUNMatrix matrix) {
    const values_of *c = matrix->content;
    return saros_sunmatrix_make(c->pattern, matrix->sunctx);
}

static int matrix_zero(SUNMatrix matrix) {
    values_of *c = matrix->content;
    memset(c->value, 0, (size_t)c->pattern->nonzeros * sizeof *c->value);
    return SUNMAT_SUCCESS;
}

static int matrix_copy(SUNMatrix from, SUNMatrix to) {
    const values_of *a = from->content;
    values_of *b = to->content;
    memcpy(b->value, a->value, (size_t)a->pattern->nonzeros * sizeof *a->value);
    return SUNMAT_SUCCESS;
}

static int matrix_scale_add_identity(realtype factor, SUNMatrix matrix) {
    values_of *c = matrix->content;
    for (int64_t k = 0; k < c->pattern->nonzeros; ++k) c->value[k] *= factor;
    for (int64_t i = 0; i < c->pattern->n; ++i) c->value[c->diagonal[i]] += 1;
    return SUNMAT_SUCCESS;
}

static const struct _generic_SUNMatrix_Ops matrix_operations = {
    .getid = matrix_id,
    .clone = matrix_clone,
    .destroy = matrix_destroy,
    .zero = matrix_zero,
    .copy = matrix_copy,
    .scaleaddi = matrix_scale_add_identity,
};

/* ---- solver ---- */

SUNLinearSolver saros_sunsolver_make(saros_sparsity *pattern, SUNContext context) {
    saros_direct *direct = NULL;
    if (saros_direct_make(pattern, &direct)) return NULL;
    SUNLinearSolver solver = SUNLinSolNewEmpty(context);
    if (!solver) {
        saros_direct_release(direct);
        return NULL;
    }
    *solver->ops = solver_operations;
    solver->content = direct;
    return solver;
}

const char *saros_sunsolver_name(SUNLinearSolver solver) {
    return saros_direct_name(solver->content);
}

static SUNLinearSolver_Type solver_type(SUNLinearSolver solver) {
    (void)solver;
    return SUNLINEARSOLVER_DIRECT;
}

static SUNLinearSolver_ID solver_id(SUNLinearSolver solver) {
    (void)solver;
    return SUNLINEARSOLVER_CUSTOM;
}

static int solver_setup(SUNLinearSolver solver, SUNMatrix matrix) {
    saros_status status = saros_direct_factorise(solver->content, saros_sunmatrix_values(matrix));
    if (status == SAROS_OK) return SUNLS_SUCCESS;
    bool smaller_step_may_help = status == SAROS_ERR_DOMAIN || status == SAROS_ERR_NAN;
    return smaller_step_may_help ? SUNLS_LUFACT_FAIL : SUNLS_PACKAGE_FAIL_UNREC;
}

static int solver_solve(SUNLinearSolver solver, SUNMatrix matrix, N_Vector x, N_Vector b,
                        realtype tolerance) {
    (void)matrix;
    (void)tolerance;
    N_VScale(1, b, x);
    double *array = N_VGetArrayPointer(x);
    return saros_direct_solve(solver->content, false, 1, array) ? SUNLS_PACKAGE_FAIL_UNREC
                                                                : SUNLS_SUCCESS;
}

static int solver_free(SUNLinearSolver solver) {
    if (!solver) return SUNLS_SUCCESS;
    saros_direct_release(solver->content);
    SUNLinSolFreeEmpty(solver);
    return SUNLS_SUCCESS;
}

static const struct _generic_SUNLinearSolver_Ops solver_operations = {
    .gettype = solver_type,
    .getid = solver_id,
    .setup = solver_setup,
    .solve = solver_solve,
    .free = solver_free,
};
