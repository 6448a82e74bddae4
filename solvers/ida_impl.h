/** Inside of IDAS runs: what integrating and sensitivities share. */
#ifndef SAROS_IDA_IMPL_H
#define SAROS_IDA_IMPL_H

#include <idas/idas.h>

#include "saros/ida.h"
#include "sparse_impl.h"

/** One integration. */
typedef struct saros_ida_run {
    const saros_ida_problem *of;
    const saros_ida_options *options;
    saros_tensor **operand; /**< t, y, y', parameters, and room for what functions take besides */
    int operands;           /**< t, y, y' and parameters */
    saros_tensor *factor;   /**< c of the product */
    SUNContext context;
    N_Vector y, rate;
    SUNMatrix matrix;
    SUNLinearSolver solver;
    void *memory;
    saros_sparsity *pattern; /**< with the diagonal */
    int64_t *position;       /**< of the asked pattern's entries in `pattern` */
    double *values;
    bool verified;
    N_Vector *s, *s_rate; /**< of each direction */
    saros_tensor **still; /**< zeros of every parameter */
    saros_tensor **now;   /**< handed to the output */
    saros_error_copy *parked;
    char note[256], words[256];
} saros_ida_run;

saros_status saros_ida_check(saros_ida_run *r, int flag);
saros_status saros_ida_made(const void *made);
void saros_ida_place(saros_ida_run *r, double t, N_Vector y, N_Vector rate);
/** The answer to IDAS: 0, 1 (a smaller step may help) or -1. */
int saros_ida_outcome(saros_ida_run *r, saros_status status, const saros_tensor *result, double t);
/** A vector of the values of `from`, zeros without it. */
saros_status saros_ida_vector(saros_ida_run *r, saros_tensor *from, N_Vector *out);

/** Sets up the directions, before consistent values are looked for. */
saros_status saros_ida_sensitivities(saros_ida_run *r);
void saros_ida_sensitivities_close(saros_ida_run *r);

#endif
