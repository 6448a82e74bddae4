/** Inside of IDAS runs: what integrating and sensitivities share. */
#ifndef SAROS_IDA_IMPL_H
#define SAROS_IDA_IMPL_H

#include <idas/idas.h>

#include "saros/ida.h"
#include "sundials_impl.h"

/** One integration; its operands are t, y, y' and the parameters. */
typedef struct saros_ida_run {
    saros_sundials common; /**< first: the user data of all callbacks */
    const saros_ida_problem *of;
    const saros_ida_options *options;
    bool recording; /**< steps are kept for a run backwards */
    N_Vector rate;
    saros_tensor *by_state, *by_rate; /**< factors of the columns of F_y and F_y' */
    saros_tensor *zeros;
    N_Vector *s_rate; /**< of each direction */
} saros_ida_run;

/** Ready to step from the first time, with consistent values. Close it, also on failure. */
saros_status saros_ida_open(saros_ida_run *r);
void saros_ida_close(saros_ida_run *r);
void saros_ida_place(saros_ida_run *r, double t, N_Vector y, N_Vector rate);
/** Values of (F_y a + F_y' b) in the order of the pattern of the entries; a and b as they stand in
 * `by_state` and `by_rate`. */
saros_status saros_ida_jacobian(saros_ida_run *r, double *values);

/** Sets up the directions, before consistent values are looked for. */
saros_status saros_ida_sensitivities(saros_ida_run *r);
void saros_ida_sensitivities_close(saros_ida_run *r);

#endif
