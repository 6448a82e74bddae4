/** The code of one kernel: a variant for each pattern, and two levels of each.
 *
 *  Thorough code takes four times as long to make as quick code and runs up to twice as fast, with
 *  the same bits. A kernel that has little to do gets quick code, and the thorough one when what it
 *  has done would have paid for it; so neither what is called once nor what is called a million
 *  times takes more than about twice the least. What a call does is estimated from shapes, not
 *  measured.
 */
#include "kernel/kernel_impl.h"
#include "saros/memory.h"

/** Nanoseconds of work for which thorough code is made. */
static const int64_t ENOUGH = 2000000;

void saros_kernel_codes_open(saros_kernel_codes *codes) {
    pthread_mutex_init(&codes->lock, NULL);
}
void saros_kernel_codes_close(saros_kernel_codes *codes) {
    pthread_mutex_destroy(&codes->lock);
}

static bool same_pattern(saros_kernel_pattern a, saros_kernel_pattern b) {
    return a.still == b.still && a.mode == b.mode && a.stream == b.stream;
}

static saros_kernel_variant *find(saros_kernel_codes *codes, saros_kernel_pattern pattern) {
    for (int v = 0; v < SAROS_KERNEL_VARIANTS; ++v) {
        saros_kernel_variant *variant = &codes->variant[v];
        if (variant->code && same_pattern(variant->pattern, pattern)) return variant;
    }
    return NULL;
}

/** Whether this work is what makes it enough: true for one caller. */
static bool becomes_enough(saros_kernel_variant *variant, int64_t work) {
    if (variant->work >= ENOUGH) return false;
    const int64_t before = atomic_fetch_add(&variant->work, work);
    return before < ENOUGH && before + work >= ENOUGH;
}

static saros_status make(const saros_fused *kernel, saros_kernel_pattern pattern,
                         saros_jit_level level, saros_kernel_code **out) {
    char *text = saros_kernel_emit(kernel, pattern, saros_jit_bits(), "kernel");
    if (!text) return SAROS_ERR_MEMORY;
    saros_status status = saros_jit_compile(text, level, out);
    saros_release(text);
    return status;
}

/** A pattern met for the first time. */
static saros_status add(saros_kernel_codes *codes, const saros_fused *kernel,
                        saros_kernel_pattern pattern, int64_t work, saros_kernel_code **out) {
    const bool room = codes->variants < SAROS_KERNEL_VARIANTS;
    saros_status status = SAROS_OK;
    if (kernel->often || !room) work = ENOUGH;
    SAROS_TRY(make(kernel, pattern, work < ENOUGH ? SAROS_JIT_QUICK : SAROS_JIT_THOROUGH, out));
    SAROS_TRY(saros_kernel_record(kernel, pattern.still));
    if (!room) return SAROS_OK;
    saros_kernel_variant *variant = &codes->variant[codes->variants++];
    variant->pattern = pattern;
    variant->work = work;
    variant->code = *out;
done:
    return status;
}

saros_status saros_kernel_codes_find(saros_kernel_codes *codes, const saros_fused *kernel,
                                     saros_kernel_pattern pattern, double nanoseconds,
                                     saros_kernel_code **out) {
    const int64_t work = nanoseconds < (double)ENOUGH ? (int64_t)nanoseconds + 1 : ENOUGH;
    saros_kernel_variant *variant = find(codes, pattern);
    saros_status status = SAROS_OK;
    if (variant && !becomes_enough(variant, work)) {
        *out = variant->code;
        return SAROS_OK;
    }
    if (variant) {
        status = make(kernel, pattern, SAROS_JIT_THOROUGH, out);
        if (status == SAROS_OK) variant->code = *out;
        return status;
    }
    pthread_mutex_lock(&codes->lock);
    variant = find(codes, pattern);
    if (variant)
        *out = variant->code;
    else
        status = add(codes, kernel, pattern, work, out);
    pthread_mutex_unlock(&codes->lock);
    return status;
}
