/** Inside of the loop: its evaluation. */
#ifndef SAROS_REGION_LOOP_IMPL_H
#define SAROS_REGION_LOOP_IMPL_H

#include "saros/region.h"

saros_status saros_loop_evaluate(const saros_evaluation *evaluation);

#endif
