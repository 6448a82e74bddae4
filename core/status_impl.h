/** Inside of the error record: a parked error read without giving it up. */
#ifndef SAROS_STATUS_IMPL_H
#define SAROS_STATUS_IMPL_H

#include "saros/status.h"

/** Puts a parked error back into the record of this thread; it stays parked. */
saros_status saros_error_restore(const saros_error_copy *parked);
void saros_error_drop(saros_error_copy *parked);
/** Another copy; NULL gives NULL. */
saros_error_copy *saros_error_duplicate(const saros_error_copy *parked);

#endif
