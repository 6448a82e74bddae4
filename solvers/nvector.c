/** N_Vector of SUNDIALS over a tensor: the operations of sundials_nvector.h that CVODES and its
 * iterative linear solvers call. Optional fused operations keep the defaults SUNDIALS gives in
 * terms of these.
 *
 *  Serial: under several ranks the reductions here would be those of one rank.
 */
#include "nvector_impl.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "saros/memory.h"

static atomic_llong alive;
static _Thread_local bool clone_failed;

static const struct _generic_N_Vector_Ops operations;

saros_tensor *saros_nvector_tensor(N_Vector v) {
    return v->content;
}
int64_t saros_nvector_alive(void) {
    return atomic_load(&alive);
}

bool saros_nvector_clone_failed(void) {
    bool failed = clone_failed;
    clone_failed = false;
    return failed;
}

static double *at(N_Vector v) {
    return saros_tensor_data(v->content);
}
static sunindextype extent(N_Vector v) {
    return saros_tensor_count(v->content);
}

N_Vector saros_nvector_make(saros_tensor *tensor, SUNContext context) {
    N_Vector v = N_VNewEmpty(context);
    if (!v) {
        saros_fail(SAROS_ERR_MEMORY, "saros_nvector_make", NULL, "out of memory");
        return NULL;
    }
    *v->ops = operations;
    v->content = saros_tensor_retain(tensor);
    atomic_fetch_add(&alive, 1);
    return v;
}

static N_Vector_ID vector_id(N_Vector v) {
    (void)v;
    return SUNDIALS_NVEC_CUSTOM;
}

static N_Vector vector_clone(N_Vector v) {
    saros_tensor *tensor = NULL;
    saros_tensor *like = v->content;
    if (saros_tensor_make(SAROS_F64, saros_tensor_rank(like), saros_tensor_shape(like), &tensor)) {
        clone_failed = true;
        tensor = saros_tensor_retain(like);
    }
    N_Vector copy = saros_nvector_make(tensor, v->sunctx);
    saros_tensor_release(tensor);
    return copy;
}

static void vector_destroy(N_Vector v) {
    if (!v) return;
    saros_tensor_release(v->content);
    atomic_fetch_sub(&alive, 1);
    N_VFreeEmpty(v);
}

static void vector_space(N_Vector v, sunindextype *reals, sunindextype *integers) {
    *reals = extent(v);
    *integers = 1;
}

static realtype *vector_array(N_Vector v) {
    return at(v);
}

/* ---- elementwise ---- */

static void vector_linear_sum(realtype a, N_Vector x, realtype b, N_Vector y, N_Vector z) {
    const double *u = at(x), *v = at(y);
    double *w = at(z);
    sunindextype n = extent(x);
    if (a == 1 && u == w) {
        for (sunindextype i = 0; i < n; ++i) w[i] += b * v[i];
        return;
    }
    for (sunindextype i = 0; i < n; ++i) w[i] = a * u[i] + b * v[i];
}

static void vector_const(realtype c, N_Vector z) {
    double *w = at(z);
    for (sunindextype i = 0, n = extent(z); i < n; ++i) w[i] = c;
}

static void vector_prod(N_Vector x, N_Vector y, N_Vector z) {
    const double *u = at(x), *v = at(y);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = u[i] * v[i];
}

static void vector_div(N_Vector x, N_Vector y, N_Vector z) {
    const double *u = at(x), *v = at(y);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = u[i] / v[i];
}

static void vector_scale(realtype c, N_Vector x, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = c * u[i];
}

static void vector_abs(N_Vector x, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = fabs(u[i]);
}

static void vector_inv(N_Vector x, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = 1 / u[i];
}

static void vector_add_const(N_Vector x, realtype b, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = u[i] + b;
}

static void vector_compare(realtype c, N_Vector x, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    for (sunindextype i = 0, n = extent(x); i < n; ++i) w[i] = fabs(u[i]) >= c ? 1 : 0;
}

static booleantype vector_inv_test(N_Vector x, N_Vector z) {
    const double *u = at(x);
    double *w = at(z);
    booleantype all = SUNTRUE;
    for (sunindextype i = 0, n = extent(x); i < n; ++i) {
        if (u[i] == 0)
            all = SUNFALSE;
        else
            w[i] = 1 / u[i];
    }
    return all;
}

/* c: 2 means x > 0, 1 means x >= 0, -1 and -2 likewise below; m is 1 where that fails */
static booleantype vector_constraint_mask(N_Vector c, N_Vector x, N_Vector m) {
    const double *kind = at(c), *u = at(x);
    double *mask = at(m);
    booleantype all = SUNTRUE;
    for (sunindextype i = 0, n = extent(x); i < n; ++i) {
        bool strict = fabs(kind[i]) > 1.5, asked = fabs(kind[i]) > 0.5;
        double product = u[i] * kind[i];
        bool bad = asked && (strict ? product <= 0 : product < 0);
        mask[i] = bad ? 1 : 0;
        if (bad) all = SUNFALSE;
    }
    return all;
}

/* ---- reductions ---- */

static realtype vector_dot(N_Vector x, N_Vector y) {
    const double *u = at(x), *v = at(y);
    double sum = 0;
    for (sunindextype i = 0, n = extent(x); i < n; ++i) sum += u[i] * v[i];
    return sum;
}

static realtype vector_max_norm(N_Vector x) {
    const double *u = at(x);
    double largest = 0;
    for (sunindextype i = 0, n = extent(x); i < n; ++i)
        if (!(fabs(u[i]) <= largest)) largest = fabs(u[i]); /* takes NaN too */
    return largest;
}

static double weighted_squares(N_Vector x, N_Vector w, const double *mask) {
    const double *u = at(x), *v = at(w);
    double sum = 0;
    for (sunindextype i = 0, n = extent(x); i < n; ++i)
        if (!mask || mask[i] > 0) sum += (u[i] * v[i]) * (u[i] * v[i]);
    return sum;
}

static realtype vector_wrms_norm(N_Vector x, N_Vector w) {
    return sqrt(weighted_squares(x, w, NULL) / (double)extent(x));
}

static realtype vector_wrms_norm_mask(N_Vector x, N_Vector w, N_Vector mask) {
    return sqrt(weighted_squares(x, w, at(mask)) / (double)extent(x));
}

static realtype vector_wl2_norm(N_Vector x, N_Vector w) {
    return sqrt(weighted_squares(x, w, NULL));
}

static realtype vector_l1_norm(N_Vector x) {
    const double *u = at(x);
    double sum = 0;
    for (sunindextype i = 0, n = extent(x); i < n; ++i) sum += fabs(u[i]);
    return sum;
}

static realtype vector_min(N_Vector x) {
    const double *u = at(x);
    double least = INFINITY;
    for (sunindextype i = 0, n = extent(x); i < n; ++i)
        if (!(u[i] >= least)) least = u[i];
    return least;
}

static realtype vector_min_quotient(N_Vector x, N_Vector y) {
    const double *u = at(x), *v = at(y);
    double least = BIG_REAL;
    for (sunindextype i = 0, n = extent(x); i < n; ++i)
        if (v[i] != 0 && u[i] / v[i] < least) least = u[i] / v[i];
    return least;
}

static const struct _generic_N_Vector_Ops operations = {
    .nvgetvectorid = vector_id,
    .nvclone = vector_clone,
    .nvdestroy = vector_destroy,
    .nvspace = vector_space,
    .nvgetarraypointer = vector_array,
    .nvgetlength = extent,
    .nvlinearsum = vector_linear_sum,
    .nvconst = vector_const,
    .nvprod = vector_prod,
    .nvdiv = vector_div,
    .nvscale = vector_scale,
    .nvabs = vector_abs,
    .nvinv = vector_inv,
    .nvaddconst = vector_add_const,
    .nvdotprod = vector_dot,
    .nvmaxnorm = vector_max_norm,
    .nvwrmsnorm = vector_wrms_norm,
    .nvwrmsnormmask = vector_wrms_norm_mask,
    .nvmin = vector_min,
    .nvwl2norm = vector_wl2_norm,
    .nvl1norm = vector_l1_norm,
    .nvcompare = vector_compare,
    .nvinvtest = vector_inv_test,
    .nvconstrmask = vector_constraint_mask,
    .nvminquotient = vector_min_quotient,
};
