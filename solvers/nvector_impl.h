/** N_Vector of SUNDIALS over a tensor: f64, row-major, serial. */
#ifndef SAROS_NVECTOR_IMPL_H
#define SAROS_NVECTOR_IMPL_H

#include <sundials/sundials_nvector.h>

#include "saros/tensor.h"

/** Wraps `tensor` (retained; f64 and row-major). NULL with MEMORY recorded. */
N_Vector saros_nvector_make(saros_tensor *tensor, SUNContext context);
/** The tensor of a vector made here or cloned from one (borrowed). */
saros_tensor *saros_nvector_tensor(N_Vector v);
/** Whether a clone ran out of memory in this thread since the last question. SUNDIALS cannot be
 * told: its N_VClone uses what it gets. Such a clone shares the numbers of its source; the caller
 * must ask, and throw the results away. */
bool saros_nvector_clone_failed(void);
/** Vectors of this kind alive in the process. */
int64_t saros_nvector_alive(void);

#endif
