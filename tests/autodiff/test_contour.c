/** Taylor coefficients against Cauchy's integral: an oracle without differentiation or differences.
 *
 *  u_k = 1/(2 pi i) integral of f(z) / z^(k+1) dz over a circle of radius r, by the trapezoidal
 * rule on N points, which converges geometrically (Trefethen and Weideman, SIAM Review 56, 2014). f
 * is evaluated by C's complex library along a curve x(t) = x0 + x1 t + x2 t^2, matrices by plain
 *  complex elimination. Jets to order 8 and all words of {jvp, vjp} to length 4. */
#include <complex.h>

#include "autodiff/graph_run.h"

enum { ORDER = 8, LENGTH = 4, POINTS = 128, SIDE = 3 };
static const double pi = 3.14159265358979323846;

typedef double complex number;
typedef number complex_function(number x);

/** One curve: coefficient k of f(x(t)), the circle small enough to keep clear of singularities. */
typedef number along(number t, const void *user);
static void contour(along *f, const void *user, double radius, double *coefficient) {
    number at[POINTS];
    for (int j = 0; j < POINTS; ++j) at[j] = f(radius * cexp(2 * pi * I * j / POINTS), user);
    for (int k = 0; k <= ORDER; ++k) {
        number sum = 0;
        for (int j = 0; j < POINTS; ++j) sum += at[j] * cexp(-2 * pi * I * j * k / POINTS);
        coefficient[k] = creal(sum) / POINTS * pow(radius, -k);
    }
}

static saros_value derivative(saros_value y, saros_value x, bool reverse) {
    saros_value one = saros_like(x, 1), d;
    if (reverse)
        saros_vjp(1, &y, NULL, 1, &x, &d);
    else
        saros_jvp(1, &y, 1, &x, &one, &d);
    return saros_instantiate(d, x);
}

/** y(t) at t = 0: its jet and all words against the coefficients. */
static void check_all(const char *name, saros_value t, saros_value y, const double *want) {
    saros_value series[ORDER] = {saros_like(t, 1)}, jet[ORDER], word[2 << LENGTH];
    saros_tensor *zero = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &zero));
    saros_jet(1, &y, 1, &t, ORDER, series, jet);
    for (int k = 1; k <= ORDER; ++k) {
        double got = run_scalar(1, &t, &zero, saros_instantiate(jet[k - 1], t));
        ck_assert_msg(fabs(got - want[k]) < 2e-10 * (1 + fabs(want[k])),
                      "%s: coefficient %d is %.15g, on the circle %.15g", name, k, got, want[k]);
    }
    double factorial = 1;
    word[1] = y;
    for (int order = 1, k = 1; order <= LENGTH; ++order) {
        factorial *= order;
        for (int end = 2 * k; k < end; ++k)
            for (int s = 0; s < 2; ++s) {
                word[2 * k + s] = derivative(word[k], t, s);
                double got = run_scalar(1, &t, &zero, word[2 * k + s]) / factorial;
                ck_assert_msg(fabs(got - want[order]) < 1e-11 * (1 + fabs(want[order])),
                              "%s: word %d of order %d gives %.15g, on the circle %.15g", name,
                              2 * k + s, order, got, want[order]);
            }
    }
    saros_tensor_release(zero);
}

static saros_value time_input(saros_graph **g) {
    saros_type real = saros_type_scalar(SAROS_F64);
    ck_ok(saros_graph_make(g));
    return saros_input(*g, &real, "t");
}
static saros_value polynomial(saros_value t, const double *c) {
    saros_value sum = saros_mul(saros_like(t, c[2]), t);
    return saros_add(saros_like(t, c[0]), saros_mul(t, saros_add(saros_like(t, c[1]), sum)));
}
static number curve(number t, const double *c) {
    return c[0] + t * (c[1] + t * c[2]);
}

/* ---- elementary functions ---- */

static number expm1_c(number x) {
    return cexp(x) - 1;
}
static number log1p_c(number x) {
    return clog(1 + x);
}
static number exp2_c(number x) {
    return cexp(x * log(2));
}
static number log2_c(number x) {
    return clog(x) / log(2);
}
static number sigmoid_c(number x) {
    return 1 / (1 + cexp(-x));
}
static number softplus_c(number x) {
    return clog(1 + cexp(x));
}
/** The series 2/sqrt(pi) sum (-1)^n x^(2n+1) / (n! (2n+1)): small |x|. */
static number erf_c(number x) {
    number term = x, sum = 0;
    for (int n = 0; n < 60; ++n) {
        sum += term / (2 * n + 1);
        term *= -x * x / (n + 1);
    }
    return sum * 2 / sqrt(pi);
}

typedef struct elementary {
    const char *name;
    complex_function *on_circle;
    double curve[3];
} elementary;

static number elementary_along(number t, const void *user) {
    const elementary *e = user;
    return e->on_circle(curve(t, e->curve));
}

static const elementary functions[] = {
    {"sqrt", csqrt, {1.3, 0.7, -0.2}},      {"exp", cexp, {0.3, -0.8, 0.4}},
    {"expm1", expm1_c, {-0.2, 0.9, 0.3}},   {"log", clog, {1.4, 0.5, 0.3}},
    {"log1p", log1p_c, {0.4, 0.5, -0.4}},   {"sin", csin, {0.7, 0.8, 0.5}},
    {"cos", ccos, {-1.1, 0.6, 0.2}},        {"tan", ctan, {0.3, 0.5, 0.2}},
    {"asin", casin, {0.2, 0.4, 0.1}},       {"acos", cacos, {-0.2, 0.4, 0.3}},
    {"atan", catan, {0.5, 0.6, -0.2}},      {"sinh", csinh, {0.4, 0.7, 0.3}},
    {"cosh", ccosh, {-0.6, 0.5, 0.4}},      {"asinh", casinh, {0.8, 0.6, 0.2}},
    {"tanh", ctanh, {0.4, 0.7, 0.3}},       {"erf", erf_c, {0.3, 0.8, -0.3}},
    {"exp2", exp2_c, {0.4, 0.7, -0.3}},     {"log2", log2_c, {1.4, 0.5, 0.3}},
    {"acosh", cacosh, {2.4, 0.6, 0.2}},     {"atanh", catanh, {0.2, 0.3, 0.2}},
    {"sigmoid", sigmoid_c, {0.6, 1, -0.4}}, {"softplus", softplus_c, {-0.4, 0.9, 0.5}},
};

START_TEST(every_elementary_row_agrees_with_its_contour_integral) {
#define NAME(name, low, high) {#name, saros_##name},
    static const struct {
        const char *name;
        saros_unary_fn *build;
    } row[] = {SAROS_ELEMENTARY_ROWS(NAME)};
#undef NAME
    for (size_t r = 0; r < sizeof row / sizeof *row; ++r) {
        const elementary *e = NULL;
        for (size_t k = 0; k < sizeof functions / sizeof *functions; ++k)
            if (!strcmp(functions[k].name, row[r].name)) e = &functions[k];
        ck_assert_msg(e, "'%s' has no complex counterpart", row[r].name);
        double want[ORDER + 1];
        contour(elementary_along, e, 0.5, want);
        saros_graph *g = NULL;
        saros_value t = time_input(&g);
        check_all(row[r].name, t, row[r].build(polynomial(t, e->curve)), want);
        saros_graph_release(g);
    }
}
END_TEST

/* ---- two operands ---- */

static const double first[3] = {1.2, 0.5, -0.3}, second[3] = {0.8, -0.3, 0.2};

static number div_along(number t, const void *user) {
    (void)user;
    return curve(t, first) / curve(t, second);
}
static number pow_along(number t, const void *user) {
    (void)user;
    return cpow(curve(t, first), curve(t, second));
}
static number atan2_along(number t, const void *user) {
    (void)user;
    return catan(curve(t, first) / curve(t, second));
}
static number power_along(number t, const void *user) {
    (void)user;
    number x = curve(t, first);
    return 1 / (x * x * x);
}
static saros_value power_build(saros_value a, saros_value b) {
    (void)b;
    return saros_power(a, -3);
}

START_TEST(functions_of_two_operands_agree_with_their_contour_integrals) {
    static const struct {
        const char *name;
        saros_binary_fn *build;
        along *on_circle;
    } row[] = {{"div", saros_div, div_along},
               {"pow", saros_pow, pow_along},
               {"atan2", saros_atan2, atan2_along},
               {"power", power_build, power_along}};
    for (size_t r = 0; r < sizeof row / sizeof *row; ++r) {
        double want[ORDER + 1];
        contour(row[r].on_circle, NULL, 0.5, want);
        saros_graph *g = NULL;
        saros_value t = time_input(&g);
        saros_value y = row[r].build(polynomial(t, first), polynomial(t, second));
        check_all(row[r].name, t, y, want);
        saros_graph_release(g);
    }
}
END_TEST

/* ---- matrices: A(t) = S + t V, S symmetric positive definite ---- */

static const double matrix[SIDE][SIDE] = {{3, 0.5, -0.2}, {0.5, 2.5, 0.4}, {-0.2, 0.4, 2}};
static const double velocity[SIDE][SIDE] = {{0.6, -0.3, 0.2}, {-0.3, 0.4, 0.5}, {0.2, 0.5, -0.7}};
static const double weight[SIDE] = {0.7, -1.1, 0.4};

static void matrix_at(number t, number a[SIDE][SIDE]) {
    for (int i = 0; i < SIDE; ++i)
        for (int j = 0; j < SIDE; ++j) a[i][j] = matrix[i][j] + t * velocity[i][j];
}

/** Eliminates without pivots; b becomes the solution, the product of pivots is returned. */
static number eliminate(number a[SIDE][SIDE], number *b) {
    number product = 1;
    for (int k = 0; k < SIDE; ++k) {
        product *= a[k][k];
        for (int i = k + 1; i < SIDE; ++i) {
            number factor = a[i][k] / a[k][k];
            for (int j = k; j < SIDE; ++j) a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int i = SIDE; i-- > 0; b[i] /= a[i][i])
        for (int j = i + 1; j < SIDE; ++j) b[i] -= a[i][j] * b[j];
    return product;
}
static number solve_along(number t, const void *user) {
    number a[SIDE][SIDE], b[SIDE] = {1 + t, 0.5 + 2 * t, -1 + 3 * t}, sum = 0;
    (void)user;
    matrix_at(t, a);
    eliminate(a, b);
    for (int i = 0; i < SIDE; ++i) sum += weight[i] * b[i];
    return sum;
}
static number det_along(number t, const void *user) {
    number a[SIDE][SIDE], b[SIDE] = {0};
    (void)user;
    matrix_at(t, a);
    return eliminate(a, b);
}
/** sum w_i w_j^2 L_ij with L L^T = A, analytic in t: transposed, not conjugated. */
static number cholesky_along(number t, const void *user) {
    number a[SIDE][SIDE], sum = 0;
    (void)user;
    matrix_at(t, a);
    for (int j = 0; j < SIDE; ++j)
        for (int i = j; i < SIDE; ++i) {
            for (int k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] = i == j ? csqrt(a[i][j]) : a[i][j] / a[j][j];
            sum += weight[i] * weight[j] * weight[j] * a[i][j];
        }
    return sum;
}
/** The largest eigenvalue, by Newton on the characteristic polynomial along the ray to t. */
static number eigen_along(number t, const void *user) {
    number x = 3.5;
    (void)user;
    for (int step = 0; step <= 20; ++step)
        for (int n = 0; n < 20; ++n) {
            number a[SIDE][SIDE], b[SIDE] = {0}, trace = 0;
            number inverse[SIDE][SIDE];
            for (int c = 0; c < SIDE; ++c) {
                matrix_at(t * step / 20, a);
                for (int i = 0; i < SIDE; ++i) {
                    a[i][i] -= x;
                    b[i] = i == c;
                }
                eliminate(a, b);
                for (int i = 0; i < SIDE; ++i) inverse[i][c] = b[i];
            }
            for (int i = 0; i < SIDE; ++i) trace += inverse[i][i];
            x += 1 / trace; /* p/p' = -1/trace((A - x)^-1) */
            if (cabs(1 / trace) < 1e-15) break;
        }
    return x;
}

static saros_value constant(saros_graph *g, int rank, const double *data) {
    saros_tensor *t = run_from(rank, (int64_t[]){SIDE, SIDE}, data);
    saros_value v = saros_constant(g, t);
    saros_tensor_release(t);
    return v;
}
static saros_value build_matrix(saros_graph *g, saros_value t) {
    return saros_add(constant(g, 2, matrix[0]), saros_mul(t, constant(g, 2, velocity[0])));
}
static saros_value solve_build(saros_graph *g, saros_value t) {
    const double start[SIDE] = {1, 0.5, -1}, slope[SIDE] = {1, 2, 3};
    saros_value b = saros_add(constant(g, 1, start), saros_mul(t, constant(g, 1, slope)));
    saros_value p = saros_mul(constant(g, 1, weight), saros_solve(build_matrix(g, t), b));
    return saros_sum(p, 1);
}
static saros_value det_build(saros_graph *g, saros_value t) {
    return saros_det(build_matrix(g, t));
}
static saros_value cholesky_build(saros_graph *g, saros_value t) {
    double outer[SIDE][SIDE];
    for (int i = 0; i < SIDE; ++i)
        for (int j = 0; j < SIDE; ++j) outer[i][j] = weight[i] * weight[j] * weight[j];
    saros_value l = saros_cholesky(build_matrix(g, t));
    return saros_sum(saros_mul(l, constant(g, 2, outer[0])), 3);
}
static saros_value eigen_build(saros_graph *g, saros_value t) {
    saros_value w, v;
    saros_eigh(build_matrix(g, t), &w, &v);
    return saros_sum(saros_slice(w, 0, SIDE - 1, SIDE, 1), 1);
}

START_TEST(linear_algebra_agrees_with_its_contour_integrals) {
    static const struct {
        const char *name;
        saros_value (*build)(saros_graph *g, saros_value t);
        along *on_circle;
    } row[] = {{"solve", solve_build, solve_along},
               {"det", det_build, det_along},
               {"cholesky", cholesky_build, cholesky_along},
               {"eigh", eigen_build, eigen_along}};
    for (size_t r = 0; r < sizeof row / sizeof *row; ++r) {
        double want[ORDER + 1];
        contour(row[r].on_circle, NULL, 0.5, want);
        saros_graph *g = NULL;
        saros_value t = time_input(&g);
        check_all(row[r].name, t, row[r].build(g, t), want);
        saros_graph_release(g);
    }
}
END_TEST

SAROS_TEST_MAIN("autodiff/contour", every_elementary_row_agrees_with_its_contour_integral,
                functions_of_two_operands_agree_with_their_contour_integrals,
                linear_algebra_agrees_with_its_contour_integrals)
