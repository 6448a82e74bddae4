/** The integrators, one file each, and what implicit ones share. */
#ifndef SAROS_INTEGRATORS_IMPL_H
#define SAROS_INTEGRATORS_IMPL_H

#include "saros/ode.h"
#include "saros/ops.h"

extern const saros_integrator saros_integrator_euler, saros_integrator_rk4, saros_integrator_ssprk3,
    saros_integrator_implicit_euler, saros_integrator_crank_nicolson, saros_integrator_sdirk,
    saros_integrator_dopri5, saros_integrator_imex, saros_integrator_rodas3,
    saros_integrator_rodas4;

/** Which parts of a split rate are meant. */
typedef enum saros_part {
    SAROS_PART_IMPLICIT = 1,
    SAROS_PART_EXPLICIT = 2,
    SAROS_PART_BOTH = 3
} saros_part;

/** That part of the rate at (t + offset h, y); SAROS_NONE where there is none. */
saros_value saros_step_part(const saros_step *s, saros_part part, double offset, saros_value y);

/** The whole rate at (t + offset h, y). */
saros_value saros_step_rate(const saros_step *s, double offset, saros_value y);
/** y + c h k. */
saros_value saros_step_along(const saros_step *s, saros_value y, double c, saros_value k);
/** z with z = base + c h f(t + offset h, z), near `guess`. */
saros_value saros_step_implicit(const saros_step *s, saros_value base, double c, double offset,
                                saros_value guess);
/** The same with the implicit part of the rate alone. */
saros_value saros_step_implicit_part(const saros_step *s, saros_value base, double c, double offset,
                                     saros_value guess);

/** The matrix I - c h df/dy at (t, y), whose factors all solves of a step share. */
typedef struct saros_step_matrix {
    struct saros_body *product; /**< (y, captures…, v) -> its product with v */
    saros_tensor *setup;
    saros_value *in; /**< y, captures… */
    int ins;
} saros_step_matrix;
/** Close it where this gives OK. */
saros_status saros_step_matrix_open(const saros_step *s, double c, saros_step_matrix *out);
void saros_step_matrix_close(saros_step_matrix *matrix);
saros_value saros_step_matrix_solve(const saros_step *s, const saros_step_matrix *matrix,
                                    saros_value b);

#endif
