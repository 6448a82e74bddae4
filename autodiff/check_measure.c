/** Measuring derivatives at a point along a direction: see check.c. */
#include "check_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "saros/memory.h"

enum { HALVINGS = 6 };
static const double first_step = 0.01;

static double product(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += a[k] * b[k];
    return sum;
}
double ad_check_norm(int64_t n, const double *a) {
    return sqrt(product(n, a, a));
}

/** Elements of a tensor as doubles. */
saros_status ad_check_read(const saros_tensor *tensor, double *to) {
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_cast(tensor, SAROS_F64, &wide);
    if (status == SAROS_OK)
        memcpy(to, saros_tensor_const_data(wide),
               (size_t)saros_tensor_count(wide) * sizeof(double));
    saros_tensor_release(wide);
    return status;
}

saros_status ad_check_write(const saros_type *type, const double *from, saros_tensor **out) {
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_from(SAROS_F64, type->rank, type->shape, from, &wide);
    if (status == SAROS_OK) status = saros_tensor_cast(wide, type->dtype, out);
    saros_tensor_release(wide);
    return status;
}

/** y at x + step v. */
saros_status ad_check_value(const ad_check *c, double step, double *y) {
    saros_tensor **moved = saros_allocate((size_t)(c->inputs + 1) * sizeof(saros_tensor *));
    double *x = saros_allocate((size_t)(c->size + 1) * sizeof *x);
    saros_tensor *out = NULL;
    saros_status status = moved && x ? SAROS_OK : SAROS_ERR_MEMORY;
    int made = 0;
    if (status != SAROS_OK) goto done;
    memcpy(moved, c->call, (size_t)c->inputs * sizeof *moved);
    const double *v = c->direction;
    for (int k = 0; k < c->ins; ++k) {
        saros_tensor *from = c->call[c->place[k]];
        saros_type type = saros_tensor_type(from);
        int64_t n = saros_type_count(&type);
        SAROS_TRY(ad_check_read(from, x));
        for (int64_t i = 0; i < n; ++i) x[i] += step * v[i];
        SAROS_TRY(ad_check_write(&type, x, &moved[c->place[k]]));
        made = k + 1;
        v += n;
    }
    SAROS_TRY(saros_function_call(c->value, moved, &out, NULL));
    status = ad_check_read(out, y);
done:
    for (int k = 0; k < made; ++k) saros_tensor_release(moved[c->place[k]]);
    saros_tensor_release(out);
    saros_release(moved);
    saros_release(x);
    return status;
}

/* ---- measure ---- */

/** Reads the gradients out[0 … ins-1] one behind the other. */
static saros_status read_gradients(const ad_check *c, saros_tensor *const *out, double *to) {
    for (int k = 0; k < c->ins; ++k) {
        saros_status status = ad_check_read(out[k], to);
        if (status != SAROS_OK) return status;
        to += saros_tensor_count(out[k]);
    }
    return SAROS_OK;
}

bool ad_check_finite(int64_t n, const double *a) {
    for (int64_t k = 0; k < n; ++k)
        if (!isfinite(a[k])) return false;
    return true;
}

static saros_status check_finite(const ad_check *c, const double *jv, const double *gradient) {
    const char *what = !ad_check_finite(c->count, jv)        ? "the derivative by forward mode"
                       : !ad_check_finite(c->size, gradient) ? "the gradient"
                                                             : NULL;
    if (!what) return SAROS_OK;
    return saros_fail(
        SAROS_ERR_NAN, "saros_check_gradient",
        "the function may have no derivative here: sqrt at 0, |x| at 0, a branch that "
        "is not taken and not finite",
        "%s is not finite, though the value is", what);
}

/** Jv and J^T w: fills dot_error, y, Jv; *slope = <J^T w, v>. */
static saros_status first_derivatives(ad_check *c, saros_gradient_report *report, double *slope) {
    double *w = c->buffer, *y = w + c->count, *jv = y + c->count;
    double *gradient = c->direction + c->size, *v = c->direction;
    saros_tensor **out = saros_allocate_zero((size_t)(c->ins + 2), sizeof *out);
    saros_status status = out ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) return status;
    SAROS_TRY(saros_function_call(c->first, c->call, out, NULL));
    SAROS_TRY(ad_check_read(out[0], y));
    SAROS_TRY(ad_check_read(out[1], jv));
    SAROS_TRY(read_gradients(c, out + 2, gradient));
    SAROS_TRY(check_finite(c, jv, gradient));
    *slope = product(c->size, gradient, v);
    double forward = product(c->count, jv, w);
    double scale = ad_check_norm(c->count, jv) * ad_check_norm(c->count, w) +
                   ad_check_norm(c->size, gradient) * ad_check_norm(c->size, v);
    report->dot_error = scale > 0 ? fabs(forward - *slope) / scale : 0;
done:
    for (int k = 0; k < c->ins + 2; ++k) saros_tensor_release(out[k]);
    saros_release(out);
    return status;
}

/** J^T w with other memory against the first one. */
static saros_status against_other_memory(ad_check *c, saros_gradient_report *report) {
    double *gradient = c->direction + c->size, *other = gradient + c->size;
    saros_tensor **out = saros_allocate_zero((size_t)c->ins, sizeof *out);
    saros_status status = out ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) return status;
    SAROS_TRY(saros_function_call(c->other, c->call, out, NULL));
    SAROS_TRY(read_gradients(c, out, other));
    double scale = ad_check_norm(c->size, gradient);
    for (int64_t k = 0; k < c->size; ++k) other[k] -= gradient[k];
    report->memory_error =
        scale > 0 ? ad_check_norm(c->size, other) / scale : ad_check_norm(c->size, other);
done:
    for (int k = 0; k < c->ins; ++k) saros_tensor_release(out[k]);
    saros_release(out);
    return status;
}

static saros_status against_differences(ad_check *c, saros_gradient_report *report) {
    double *y = c->buffer + c->count, *jv = y + c->count, *plus = jv + c->count,
           *minus = plus + c->count;
    double step = cbrt(c->unit);
    saros_status status;
    SAROS_TRY(ad_check_value(c, step, plus));
    SAROS_TRY(ad_check_value(c, -step, minus));
    for (int64_t k = 0; k < c->count; ++k) {
        plus[k] = (plus[k] - minus[k]) / (2 * step);
        minus[k] = plus[k] - jv[k];
    }
    double scale = fmax(ad_check_norm(c->count, jv), ad_check_norm(c->count, plus)) +
                   1e3 * c->unit / step * ad_check_norm(c->count, y);
    report->jvp_error = scale > 0 ? ad_check_norm(c->count, minus) / scale : 0;
done:
    return status;
}

/** Rates from the last pair of remainders above round-off; at round-off the nominal ones. */
static saros_status taylor_rates(ad_check *c, double slope, saros_gradient_report *report) {
    double *w = c->buffer, *y = w + c->count, *moved = y + 2 * c->count;
    double phi = product(c->count, y, w), size = 0, curvature = NAN, before[3] = {0};
    saros_tensor *out = NULL;
    saros_status status = SAROS_OK;
    for (int64_t k = 0; k < c->count; ++k) size += fabs(y[k] * w[k]);
    if (c->second) {
        SAROS_TRY(saros_function_call(c->second, c->call, &out, NULL));
        SAROS_TRY(saros_tensor_item(out, &curvature));
    }
    double floor = 1e3 * c->unit * (size + fabs(slope) * first_step);
    for (int k = 0; k < 3; ++k) report->rate[k] = k + 1;
    if (!c->second) report->rate[2] = NAN;
    double step = first_step;
    for (int i = 0; i < HALVINGS; ++i, step /= 2) {
        SAROS_TRY(ad_check_value(c, step, moved));
        double r = product(c->count, moved, w) - phi;
        double rest[3] = {r, r - step * slope, r - step * slope - step * step / 2 * curvature};
        for (int k = 0; k < 3; ++k) {
            rest[k] = fabs(rest[k]);
            if (i > 0 && rest[k] > floor && before[k] > floor)
                report->rate[k] = log2(before[k] / rest[k]);
            before[k] = rest[k];
        }
    }
done:
    saros_tensor_release(out);
    return status;
}

saros_status ad_check_measure(ad_check *c, saros_gradient_report *r) {
    double slope = 0;
    saros_status status;
    SAROS_TRY(first_derivatives(c, r, &slope));
    if (c->other) SAROS_TRY(against_other_memory(c, r));
    SAROS_TRY(against_differences(c, r));
    status = taylor_rates(c, slope, r);
    bool wide = c->unit < 1e-10;
    r->passed = r->rate[0] > 0.9 && r->rate[1] > 1.9 && !(r->rate[2] <= 2.9) &&
                r->dot_error < (wide ? 1e-10 : 1e-4) && r->jvp_error < (wide ? 1e-6 : 2e-2) &&
                r->memory_error < (wide ? 1e-12 : 1e-5);
done:
    return status;
}
