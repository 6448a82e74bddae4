/** Which results may be written over which operands.
 *
 *  A pointwise row and a kernel read element i of an operand before they write element i of a
 * result, so any result may lie over any operand of its dtype that has its layout; but not one that
 * a kernel reduces, even over an axis of extent 1, for it is cleared first. Other rows say
 * so by SAROS_IN_PLACE, for result 0 over operand 0; a loop may work on its carry where its body
 * may. No row may read the same memory through another view at that step. */
#include "function_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/region.h"

/** The value whose memory `slot` reads. */
static int32_t memory_of(const saros_function *f, int32_t slot) {
    return f->place[slot].kind == SAROS_PLACE_VIEW ? f->place[slot].index : slot;
}

/** Whether `slot` is all of `root`, element by element. */
static bool is_whole(const saros_function *f, int32_t slot, int32_t root) {
    return slot == root || (f->place[slot].offset == 0 && f->prototype[slot].contiguous &&
                            f->prototype[slot].count == f->prototype[root].count);
}

static bool is_elementwise(const saros_primitive *row) {
    return row->flags & SAROS_POINTWISE || row == &saros_row_kernel;
}

/** What the row says: result m over operand k. */
static bool row_allows(const saros_step *step, int m, int k) {
    if (step->row == &saros_row_kernel && !saros_kernel_in_place(step->attributes.tensor, m))
        return false;
    if (is_elementwise(step->row)) return true;
    if (step->row == &saros_row_loop) {
        saros_loop_view loop = saros_loop_read(&step->attributes);
        return m < loop.carries && k == 1 + m && saros_function_in_place(step->body[0], m, k);
    }
    return step->row->flags & SAROS_IN_PLACE && m == 0 && k == 0;
}

bool saros_step_in_place(const saros_function *f, const saros_step *step, int m, int32_t root) {
    const int32_t *in = f->table + step->table;
    const saros_tensor *out = &f->prototype[in[step->ins + m]];
    bool allowed = false;
    if (f->prototype[root].dtype != out->dtype || f->prototype[root].count != out->count)
        return false;
    for (int32_t k = 0; k < step->ins; ++k) {
        if (memory_of(f, in[k]) != root) continue;
        bool over = is_whole(f, in[k], root) && row_allows(step, m, k);
        if (!over || (allowed && !is_elementwise(step->row))) return false;
        allowed = true;
    }
    return allowed;
}

bool saros_function_in_place(const saros_function *f, int output, int input) {
    const saros_function_output *out = &f->output[output];
    saros_type from = f->input_type[input], to = f->output_type[output];
    from.split = to.split;
    if (out->opaque >= 0 || !saros_type_equal(&from, &to)) return false;
    int32_t root = f->input_slot[input];
    if (f->input_last[input] < out->step) return true;
    if (!out->direct) return memory_of(f, out->slot) == root && is_whole(f, out->slot, root);
    if (f->input_last[input] > out->step) return false;
    const saros_step *step = &f->step[out->step];
    for (int m = 0; m < step->outs; ++m)
        if (memory_of(f, f->table[step->table + step->ins + m]) == out->slot)
            return saros_step_in_place(f, step, m, root);
    return false;
}
