/** Calls: tensors in, tensors out, around one run of a frame.
 *
 *  Inputs that are not row-major are copied. An output is written where the caller wants it if that
 * is row-major and is not read, after its first write, as an input that lies in the same memory;
 * otherwise aside and assigned at the end. A donated input becomes the output of equal type whose
 * first write comes after the input's last use, or is made by it in place (in_place.c). */
#include "function_impl.h"

static saros_status check_input(const saros_function *f, int k, const saros_tensor *in) {
    const saros_type *type = &f->input_type[k];
    bool same = in && in->rank == type->rank;
    for (int a = 0; same && a < type->rank; ++a) same = in->shape[a] == type->shape[a];
    if (same && in->dtype == type->dtype) return SAROS_OK;
    const char *name = f->input_name[k];
    if (!in)
        return saros_fail(SAROS_ERR_USAGE, f->name, NULL, "input %d %s is missing", k + 1, name);
    saros_type got = saros_tensor_type(in);
    char got_text[128], needed[128];
    return saros_fail(same ? SAROS_ERR_TYPE : SAROS_ERR_SHAPE, f->name, NULL,
                      "input %d%s%s is %s, needed %s", k + 1, name[0] ? " " : "", name,
                      saros_type_text(&got, got_text, sizeof got_text),
                      saros_type_text(type, needed, sizeof needed));
}

static saros_status check_output(const saros_function *f, int k, const saros_tensor *out) {
    const saros_type *type = &f->output_type[k];
    bool same = out->rank == type->rank;
    for (int a = 0; same && a < type->rank; ++a) same = out->shape[a] == type->shape[a];
    if (same && out->dtype == type->dtype && type->dtype != SAROS_OPAQUE) return SAROS_OK;
    saros_type got = saros_tensor_type(out);
    char got_text[128], needed[128];
    return saros_fail(same ? SAROS_ERR_TYPE : SAROS_ERR_SHAPE, f->name,
                      "pass NULL to have it allocated", "output %d is %s, needed %s%s", k + 1,
                      saros_type_text(&got, got_text, sizeof got_text),
                      type->dtype == SAROS_OPAQUE ? "NULL for " : "",
                      saros_type_text(type, needed, sizeof needed));
}

/** Whether writing output k into `out` would spoil an input that is still read. */
static bool spoils_input(const saros_function *f, int k, const saros_tensor *out,
                         saros_tensor *const *in) {
    for (int j = 0; j < f->inputs; ++j) {
        if (in[j]->dtype == SAROS_OPAQUE || f->input_last[j] < f->output[k].step) continue;
        if (!saros_tensor_overlap(out, in[j])) continue;
        bool same = out->data == in[j]->data && in[j]->contiguous;
        if (!same || !saros_function_in_place(f, k, j)) return true;
    }
    return false;
}

static saros_tensor *take_donated(const saros_function *f, int k, saros_tensor *const *in,
                                  uint64_t *donate) {
    const saros_type *type = &f->output_type[k];
    for (int j = 0; *donate >> j && j < f->inputs && j < 64; ++j) {
        saros_type got = f->input_type[j];
        got.split = type->split;
        if (!(*donate >> j & 1) || !in[j]->contiguous || !saros_type_equal(&got, type) ||
            !saros_function_in_place(f, k, j) || spoils_input(f, k, in[j], in))
            continue;
        *donate &= ~((uint64_t)1 << j);
        return saros_tensor_retain(in[j]);
    }
    return NULL;
}

static saros_status bind_inputs(saros_frame *frame, saros_tensor *const *in) {
    const saros_function *f = frame->function;
    for (int k = 0; k < f->inputs; ++k) {
        saros_tensor *tensor = in[k];
        if (!tensor->contiguous) {
            saros_status status = saros_tensor_contiguous(tensor, &frame->copied[k]);
            if (status != SAROS_OK) return status;
            tensor = frame->copied[k];
        }
        saros_frame_bind(frame, k, tensor);
    }
    return SAROS_OK;
}

static saros_status bind_outputs(saros_frame *frame, saros_tensor *const *in, saros_tensor **out,
                                 uint64_t donate) {
    const saros_function *f = frame->function;
    for (int k = 0; k < f->outputs; ++k) {
        if (f->output[k].opaque >= 0) continue;
        saros_tensor *target = out[k];
        if (!target) target = frame->made[k] = donate ? take_donated(f, k, in, &donate) : NULL;
        if (!target ||
            (target == out[k] && (!target->contiguous || spoils_input(f, k, target, in)))) {
            const saros_type *type = &f->output_type[k];
            saros_status status =
                saros_tensor_make(type->dtype, type->rank, type->shape, &frame->made[k]);
            if (status != SAROS_OK) return status;
            target = frame->made[k];
        }
        saros_frame_move_output(frame, k, target->data);
    }
    return SAROS_OK;
}

/** Hands the results over; given outputs that were written aside last, since they may be inputs. */
static void hand_over(saros_frame *frame, saros_tensor **out) {
    const saros_function *f = frame->function;
    for (int k = 0; k < f->outputs; ++k) {
        int32_t opaque = f->output[k].opaque;
        if (opaque >= 0) {
            out[k] = saros_tensor_retain(frame->opaque[opaque]);
        } else if (!out[k]) {
            out[k] = frame->made[k];
            frame->made[k] = NULL;
        } else if (frame->made[k]) {
            saros_tensor_assign(out[k], frame->made[k]); /* equal types: cannot fail */
        }
    }
}

static void clean_up(saros_frame *frame) {
    const saros_function *f = frame->function;
    for (int k = 0; k < f->inputs; ++k) {
        saros_tensor_release(frame->copied[k]);
        frame->copied[k] = NULL;
    }
    for (int k = 0; k < f->outputs; ++k) {
        saros_tensor_release(frame->made[k]);
        frame->made[k] = NULL;
    }
    if (f->opaques) saros_frame_clear(frame);
    saros_frame_return(frame);
}

saros_status saros_function_call(const saros_function *f, saros_tensor *const *in,
                                 saros_tensor **out, const saros_call_options *options) {
    saros_status status = SAROS_OK;
    for (int k = 0; k < f->inputs; ++k)
        if ((status = check_input(f, k, in[k])) != SAROS_OK) return status;
    for (int k = 0; k < f->outputs; ++k)
        if (out[k] && (status = check_output(f, k, out[k])) != SAROS_OK) return status;
    saros_frame *frame = saros_frame_borrow(f, options ? options->communicator : NULL);
    if (!frame) return SAROS_ERR_MEMORY;
    SAROS_TRY(bind_inputs(frame, in));
    SAROS_TRY(bind_outputs(frame, in, out, options ? options->donate : 0));
    SAROS_TRY(saros_frame_run(frame));
    hand_over(frame, out);
done:
    clean_up(frame);
    return status;
}
