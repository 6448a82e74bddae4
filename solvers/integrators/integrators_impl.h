/** The integrators, one file each, and what implicit ones share. */
#ifndef SAROS_INTEGRATORS_IMPL_H
#define SAROS_INTEGRATORS_IMPL_H

#include "saros/ode.h"
#include "saros/ops.h"

extern const saros_integrator saros_integrator_euler, saros_integrator_rk4, saros_integrator_ssprk3,
    saros_integrator_implicit_euler, saros_integrator_crank_nicolson, saros_integrator_sdirk,
    saros_integrator_dopri5;

/** f(t + offset h, y). */
saros_value saros_step_rate(const saros_step *s, double offset, saros_value y);
/** y + c h k. */
saros_value saros_step_along(const saros_step *s, saros_value y, double c, saros_value k);
/** z with z = base + c h f(t + offset h, z), near `guess`. */
saros_value saros_step_implicit(const saros_step *s, saros_value base, double c, double offset,
                                saros_value guess);

#endif
