/** What the integrators are written in: rates, moves along them, implicit stages, and the matrix of
 * methods that solve with one Jacobian a step. */
#include "integrators_impl.h"

#include <string.h>

#include "../root_impl.h"
#include "saros/memory.h"

static saros_value time_at(const saros_step *s, saros_value h, double offset) {
    if (offset == 0) return s->t;
    return saros_add(s->t, saros_mul(saros_like(h, offset), h));
}

/* The asked parts at (t, y); SAROS_NONE where there is none. */
static saros_status rate_of(const saros_step *s, saros_graph *graph, saros_part part, saros_value t,
                            saros_value y, saros_value *out) {
    saros_value both[2] = {SAROS_NONE, SAROS_NONE};
    saros_status status = SAROS_OK;
    if (part & SAROS_PART_IMPLICIT) status = s->rate(graph, t, y, s->user, &both[0]);
    if (status == SAROS_OK && (part & SAROS_PART_EXPLICIT) && s->explicit_rate)
        status = s->explicit_rate(graph, t, y, s->user, &both[1]);
    if (status) return status;
    *out = saros_is_none(both[0])   ? both[1]
           : saros_is_none(both[1]) ? both[0]
                                    : saros_add(both[0], both[1]);
    return SAROS_OK;
}

saros_value saros_step_part(const saros_step *s, saros_part part, double offset, saros_value y) {
    saros_value rate = SAROS_NONE;
    saros_status status = rate_of(s, s->graph, part, time_at(s, s->h, offset), y, &rate);
    return status ? saros_poison(s->graph) : rate;
}

saros_value saros_step_rate(const saros_step *s, double offset, saros_value y) {
    return saros_step_part(s, SAROS_PART_BOTH, offset, y);
}

saros_value saros_step_along(const saros_step *s, saros_value y, double c, saros_value k) {
    return saros_add(y, saros_mul(saros_mul(saros_like(s->h, c), s->h), k));
}

/* ---- implicit stages ---- */

/* z - base - c h f(t, z); without a base z - c h f(t, z) */
typedef struct stage {
    const saros_step *step;
    saros_value base, length, t;
    saros_part part;
} stage;

static saros_status stage_residual(saros_graph *graph, saros_value z, void *user,
                                   saros_value *residual) {
    const stage *s = user;
    saros_value rate = SAROS_NONE;
    saros_status status = rate_of(s->step, graph, s->part, s->t, z, &rate);
    if (status) return status;
    if (!saros_is_none(s->base)) z = saros_sub(z, s->base);
    *residual = saros_sub(z, saros_mul(s->length, rate));
    return SAROS_OK;
}

static stage stage_make(const saros_step *s, saros_part part, saros_value base, double c,
                        double offset) {
    return (stage){.step = s,
                   .base = base,
                   .length = saros_mul(saros_like(s->h, c), s->h),
                   .t = time_at(s, s->h, offset),
                   .part = part};
}

saros_value saros_step_implicit(const saros_step *s, saros_value base, double c, double offset,
                                saros_value guess) {
    stage one = stage_make(s, SAROS_PART_BOTH, base, c, offset);
    return saros_root(guess, stage_residual, &one, s->root);
}

saros_value saros_step_implicit_part(const saros_step *s, saros_value base, double c, double offset,
                                     saros_value guess) {
    stage one = stage_make(s, SAROS_PART_IMPLICIT, base, c, offset);
    return saros_root(guess, stage_residual, &one, s->root);
}

/* ---- the matrix of a step ---- */

saros_status saros_step_matrix_open(const saros_step *s, double c, saros_step_matrix *out) {
    saros_step_matrix made = {0};
    stage one = stage_make(s, SAROS_PART_BOTH, SAROS_NONE, c, 0);
    saros_body *body = NULL;
    saros_value *capture = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_root_trace(s->y, stage_residual, &one, &body, &capture));
    SAROS_TRY(saros_body_product(s->graph, body, &made.product));
    SAROS_TRY(saros_root_setup_for(s->graph, body, s->root, &made.setup));
    made.ins = 1 + saros_body_captures(body);
    made.in = saros_values_make(made.ins);
    if (!made.in) SAROS_TRY(SAROS_ERR_MEMORY);
    made.in[0] = s->y;
    memcpy(made.in + 1, capture, (size_t)(made.ins - 1) * sizeof *capture);
    *out = made;
    made = (saros_step_matrix){0};
done:
    saros_step_matrix_close(&made);
    saros_body_release(body);
    saros_release(capture);
    return status;
}

void saros_step_matrix_close(saros_step_matrix *matrix) {
    saros_body_release(matrix->product);
    saros_tensor_release(matrix->setup);
    saros_release(matrix->in);
}

saros_value saros_step_matrix_solve(const saros_step *s, const saros_step_matrix *matrix,
                                    saros_value b) {
    return saros_root_solve(s->graph, matrix->product, matrix->setup, SAROS_SOLVE_ITSELF, false, b,
                            matrix->ins, matrix->in);
}
