/** SUNMatrix and SUNLinearSolver of SUNDIALS over our patterns and our direct solver. */
#ifndef SAROS_SUNSPARSE_IMPL_H
#define SAROS_SUNSPARSE_IMPL_H

#include <sundials/sundials_linearsolver.h>

#include "direct_impl.h"

/** Matrix of zeros; `pattern` (retained) must hold the diagonal. NULL with the error recorded. */
SUNMatrix saros_sunmatrix_make(saros_sparsity *pattern, SUNContext context);
/** Its values, in the order of the pattern. */
double *saros_sunmatrix_values(SUNMatrix matrix);
/** Direct solver for such matrices and vectors of nvector_impl.h. */
SUNLinearSolver saros_sunsolver_make(saros_sparsity *pattern, SUNContext context);
/** Outcome of its last setup or solve, which CVODES sees as a number of its own. */
saros_status saros_sunsolver_status(SUNLinearSolver solver);
/** "banded LU", "dense LU" or "KLU". */
const char *saros_sunsolver_name(SUNLinearSolver solver);

#endif
