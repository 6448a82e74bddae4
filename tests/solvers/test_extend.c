/** extend: exact on polynomials for every condition, its transpose, stability and order of the
 * operators that stencils make of it. */
#include "saros_check.h"

#include "saros/autodiff.h"
#include "saros/extend.h"

extern void dgeev_(const char *left, const char *right, const int *n, double *a, const int *lda,
                   double *real, double *imaginary, double *l, const int *ldl, double *r,
                   const int *ldr, double *work, const int *lwork, int *info);
extern void dgesv_(const int *n, const int *columns, double *a, const int *lda, int *pivot,
                   double *b, const int *ldb, int *info);

typedef enum { VALUE, SLOPE, ROBIN, FREE, PERIODIC } condition;

/* Side whose value is an input of the graph. */
static saros_side side_of(saros_graph *g, condition c, saros_value v) {
    saros_side side = {.kind = SAROS_SIDE_CONDITION, .a = SAROS_NONE, .b = SAROS_NONE, .v = v};
    if (c == FREE) side.kind = SAROS_SIDE_FREE;
    if (c == PERIODIC) side.kind = SAROS_SIDE_PERIODIC;
    if (c == VALUE) side.given = true;
    if (c == VALUE || c == ROBIN) side.a = saros_scalar(g, SAROS_F64, c == VALUE ? 2 : 1.5);
    if (c == SLOPE || c == ROBIN) side.b = saros_scalar(g, SAROS_F64, 0.5);
    return side;
}

/* (own values, lo value, hi value) -> extended; h = 1/nodes' last */
static saros_function *extend_1d(int64_t nodes, condition lo, condition hi, int64_t width,
                                 int order, double h, int64_t *own) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value v[2] = {saros_input(g, &scalar, "lo"), saros_input(g, &scalar, "hi")};
    saros_side a = side_of(g, lo, v[0]), b = side_of(g, hi, v[1]);
    *own = saros_extend_own(nodes, &a, &b);
    saros_type type = saros_type_make(SAROS_F64, 1, own);
    saros_value u = saros_input(g, &type, "u");
    saros_value e = saros_extend(u, 0, width, order, saros_scalar(g, SAROS_F64, h), &a, &b);
    ck_ok(saros_compile(g, 3, (saros_value[]){u, v[0], v[1]}, 1, &e, NULL, &f));
    saros_graph_release(g);
    return f;
}

static double monomial(int d, double x) {
    return pow(x + 0.3, d);
}
static double monomial_slope(int d, double x) {
    return d ? d * pow(x + 0.3, d - 1) : 0;
}

/* What `c` asks of the monomial at x, outward normal n. */
static double condition_value(condition c, int d, double x, double n) {
    double slope = n * monomial_slope(d, x), value = monomial(d, x);
    return c == VALUE ? 2 * value : c == SLOPE ? 0.5 * slope : 1.5 * value + 0.5 * slope;
}

static void check_monomial(condition lo, condition hi, int order, int d) {
    enum { NODES = 11, WIDTH = 3 };
    const double h = 0.1;
    int64_t own = 0;
    saros_function *f = extend_1d(NODES, lo, hi, WIDTH, order, h, &own);
    saros_tensor *in[3] = {NULL}, *out = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 1, &own, &in[0]));
    for (int64_t i = 0; i < own; ++i)
        ((double *)saros_tensor_data(in[0]))[i] = monomial(d, h * (double)(i + (lo == VALUE)));
    ck_ok(saros_tensor_scalar(SAROS_F64, condition_value(lo, d, 0, -1), &in[1]));
    ck_ok(saros_tensor_scalar(SAROS_F64, condition_value(hi, d, 1, 1), &in[2]));
    ck_ok(saros_function_call(f, in, &out, NULL));
    ck_assert_int_eq(saros_tensor_count(out), NODES + 2 * WIDTH);
    for (int64_t i = 0; i < NODES + 2 * WIDTH; ++i)
        ck_near(((double *)saros_tensor_data(out))[i], monomial(d, h * (double)(i - WIDTH)), 1e-12);
    for (int k = 0; k < 3; ++k) saros_tensor_release(in[k]);
    saros_tensor_release(out);
    saros_function_release(f);
}

START_TEST(ghosts_are_exact_on_polynomials) {
    for (int order = 2; order <= 4; order += 2)
        for (condition lo = VALUE; lo <= FREE; ++lo)
            for (condition hi = VALUE; hi <= FREE; ++hi) {
                bool both_slopes = (lo == SLOPE || lo == ROBIN) && (hi == SLOPE || hi == ROBIN);
                int degree = both_slopes || order == 2 ? order : order - 1;
                for (int d = 0; d <= degree; ++d) check_monomial(lo, hi, order, d);
            }
}
END_TEST

START_TEST(periodic_ghosts_wrap) {
    int64_t own = 0;
    saros_function *f = extend_1d(5, PERIODIC, PERIODIC, 2, 4, 1, &own);
    saros_tensor *in[3] = {NULL}, *out = NULL;
    ck_assert_int_eq(own, 5);
    ck_ok(saros_tensor_from(SAROS_F64, 1, &own, (double[]){1, 2, 3, 4, 5}, &in[0]));
    for (int k = 1; k < 3; ++k) ck_ok(saros_tensor_scalar(SAROS_F64, 0, &in[k]));
    ck_ok(saros_function_call(f, in, &out, NULL));
    const double want[] = {4, 5, 1, 2, 3, 4, 5, 1, 2};
    for (int i = 0; i < 9; ++i) ck_assert_double_eq(((double *)saros_tensor_data(out))[i], want[i]);
    for (int k = 0; k < 3; ++k) saros_tensor_release(in[k]);
    saros_tensor_release(out);
    saros_function_release(f);
}
END_TEST

/* Both axes of a plane, side values along the side, and every derivative checked. */
START_TEST(transposes_agree_in_two_dimensions) {
    const condition pair[][2] = {{VALUE, SLOPE}, {ROBIN, FREE}, {PERIODIC, PERIODIC}};
    for (int t = 0; t < 3; ++t)
        for (int axis = 0; axis < 2; ++axis) {
            saros_graph *g = NULL;
            saros_gradient_report report;
            ck_ok(saros_graph_make(&g));
            int64_t shape[2] = {8, 8};
            saros_type plane = saros_type_make(SAROS_F64, 2, shape);
            saros_type line = saros_type_make(SAROS_F64, 1, shape);
            saros_type scalar = saros_type_scalar(SAROS_F64);
            saros_value in[3] = {saros_input(g, &plane, "u"), saros_input(g, &line, "v"),
                                 saros_input(g, &scalar, "h")};
            saros_side lo = side_of(g, pair[t][0], in[1]), hi = side_of(g, pair[t][1], in[1]);
            saros_value e = saros_extend(in[0], axis, 2, 4, in[2], &lo, &hi);
            ck_assert_int_eq(saros_value_type(e)->shape[axis], 12 + (t == 0));
            saros_tensor *at[3] = {NULL};
            ck_ok(saros_tensor_make(SAROS_F64, 2, shape, &at[0]));
            ck_ok(saros_tensor_make(SAROS_F64, 1, shape, &at[1]));
            ck_ok(saros_tensor_scalar(SAROS_F64, 0.25, &at[2]));
            for (int i = 0; i < 64; ++i) ((double *)saros_tensor_data(at[0]))[i] = sin(i * 1.7);
            for (int i = 0; i < 8; ++i) ((double *)saros_tensor_data(at[1]))[i] = cos(i * 0.9);
            ck_ok(saros_check_gradient(saros_mul(e, e), t == 2 ? 1 : 3, in, 3, in, at, 7, &report));
            ck_assert_double_le(report.dot_error, 1e-12);
            for (int k = 0; k < 3; ++k) saros_tensor_release(at[k]);
            saros_graph_release(g);
        }
}
END_TEST

/* ---- operators: a stencil applied to the extended unit vectors ---- */

typedef struct stencil {
    int order;
    int64_t reach;
    double weight[7];
} stencil;

static const stencil second2 = {2, 1, {1, -2, 1}};
static const stencil second4 = {4, 2, {-1. / 12, 4. / 3, -2.5, 4. / 3, -1. / 12}};
/* difference of face slopes (1, -27, 27, -1)/24 with itself: the flux form of order 4 */
static const stencil compact4 = {
    4, 3, {1. / 576, -54. / 576, 783. / 576, -1460. / 576, 783. / 576, -54. / 576, 1. / 576}};
static const stencil first4 = {4, 2, {1. / 12, -8. / 12, 0, 8. / 12, -1. / 12}};

/* Column k of `a` (own x own, by columns) is the operator on unit vector k; column `own` of room
 * for b is the part from the side values v. */
static int operator_matrix(int64_t cells, condition lo, condition hi, const stencil *s,
                           double scale, const double v[2], double **a, double **b) {
    int64_t own = 0;
    saros_function *f = extend_1d(cells + 1, lo, hi, s->reach, s->order, 1.0 / (double)cells, &own);
    *a = calloc((size_t)(own * own), sizeof **a);
    *b = calloc((size_t)own, sizeof **b);
    saros_tensor *in[3] = {NULL}, *out = NULL;
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, &own, &in[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &in[1]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &in[2]));
    for (int64_t k = 0; k <= own; ++k) {
        double *to = k < own ? *a + k * own : *b;
        if (k < own) ((double *)saros_tensor_data(in[0]))[k] = 1;
        for (int m = 0; m < 2; ++m) *(double *)saros_tensor_data(in[1 + m]) = k < own ? 0 : v[m];
        ck_ok(saros_function_call(f, in, &out, NULL));
        const double *e = (double *)saros_tensor_data(out) + (lo == VALUE);
        for (int64_t i = 0; i < own; ++i)
            for (int64_t j = 0; j <= 2 * s->reach; ++j) to[i] += scale * s->weight[j] * e[i + j];
        if (k < own) ((double *)saros_tensor_data(in[0]))[k] = 0;
        saros_tensor_release(out);
        out = NULL;
    }
    for (int k = 0; k < 3; ++k) saros_tensor_release(in[k]);
    saros_function_release(f);
    return (int)own;
}

/* Largest real part of the eigenvalues, relative to `unit`. */
static double growth(int64_t cells, condition lo, condition hi, const stencil *s, double scale) {
    double *a, *b, work[64 * 64], real[128], imaginary[128], most = -INFINITY;
    int n = operator_matrix(cells, lo, hi, s, scale, (double[]){0, 0}, &a, &b);
    int one = 1, room = 64 * 64, info = 0;
    dgeev_("N", "N", &n, a, &n, real, imaginary, NULL, &one, NULL, &one, work, &room, &info);
    ck_assert_int_eq(info, 0);
    for (int i = 0; i < n; ++i) most = fmax(most, real[i]);
    free(a);
    free(b);
    return most;
}

START_TEST(heat_and_advection_operators_do_not_grow) {
    const stencil *heat[] = {&second2, &second4, &compact4};
    for (int64_t cells = 16; cells <= 64; cells *= 2) {
        double n = (double)cells;
        for (int k = 0; k < 3; ++k) {
            ck_assert_double_le(growth(cells, VALUE, VALUE, heat[k], n * n), -9.5);
            ck_assert_double_le(growth(cells, VALUE, SLOPE, heat[k], n * n), -2.4);
            ck_assert_double_le(growth(cells, SLOPE, SLOPE, heat[k], n * n), 1e-13 * n * n);
            ck_assert_double_le(growth(cells, ROBIN, VALUE, heat[k], n * n), -2.4);
        }
        /* u_t + u_x = 0, inflow at the left */
        ck_assert_double_le(growth(cells, VALUE, FREE, &first4, -n), 0);
    }
}
END_TEST

static double exact(double x) {
    return exp(sin(2 * x));
}
static double exact_slope(double x) {
    return 2 * cos(2 * x) * exact(x);
}
static double exact_second(double x) {
    return (4 * cos(2 * x) * cos(2 * x) - 4 * sin(2 * x)) * exact(x);
}
static double exact_condition(condition c, double x, double n) {
    double slope = n * exact_slope(x), value = exact(x);
    return c == VALUE ? 2 * value : c == SLOPE ? 0.5 * slope : 1.5 * value + 0.5 * slope;
}

/* Largest error of u'' = f. */
static double poisson_error(int64_t cells, condition lo, condition hi, const stencil *s) {
    double *a, *b, v[2] = {exact_condition(lo, 0, -1), exact_condition(hi, 1, 1)}, worst = 0;
    double h = 1 / (double)cells;
    int n = operator_matrix(cells, lo, hi, s, 1 / (h * h), v, &a, &b), one = 1, info = 0;
    int *pivot = malloc((size_t)n * sizeof *pivot);
    for (int i = 0; i < n; ++i) b[i] = exact_second(h * (i + (lo == VALUE))) - b[i];
    dgesv_(&n, &one, a, &n, pivot, b, &n, &info);
    ck_assert_int_eq(info, 0);
    for (int i = 0; i < n; ++i) worst = fmax(worst, fabs(b[i] - exact(h * (i + (lo == VALUE)))));
    free(pivot);
    free(a);
    free(b);
    return worst;
}

START_TEST(second_derivatives_keep_their_order_up_to_the_boundary) {
    const stencil *all[] = {&second2, &second4, &compact4};
    const condition pair[][2] = {{VALUE, VALUE}, {VALUE, SLOPE}, {ROBIN, VALUE}, {ROBIN, ROBIN}};
    for (int k = 0; k < 3; ++k)
        for (int p = 0; p < 4; ++p) {
            double coarse = poisson_error(48, pair[p][0], pair[p][1], all[k]);
            double fine = poisson_error(96, pair[p][0], pair[p][1], all[k]);
            double order = log2(coarse / fine);
            ck_assert_msg(fabs(order - all[k]->order) < 0.2 || order > all[k]->order,
                          "stencil %d, sides %d: order %.3f (errors %.3g, %.3g)", k, p, order,
                          coarse, fine);
        }
}
END_TEST

START_TEST(wrong_sides_are_refused) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    saros_value u = saros_input(g, &type, "u"), h = saros_scalar(g, SAROS_F64, 1);
    saros_side value = side_of(g, VALUE, h), periodic = side_of(g, PERIODIC, h);
    ck_assert(saros_is_poisoned(saros_extend(u, 0, 2, 4, h, &value, &periodic)));
    ck_fails(saros_graph_status(g), SAROS_ERR_USAGE);
    saros_graph_release(g);
    ck_ok(saros_graph_make(&g));
    u = saros_input(g, &type, "u");
    h = saros_scalar(g, SAROS_F64, 1);
    saros_side slope = side_of(g, SLOPE, h);
    ck_assert(saros_is_poisoned(saros_extend(u, 0, 2, 4, h, &slope, &slope)));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("solvers/extend", ghosts_are_exact_on_polynomials, periodic_ghosts_wrap,
                transposes_agree_in_two_dimensions, heat_and_advection_operators_do_not_grow,
                second_derivatives_keep_their_order_up_to_the_boundary, wrong_sides_are_refused)
