/** FFTW plans (fft_impl.h). Only planning is not thread-safe in FFTW: it happens under a mutex, and
 * plans are applied to new arrays of any
 * alignment. FFTW_ESTIMATE: planning costs microseconds and
 * the numbers do not depend on timings.
 */
#include "primitives/fft_impl.h"

#include <fftw3.h>
#include <limits.h>
#include <pthread.h>

#include "saros/memory.h"

struct saros_fft_plan {
    saros_fft_kind kind;
    int64_t n;
    saros_dtype dtype;
    fftw_plan f64;
    fftwf_plan f32;
    saros_fft_plan *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static saros_fft_plan *plans; /* grows at the front; entries stay */

static bool plan_f64(saros_fft_plan *p) {
    fftw_iodim dim = {.n = (int)p->n, .is = 1, .os = 1};
    unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
    double *a = fftw_malloc(4 * (size_t)p->n * sizeof *a); /* addresses only say "out of place" */
    if (!a) return false;
    double *b = a + p->n, *c = b + p->n, *d = c + p->n;
    if (p->kind == SAROS_FFT_REAL_TO_HALF)
        p->f64 = fftw_plan_guru_split_dft_r2c(1, &dim, 0, NULL, a, c, d, flags);
    else if (p->kind == SAROS_FFT_HALF_TO_REAL)
        p->f64 = fftw_plan_guru_split_dft_c2r(1, &dim, 0, NULL, a, b, c, flags);
    else
        p->f64 = fftw_plan_guru_split_dft(1, &dim, 0, NULL, a, b, c, d, flags);
    fftw_free(a);
    return p->f64 != NULL;
}

static bool plan_f32(saros_fft_plan *p) {
    fftwf_iodim dim = {.n = (int)p->n, .is = 1, .os = 1};
    unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
    float *a = fftwf_malloc(4 * (size_t)p->n * sizeof *a);
    if (!a) return false;
    float *b = a + p->n, *c = b + p->n, *d = c + p->n;
    if (p->kind == SAROS_FFT_REAL_TO_HALF)
        p->f32 = fftwf_plan_guru_split_dft_r2c(1, &dim, 0, NULL, a, c, d, flags);
    else if (p->kind == SAROS_FFT_HALF_TO_REAL)
        p->f32 = fftwf_plan_guru_split_dft_c2r(1, &dim, 0, NULL, a, b, c, flags);
    else
        p->f32 = fftwf_plan_guru_split_dft(1, &dim, 0, NULL, a, b, c, d, flags);
    fftwf_free(a);
    return p->f32 != NULL;
}

static saros_status make_plan(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                              saros_fft_plan **out) {
    if (n < 1 || n > INT_MAX / 8)
        return saros_fail(SAROS_ERR_SHAPE, "saros_fft", NULL, "length %lld of a transform",
                          (long long)n);
    saros_fft_plan *p = saros_allocate(sizeof *p);
    if (!p) return SAROS_ERR_MEMORY;
    *p = (saros_fft_plan){.kind = kind, .n = n, .dtype = dtype};
    if (!(dtype == SAROS_F64 ? plan_f64(p) : plan_f32(p))) {
        saros_release(p);
        return saros_fail(SAROS_ERR_MEMORY, "saros_fft", NULL, "no plan of length %lld",
                          (long long)n);
    }
    *out = p;
    return SAROS_OK;
}

saros_status saros_fft_find(saros_fft_kind kind, int64_t n, saros_dtype dtype,
                            const saros_fft_plan **out) {
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&lock);
    saros_fft_plan *p = plans;
    while (p && (p->kind != kind || p->n != n || p->dtype != dtype)) p = p->next;
    if (!p) {
        status = make_plan(kind, n, dtype, &p);
        if (status == SAROS_OK) {
            p->next = plans;
            plans = p;
        }
    }
    pthread_mutex_unlock(&lock);
    if (status == SAROS_OK) *out = p;
    return status;
}

void saros_fft_execute(const saros_fft_plan *p, void *re_in, void *im_in, void *re_out,
                       void *im_out) {
    bool wide = p->dtype == SAROS_F64;
    switch (p->kind) {
    case SAROS_FFT_REAL_TO_HALF:
        if (wide)
            fftw_execute_split_dft_r2c(p->f64, re_in, re_out, im_out);
        else
            fftwf_execute_split_dft_r2c(p->f32, re_in, re_out, im_out);
        return;
    case SAROS_FFT_HALF_TO_REAL:
        if (wide)
            fftw_execute_split_dft_c2r(p->f64, re_in, im_in, re_out);
        else
            fftwf_execute_split_dft_c2r(p->f32, re_in, im_in, re_out);
        return;
    case SAROS_FFT_COMPLEX:
        if (wide)
            fftw_execute_split_dft(p->f64, re_in, im_in, re_out, im_out);
        else
            fftwf_execute_split_dft(p->f32, re_in, im_in, re_out, im_out);
    }
}
