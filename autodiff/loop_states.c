/** How many states of a loop its reverse sweep holds: what the loop says, else all that fit.
 *
 *  Free memory is asked when the derivative is built, so the same script may hold more states on
 *  another machine. Its gradients are the same bits: only the number of repeated steps differs. */
#include "loop_impl.h"
#include "saros/memory.h"

_Thread_local bool ad_loop_other_memory;

int64_t ad_bytes_of(saros_value value) {
    const saros_type *type = saros_value_type(value);
    return saros_type_count(type) * (int64_t)saros_dtype_bytes(type->dtype);
}

int64_t ad_loop_states(const ad_loop *loop, const bool *reads, int64_t more) {
    const saros_loop_view *view = &loop->view;
    if (ad_loop_other_memory) return view->snapshots ? 0 : (view->bound + 2) / 3;
    if (view->snapshots) return view->snapshots;
    double kept = (double)more, state = 1;
    for (int k = loop->carry; k < loop->input; ++k) {
        state += (double)ad_bytes_of(saros_body_input(view->body, k));
        if (reads[k]) kept += (double)ad_bytes_of(saros_body_input(view->body, k));
    }
    const double room = 0.5 * (double)saros_memory_free();
    if (kept * (double)view->bound <= room) return 0;
    return room > 2 * state ? (int64_t)(room / state) : 2;
}

bool ad_loop_recomputes(const ad_loop *loop, const bool *reads) {
    const saros_loop_view *view = &loop->view;
    if (!view->snapshots || view->snapshots >= view->bound) return false;
    for (int c = 0; c < view->carries; ++c)
        if (reads[loop->carry + c]) return true;
    return false;
}
