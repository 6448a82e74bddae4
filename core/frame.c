/** Frames: the memory of one call, made once, kept with its function and lent to one call at a
 * time.
 *
 *  Running is a loop over steps whose evaluation records were prepared when the frame was made. A
 * spare frame is handed over by one atomic exchange; further ones wait in a locked list. */
#include <math.h>
#include <string.h>

#include "function_impl.h"
#include "profile_impl.h"
#include "saros/memory.h"

static size_t aligned(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

static void place_headers(saros_frame *frame) {
    const saros_function *f = frame->function;
    memcpy(frame->header, f->prototype, (size_t)f->slots * sizeof *frame->header);
    for (int32_t slot = 0; slot < f->slots; ++slot) {
        saros_place place = f->place[slot];
        int64_t offset = place.offset;
        if (place.kind == SAROS_PLACE_VIEW) {
            place = f->place[place.index];
            offset += place.offset;
        }
        if (place.kind == SAROS_PLACE_ARENA) frame->header[slot].data = frame->arena + offset;
    }
    for (int k = 0; k < f->outputs; ++k) {
        const saros_type *type = &f->output_type[k];
        bool laid_out = k < f->carries && f->carry[k].bytes;
        saros_tensor_embed(&frame->output[k], type->dtype, type->rank, type->shape,
                           laid_out ? f->carry[k].strides : NULL, NULL);
    }
}

static void fill_table(saros_frame *frame) {
    const saros_function *f = frame->function;
    for (int32_t e = 0; e < f->table_size; ++e)
        frame->table[e] =
            f->place[f->table[e]].kind == SAROS_PLACE_OPAQUE ? NULL : &frame->header[f->table[e]];
    for (int32_t k = 0; k < f->opaques; ++k) {
        frame->opaque[k] = f->opaque[k].constant;
        for (int32_t u = f->opaque[k].use_from; u < f->opaque[k].use_to; ++u)
            frame->table[f->use[u]] = f->opaque[k].constant;
    }
    for (int32_t s = 0; s < f->steps; ++s) {
        const saros_step *step = &f->step[s];
        saros_tensor **entry = frame->table + step->table;
        frame->evaluation[s] = (saros_evaluation){.row = step->row,
                                                  .attributes = &step->attributes,
                                                  .ins = step->ins,
                                                  .outs = step->outs,
                                                  .in = entry,
                                                  .out = entry + step->ins,
                                                  .body = step->body};
    }
}

static saros_frame *make_frame(const saros_function *f) {
    size_t slots = (size_t)f->slots, steps = (size_t)f->steps, opaques = (size_t)f->opaques;
    size_t inputs = (size_t)f->inputs, outputs = (size_t)f->outputs;
    size_t bytes[] = {aligned(sizeof(saros_frame)),
                      aligned(slots * sizeof(saros_tensor)),
                      aligned(outputs * sizeof(saros_tensor)),
                      aligned((size_t)f->table_size * sizeof(saros_tensor *)),
                      aligned(steps * sizeof(saros_evaluation)),
                      aligned(opaques * sizeof(saros_tensor *)),
                      aligned(inputs * sizeof(saros_tensor *)),
                      aligned(outputs * sizeof(saros_tensor *)),
                      f->arena_bytes};
    size_t total = 0;
    for (size_t k = 0; k < sizeof bytes / sizeof *bytes; ++k) total += bytes[k];
    char *memory = saros_allocate(total);
    if (!memory) return NULL;
    memset(memory, 0, total - f->arena_bytes);
    saros_frame *frame = (void *)memory;
    frame->function = f;
    frame->header = (void *)(memory += bytes[0]);
    frame->output = (void *)(memory += bytes[1]);
    frame->table = (void *)(memory += bytes[2]);
    frame->evaluation = (void *)(memory += bytes[3]);
    frame->opaque = (void *)(memory += bytes[4]);
    frame->copied = (void *)(memory += bytes[5]);
    frame->made = (void *)(memory += bytes[6]);
    frame->arena = memory + bytes[7];
    place_headers(frame);
    fill_table(frame);
    return frame;
}

void saros_frame_discard(saros_frame *frame) {
    if (!frame) return;
    saros_release(frame->scratch);
    saros_release(frame);
}

void saros_frames_free(saros_function *f) {
    saros_frame_discard(atomic_load(&f->spare));
    while (f->idle) {
        saros_frame *next = f->idle->next;
        saros_frame_discard(f->idle);
        f->idle = next;
    }
}

saros_frame *saros_frame_borrow(const saros_function *function,
                                const saros_communicator *communicator) {
    saros_function *f = (saros_function *)function; /* the pool is not part of its value */
    saros_frame *frame = atomic_exchange(&f->spare, NULL);
    if (!frame) {
        pthread_mutex_lock(&f->lock);
        frame = f->idle;
        if (frame) f->idle = frame->next;
        pthread_mutex_unlock(&f->lock);
    }
    if (!frame && !(frame = make_frame(f))) return NULL;
    if (frame->communicator != communicator) {
        frame->communicator = communicator;
        for (int32_t s = 0; s < f->steps; ++s) frame->evaluation[s].communicator = communicator;
    }
    return frame;
}

void saros_frame_return(saros_frame *frame) {
    saros_function *f = (saros_function *)frame->function;
    saros_frame *none = NULL;
    if (atomic_compare_exchange_strong(&f->spare, &none, frame)) return;
    pthread_mutex_lock(&f->lock);
    frame->next = f->idle;
    f->idle = frame;
    pthread_mutex_unlock(&f->lock);
}

void *saros_frame_scratch(saros_frame *frame, size_t bytes) {
    if (frame->scratch && frame->scratch_bytes >= bytes) return frame->scratch;
    void *larger = saros_allocate(bytes);
    if (!larger) return NULL;
    saros_release(frame->scratch);
    frame->scratch = larger;
    frame->scratch_bytes = bytes;
    return larger;
}

static void set_opaque(saros_frame *frame, int32_t k, saros_tensor *value) {
    const saros_opaque_value *opaque = &frame->function->opaque[k];
    frame->opaque[k] = value;
    for (int32_t u = opaque->use_from; u < opaque->use_to; ++u)
        frame->table[frame->function->use[u]] = value;
}

void saros_frame_bind(saros_frame *frame, int k, saros_tensor *tensor) {
    const saros_function *f = frame->function;
    saros_place place = f->place[f->input_slot[k]];
    if (place.kind == SAROS_PLACE_OPAQUE)
        set_opaque(frame, place.index, tensor);
    else
        frame->header[f->input_slot[k]].data = tensor->data;
}

static void drop_opaque(saros_frame *frame, int32_t k) {
    saros_tensor_release(frame->opaque[k]);
    set_opaque(frame, k, NULL);
    frame->table[frame->function->opaque[k].maker] = NULL;
}

void saros_frame_clear(saros_frame *frame) {
    const saros_function *f = frame->function;
    for (int32_t k = 0; k < f->opaques; ++k) {
        int32_t maker = f->opaque[k].maker;
        if (maker < 0) continue;
        /* A step that failed half-way may have set its entry without being followed up. */
        if (!frame->opaque[k]) frame->opaque[k] = frame->table[maker];
        drop_opaque(frame, k);
    }
}

/* ---- run ---- */

static saros_status check_elements(const saros_step *step, const saros_tensor *out) {
    const double *f64 = out->data;
    const float *f32 = out->data;
    for (int64_t i = 0; i < out->count; ++i) {
        double x = out->dtype == SAROS_F64 ? f64[i] : (double)f32[i];
        if (isfinite(x)) continue;
        saros_type type = saros_tensor_type(out);
        char text[128];
        return saros_fail(SAROS_ERR_NAN, step->row->name,
                          "look at the operands of this operation: 0/0, log or sqrt of a "
                          "negative number, overflow",
                          "element %lld of its result %s is %g", (long long)i,
                          saros_type_text(&type, text, sizeof text), x);
    }
    return SAROS_OK;
}

static saros_status check_finite(const saros_frame *frame, const saros_step *step) {
    saros_status status = SAROS_OK;
    for (int32_t k = 0; status == SAROS_OK && k < step->outs; ++k) {
        saros_tensor *out = frame->table[step->table + step->ins + k], *dense = NULL;
        if (!out || !saros_dtype_is_float(out->dtype)) continue;
        status = saros_tensor_contiguous(out, &dense);
        if (status == SAROS_OK) status = check_elements(step, dense);
        saros_tensor_release(dense);
    }
    return status;
}

static saros_status fail_step(saros_frame *frame, const saros_step *step, saros_status status) {
    saros_error_locate(step->file, step->line);
    if (step->file[0])
        saros_error_frame("%s:%d: in %s of %s", step->file, step->line, step->row->name,
                          frame->function->name);
    else
        saros_error_frame("in %s of %s", step->row->name, frame->function->name);
    return status;
}

/** What a step with opaque values or under check_finite does after its evaluation. */
static saros_status follow_up(saros_frame *frame, const saros_step *step) {
    const saros_function *f = frame->function;
    for (int32_t k = step->made_from; k < step->made_to; ++k)
        set_opaque(frame, k, frame->table[f->opaque[k].maker]);
    if (f->check_finite) {
        saros_status status = check_finite(frame, step);
        if (status != SAROS_OK) return status;
    }
    for (int32_t d = step->dropped_from; d < step->dropped_to; ++d) drop_opaque(frame, f->drop[d]);
    return SAROS_OK;
}

static saros_status run_steps(saros_frame *frame, saros_recording recording) {
    const saros_function *f = frame->function;
    for (int32_t s = 0; s < f->steps; ++s) {
        const saros_step *step = &f->step[s];
        saros_status status = recording.profile
                                  ? saros_recording_evaluate(&recording, s, &frame->evaluation[s])
                                  : step->row->evaluate(&frame->evaluation[s]);
        bool plain = step->made_from == step->made_to && step->dropped_from == step->dropped_to &&
                     !f->check_finite;
        if (status == SAROS_OK && !plain) status = follow_up(frame, step);
        if (status != SAROS_OK) {
            status = fail_step(frame, step, status);
            saros_frame_clear(frame);
            return status;
        }
    }
    return SAROS_OK;
}

saros_status saros_frame_run(saros_frame *frame) {
    const saros_function *f = frame->function;
    saros_recording recording = {0};
    for (int32_t k = 0; k < f->views; ++k) {
        saros_place place = f->place[f->view[k]];
        frame->header[f->view[k]].data = (char *)frame->header[place.index].data + place.offset;
    }
    if (saros_profile_is_on()) recording = saros_recording_open(f);
    const saros_status status = run_steps(frame, recording);
    if (recording.profile) saros_recording_close(&recording);
    if (status != SAROS_OK) return status;
    for (int k = 0; k < f->outputs; ++k) {
        const saros_function_output *output = &f->output[k];
        if (output->direct || output->opaque >= 0) continue;
        const saros_tensor *from = &frame->header[output->slot];
        saros_tensor *to = &frame->output[k];
        if (from->data == to->data && from->contiguous) continue; /* in place */
        saros_copy_strided(to->rank, to->shape, to->dtype, to->data, to->strides, from->dtype,
                           from->data, from->strides);
    }
    return SAROS_OK;
}
