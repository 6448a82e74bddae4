/** The list of one-step integrators. */
#include "integrators_impl.h"

#include <stdio.h>
#include <string.h>

static const saros_integrator *const rows[] = {
    &saros_integrator_euler,          &saros_integrator_rk4,
    &saros_integrator_ssprk3,         &saros_integrator_dopri5,
    &saros_integrator_implicit_euler, &saros_integrator_crank_nicolson,
    &saros_integrator_sdirk,          &saros_integrator_imex,
    &saros_integrator_rodas3,         &saros_integrator_rodas4,
};
enum { ROWS = sizeof rows / sizeof *rows };

const saros_integrator *const *saros_integrators(int *count) {
    *count = ROWS;
    return rows;
}

const saros_integrator *saros_integrator_find(const char *name) {
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
    if (near) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    saros_fail(SAROS_ERR_USAGE, "integrator", hint, "no one-step integrator \"%s\"; there are:%s",
               name, list);
    return NULL;
}
