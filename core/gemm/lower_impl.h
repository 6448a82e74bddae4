/** Products of matrices as the compiled backend runs them: two passes over a body (lower.c) and the
 * rows they make (lower_rows.c). The rows are made after differentiation and have no rules. */
#ifndef SAROS_GEMM_LOWER_IMPL_H
#define SAROS_GEMM_LOWER_IMPL_H

#include "rewrite_impl.h"

/** Right operands that lie transposed, packed once: what does not depend on the rows of a region
 * is packed outside of it. */
saros_status saros_gemm_pack(const saros_body *body, saros_body **out);
/** Sums of products become chains of accumulations, contractions over a few elements become
 * pointwise operations. */
saros_status saros_gemm_lower(const saros_body *body, saros_body **out);

/** (k, n): operand 0 of rank 2, row-major with axis word[0] first. */
extern const saros_primitive saros_row_pack;
/** Operand 0 + dot(operands 1, 2), in the memory of operand 0 where it may; words as of dot. */
extern const saros_primitive saros_row_accumulate;

#endif
