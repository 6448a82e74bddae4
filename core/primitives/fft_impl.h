/** One-dimensional transforms of one row of numbers, through FFTW plans that are made once per
 * length and kept. Thread-safe.
 *
 *  A plan works on an area of four parts of n elements each, real and imaginary input and output,
 * in this order: FFTW wants the distance of the parts to be that of the plan.
 */
#ifndef SAROS_FFT_IMPL_H
#define SAROS_FFT_IMPL_H

#include "saros/tensor.h"

typedef enum saros_fft_kind {
    SAROS_FFT_REAL_TO_HALF, /**< n reals -> n/2+1 pairs */
    SAROS_FFT_HALF_TO_REAL, /**< n/2+1 pairs -> n reals */
    SAROS_FFT_COMPLEX       /**< n pairs -> n pairs, forward; exchange re and im for backward */
} saros_fft_kind;
enum { SAROS_FFT_RE_IN, SAROS_FFT_IM_IN, SAROS_FFT_RE_OUT, SAROS_FFT_IM_OUT, SAROS_FFT_PARTS };

typedef struct saros_fft_plan saros_fft_plan;

/** Plan for length n >= 1 and dtype f64 or f32; lives as long as the process. */
saros_status saros_fft_find(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                            const saros_fft_plan **out);
/** Unscaled transform of parts that lie in one area; the input may be destroyed. */
void saros_fft_execute(const saros_fft_plan *plan, void *re_in, void *im_in, void *re_out,
                       void *im_out);

#endif
