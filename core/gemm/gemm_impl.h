/** Products of matrices: what dot.c needs of them, and the kernels they are made of.
 *
 *      c (m, n) = a (m, k) b (k, n)   or   c += a b
 *
 *  c is row-major with rows `ldc` apart. a and b are row-major, or column-major where the flag says
 * so (a transposed operand needs no copy).
 */
#ifndef SAROS_GEMM_IMPL_H
#define SAROS_GEMM_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "saros/tensor.h"

typedef struct saros_gemm {
    saros_dtype dtype; /**< f64 or f32 */
    int64_t m, n, k;   /**< at least 1; extents and distances fit an int */
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    bool a_columns, b_columns; /**< column-major: lda, ldb are distances of columns */
    bool add;                  /**< c += a b */
} saros_gemm;

/** The product, large ones shared by the threads of the pool. What is computed, and in which order
 * its sums are taken, depends on the shape alone. */
saros_status saros_gemm_run(const saros_gemm *gemm);

enum {
    SAROS_GEMM_SHORT = 4,  /* contracted elements up to which a product is plain loops */
    SAROS_GEMM_WIDTH = 512 /* columns of c up to which libxsmm is faster than BLAS */
};
/** Contractions over up to SAROS_GEMM_SHORT elements; `add` is not for them. */
void saros_gemm_short(const saros_gemm *gemm);
/** By BLAS on this thread. */
void saros_gemm_blas(const saros_gemm *gemm);
/** Machine code for one tile, by libxsmm; false: none for this layout or on this machine. */
bool saros_gemm_small(const saros_gemm *gemm);
/** Whether saros_gemm_small has code for this layout on this machine. */
bool saros_gemm_small_can(const saros_gemm *gemm);

#endif
