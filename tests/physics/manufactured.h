/** Manufactured solutions: one functional is applied to the unknown with markers and to an exact
 * solution with derivatives by automatic differentiation; their difference is the residual, so the
 * exact solution solves the problem and no formula is written twice. */
#ifndef SAROS_TEST_MANUFACTURED_H
#define SAROS_TEST_MANUFACTURED_H

#include <math.h>

#include "saros/autodiff.h"
#include "saros/solution.h"

typedef saros_value derive_fn(saros_point *s, saros_value q, const char *axes);
typedef saros_value functional_fn(saros_point *s, saros_value u, derive_fn *d);

static inline saros_value num(saros_point *s, double x) {
    return saros_scalar(saros_point_graph(s), SAROS_F64, x);
}

/** d/d(axes) of an expression of the coordinates. */
static inline saros_value exact_derivative(saros_point *s, saros_value q, const char *axes) {
    for (const char *c = axes; *c; ++c) {
        char name[2] = {*c, 0};
        saros_value x = saros_coord(s, name), one = saros_like(x, 1), d = SAROS_NONE;
        saros_jvp(1, &q, 1, &x, &one, &d);
        q = saros_instantiate(d, q);
    }
    return q;
}

/** A problem of one unknown with an exact solution. */
typedef struct manufactured {
    const char *name;
    int axes; /**< 1 or 2 space axes [0,1] */
    bool transient;
    functional_fn *functional;
    saros_value (*exact)(saros_point *s);
    saros_condition_kind kind[2]; /**< per axis */
    int64_t cells;                /**< of the coarser grid */
} manufactured;

static inline saros_status manufactured_equation(saros_point *s, void *user, saros_value *r) {
    const manufactured *m = user;
    r[0] = saros_sub(m->functional(s, saros_get(s, "u"), saros_d_of),
                     m->functional(s, m->exact(s), exact_derivative));
    return SAROS_OK;
}
static inline saros_status manufactured_exact(saros_point *s, void *user, saros_value *out) {
    out[0] = ((const manufactured *)user)->exact(s);
    return SAROS_OK;
}
static inline saros_value outward(saros_point *s, saros_value q) {
    const char *axis[3];
    int n = saros_point_axes(s, axis);
    saros_value sum = num(s, 0);
    for (int a = 0; a < n; ++a)
        sum = saros_add(sum, saros_mul(saros_normal(s, axis[a]), exact_derivative(s, q, axis[a])));
    return sum;
}
/** du/dn of the exact solution. */
static inline saros_status manufactured_slope(saros_point *s, void *user, saros_value *out) {
    out[0] = outward(s, ((const manufactured *)user)->exact(s));
    return SAROS_OK;
}
/** 2 u + 3 du/dn. */
static inline saros_status manufactured_robin(saros_point *s, void *user, saros_value *out) {
    saros_value u = ((const manufactured *)user)->exact(s);
    out[0] = saros_add(saros_mul(num(s, 2), u), saros_mul(num(s, 3), outward(s, u)));
    return SAROS_OK;
}
/** The same as a residual, with a coefficient that varies. */
static inline saros_status manufactured_residual(saros_point *s, void *user, saros_value *out) {
    saros_value e = ((const manufactured *)user)->exact(s), u = saros_get(s, "u");
    saros_value a = saros_add(num(s, 1), saros_mul(saros_coord(s, "x"), saros_coord(s, "x")));
    saros_value own = saros_add(saros_mul(a, u), saros_mul(num(s, 3), saros_d(s, "u", "n")));
    out[0] = saros_sub(own, saros_add(saros_mul(a, e), saros_mul(num(s, 3), outward(s, e))));
    return SAROS_OK;
}

static inline saros_status manufactured_problem(const manufactured *m, saros_problem **out) {
    static const char *const name[2] = {"x", "y"};
    saros_axis axis[4] = {{0}};
    saros_condition condition[3] = {{0}};
    for (int a = 0; a < m->axes; ++a) {
        axis[a] = (saros_axis){name[a], 0, 1};
        condition[a] =
            (saros_condition){.axis = name[a], .kind = m->kind[a], .user = (void *)(uintptr_t)m};
        if (m->kind[a] == SAROS_DIRICHLET) condition[a].function = manufactured_exact;
        if (m->kind[a] == SAROS_NEUMANN) condition[a].function = manufactured_slope;
        if (m->kind[a] == SAROS_ROBIN) condition[a].function = manufactured_robin;
        if (m->kind[a] == SAROS_RESIDUAL) condition[a].function = manufactured_residual;
        condition[a].a = 2;
        condition[a].b = 3;
    }
    if (m->transient) axis[m->axes] = (saros_axis){"t", 0, 0.05};
    return saros_problem_make(
        &(saros_problem_spec){.name = m->name,
                              .axes = axis,
                              .unknowns = (const char *[]){"u", NULL},
                              .equation = manufactured_equation,
                              .initial = m->transient ? manufactured_exact : NULL,
                              .boundary = condition,
                              .user = (void *)(uintptr_t)m},
        out);
}

/** Relative L2 error on `cells` cells. */
static inline saros_status manufactured_error(const manufactured *m, int64_t cells, int64_t order,
                                              double *out) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    saros_grid_options o = {.cells = {cells}, .order = order};
    if (m->transient) {
        o.rtol = 1e-11;
        o.atol = 1e-12;
    }
    saros_status status = manufactured_problem(m, &p);
    if (status == SAROS_OK) status = saros_problem_solve(p, &saros_grid, &o, NULL, &s);
    if (status == SAROS_OK)
        status =
            saros_solution_error_against(s, manufactured_exact, (void *)(uintptr_t)m, NAN, out);
    saros_solution_release(s);
    saros_problem_release(p);
    return status;
}

#endif
