/** The one mechanism behind pointwise rows.
 *
 *  A row brings, per dtype, a kernel: a loop over contiguous operands. Strides, broadcasting and
 * empty shapes are the driver's business (pointwise.c): it collapses axes and hands kernels runs of
 * contiguous elements, staging through small buffers in first-level cache what is not contiguous.
 *
 *      SAROS_FAST static void add_f64(const saros_run *run) {
 *          SAROS_BINARY(double, double);
 *          SAROS_EACH y[i] = a[i] + b[i];
 *      }
 *
 *  The output may be one of the inputs (same address), never overlap it otherwise.
 */
#ifndef SAROS_POINTWISE_IMPL_H
#define SAROS_POINTWISE_IMPL_H

#include "saros/ops.h"
#include "saros/rows.h"

enum { SAROS_POINTWISE_MAX = 3 }; /* most operands of a pointwise row */

/** A contiguous run of n elements. */
typedef struct saros_run {
    int64_t n;
    void *out;
    const void *in[SAROS_POINTWISE_MAX];
    const int64_t *word; /**< attribute words of the node */
    const saros_primitive *row;
} saros_run;

typedef void saros_kernel(const saros_run *run);

/** Kernels by dtype of the last operand; NULL: the row does not take it. */
typedef struct saros_kernels {
    saros_kernel *f64, *f32, *i64, *i32, *mask;
} saros_kernels;

/* Variants for wider vectors are chosen when the program starts. Results do not depend on the
 * width: kernels are elementwise and contraction is off. Not under sanitizers, whose run time is
 * not up yet when the choice is made. */
#if defined(__x86_64__) && defined(__linux__) && defined(__OPTIMIZE__) &&                          \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) &&                       \
    !__has_feature(memory_sanitizer)
#define SAROS_CLONES 1
#endif
#else
#define SAROS_CLONES 1
#endif
#endif
#ifdef SAROS_CLONES
#define SAROS_FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#define SAROS_FAST_FMA __attribute__((target_clones("avx512f", "fma", "default")))
#else
#define SAROS_FAST
#define SAROS_FAST_FMA
#endif

#if defined(__clang__)
#define SAROS_INDEPENDENT
#else
#define SAROS_INDEPENDENT _Pragma("GCC ivdep")
#endif

/** Operands a (b, c) of `type` and result y of `result`. */
#define SAROS_UNARY(type, result)                                                                  \
    const int64_t n = run->n;                                                                      \
    const type *a = run->in[0];                                                                    \
    result *y = run->out
#define SAROS_BINARY(type, result)                                                                 \
    SAROS_UNARY(type, result);                                                                     \
    const type *b = run->in[1]
#define SAROS_TERNARY(type, result)                                                                \
    SAROS_BINARY(type, result);                                                                    \
    const type *c = run->in[2]
/** for every element i, independently. */
#define SAROS_EACH SAROS_INDEPENDENT for (int64_t i = 0; i < n; ++i)

/** Column `evaluate` of pointwise rows: runs the kernel of the last operand's dtype. */
saros_status saros_pointwise_run(const saros_evaluation *evaluation, const saros_kernels *kernels);

/* ---- shape rules: operands of one shape; split axes join ---- */
saros_status saros_type_number(saros_typing *typing);  /**< f64 f32 i64 i32, one dtype */
saros_status saros_type_float(saros_typing *typing);   /**< f64 f32, one dtype */
saros_status saros_type_compare(saros_typing *typing); /**< one dtype -> bool */
saros_status saros_type_mask(saros_typing *typing);    /**< bool -> bool */
saros_status saros_type_any(saros_typing *typing);     /**< one dtype, any */

/* ---- building ---- */
typedef enum saros_promotion {
    SAROS_PROMOTE_NUMBER, /**< bool counts as i64 */
    SAROS_PROMOTE_FLOAT,  /**< integers become f64 */
    SAROS_PROMOTE_ANY,    /**< common dtype */
    SAROS_PROMOTE_NONE    /**< dtypes are left alone */
} saros_promotion;

/** Promotes and broadcasts x[first … n-1] (broadcasts all n), spreads what is not split to what is,
 * and appends row(x). */
saros_value saros_pointwise_build(const saros_primitive *row, saros_promotion promotion, int first,
                                  int n, const saros_value *x);
saros_value saros_unary_build(const saros_primitive *row, saros_promotion promotion, saros_value x);
saros_value saros_binary_build(const saros_primitive *row, saros_promotion promotion, saros_value a,
                               saros_value b);

#endif
