/** The list of ready problems, and how one is made from its frame. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "equations_impl.h"
#include "saros/ops.h"

static const saros_equation *const rows[] = {
    &saros_equation_row_heat,    &saros_equation_row_advection, &saros_equation_row_burgers,
    &saros_equation_row_poisson, &saros_equation_row_bratu,
};
enum { ROWS = sizeof rows / sizeof *rows };

const saros_equation *const *saros_equations(int *count) {
    *count = ROWS;
    return rows;
}

const saros_equation *saros_equation_find(const char *name) {
    const char *names[ROWS];
    char list[256] = "";
    size_t used = 0;
    for (int k = 0; k < ROWS; ++k) {
        if (strcmp(rows[k]->name, name) == 0) return rows[k];
        names[k] = rows[k]->name;
        used += (size_t)snprintf(list + used, sizeof list - used, " %s", rows[k]->name);
    }
    const char *near = saros_nearest_name(name, names, ROWS);
    char hint[64] = "";
    if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    saros_fail(SAROS_ERR_USAGE, "equations", hint, "no equation is called '%s'; there are:%s", name,
               list);
    return NULL;
}

saros_value saros_sine_product(saros_point *s, double k) {
    const saros_problem *p = s->problem;
    saros_value product = saros_scalar(s->graph, SAROS_F64, 1);
    for (int a = 0; a < p->axes; ++a) {
        double lo = p->axis[a].lo, scale = k * M_PI / (p->axis[a].hi - lo);
        saros_value x = saros_coord(s, p->axis[a].name);
        saros_value angle = saros_mul(saros_like(x, scale), saros_sub(x, saros_like(x, lo)));
        product = saros_mul(product, saros_sin(angle));
    }
    return product;
}

static saros_status own_initial(saros_point *s, void *user, saros_value *out) {
    const saros_ready *ready = user;
    const saros_equation_frame *frame = ready->frame;
    if (frame->initial) return frame->initial(s, frame->initial_user, out);
    return ready->initial(s, user, out);
}

saros_status saros_ready_make(const saros_ready *ready, saros_problem **out) {
    saros_ready copy = *ready;
    const saros_axis *axis = ready->frame->domain ? ready->frame->domain : ready->domain;
    saros_condition own[4] = {{0}};
    int n = 0;
    for (const saros_axis *row = axis; row->name && n < 3; ++row)
        if (row->name[0] != 't')
            own[n++] = (saros_condition){
                .axis = row->name, .kind = ready->periodic ? SAROS_PERIODIC : SAROS_DIRICHLET};
    saros_problem_spec spec = {
        .name = ready->name,
        .axes = axis,
        .unknowns = (const char *[]){"u", NULL},
        .parameters = ready->parameter,
        .equation = ready->equation,
        .initial = ready->initial || ready->frame->initial ? own_initial : NULL,
        .boundary = ready->frame->boundary ? ready->frame->boundary : own,
        .observables = ready->frame->observables,
        .user = &copy,
    };
    return saros_problem_make(&spec, out);
}
