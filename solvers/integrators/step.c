/** What the integrators are written in: rates, moves along them, implicit stages. */
#include "integrators_impl.h"

#include "saros/ops.h"

static saros_value time_at(const saros_step *s, saros_value h, double offset) {
    if (offset == 0) return s->t;
    return saros_add(s->t, saros_mul(saros_like(h, offset), h));
}

saros_value saros_step_rate(const saros_step *s, double offset, saros_value y) {
    saros_value rate = SAROS_NONE;
    saros_status status = s->rate(s->graph, time_at(s, s->h, offset), y, s->user, &rate);
    return status ? saros_poison(s->graph) : rate;
}

saros_value saros_step_along(const saros_step *s, saros_value y, double c, saros_value k) {
    return saros_add(y, saros_mul(saros_mul(saros_like(s->h, c), s->h), k));
}

/* z - base - c h f(t, z) */
typedef struct stage {
    const saros_step *step;
    saros_value base, length, t;
} stage;

static saros_status stage_residual(saros_graph *graph, saros_value z, void *user,
                                   saros_value *residual) {
    const stage *s = user;
    saros_value rate = SAROS_NONE;
    saros_status status = s->step->rate(graph, s->t, z, s->step->user, &rate);
    if (status) return status;
    *residual = saros_sub(saros_sub(z, s->base), saros_mul(s->length, rate));
    return SAROS_OK;
}

saros_value saros_step_implicit(const saros_step *s, saros_value base, double c, double offset,
                                saros_value guess) {
    stage one = {.step = s,
                 .base = base,
                 .length = saros_mul(saros_like(s->h, c), s->h),
                 .t = time_at(s, s->h, offset)};
    return saros_root(guess, stage_residual, &one, s->root);
}
