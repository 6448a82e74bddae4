/** Readable dump of a compiled function: its steps in the order they run.
 *
 *      function: 2 steps
 *      kernel f64[100], f64[100] -> f64[100]
 *        kernel: 2 loads, 2 operations, 1 stores
 *          ...
 *      sum f64[100] -> f64[]
 */
#include <stdio.h>

#include "function_impl.h"
#include "kernel/kernel_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"
#include "text_impl.h"

/** What a kernel or a region of rows says of itself, its lines indented. */
static void put_step(saros_text *s, const saros_step *step, int indent) {
    const saros_fused *kernel =
        step->row == &saros_row_kernel ? saros_kernel_of(step->attributes.tensor) : NULL;
    size_t bytes = 1 + (kernel ? saros_kernel_dump(kernel, 0, NULL, 0)
                               : saros_rows_dump(&step->attributes, NULL, 0));
    char *text = saros_allocate(bytes), *line = text;
    if (!text) return;
    if (kernel)
        saros_kernel_dump(kernel, 0, text, bytes);
    else
        saros_rows_dump(&step->attributes, text, bytes);
    for (char *at = text; *at; ++at) {
        if (*at != '\n') continue;
        saros_text_put(s, "%*s%.*s\n", indent, "", (int)(at - line), line);
        line = at + 1;
    }
    saros_release(text);
    const saros_cover *cover = kernel ? saros_kernel_cover(step->attributes.tensor) : NULL;
    if (cover)
        saros_text_put(s, "%*sloads in %d parts, %d boxes\n", indent + 2, "", cover->parts,
                       cover->boxes);
}

static void put_types(saros_text *s, const saros_function *f, int32_t from, int32_t count) {
    for (int32_t k = from; k < from + count; ++k) {
        saros_type type = saros_tensor_type(&f->prototype[f->table[k]]);
        char text[128];
        saros_text_put(s, "%s%s", k > from ? ", " : " ", saros_type_text(&type, text, sizeof text));
    }
}

/** Recursion over nesting of bodies, which the writer of a program sets. */
static void put_function(saros_text *s, const saros_function *f, int indent) {
    saros_text_put(s, "%*s%s: %d steps\n", indent, "", f->name, f->steps);
    for (int32_t n = 0; n < f->steps; ++n) {
        const saros_step *step = &f->step[n];
        saros_text_put(s, "%*s%s", indent, "", step->row->name);
        put_types(s, f, step->table, step->ins);
        saros_text_put(s, " ->");
        put_types(s, f, step->table + step->ins, step->outs);
        if (step->file[0]) saros_text_put(s, "  # %s:%d", step->file, step->line);
        saros_text_put(s, "\n");
        if (step->row == &saros_row_kernel || step->row == &saros_row_rows)
            put_step(s, step, indent + 2);
        for (int32_t b = 0; b < step->attributes.bodies; ++b)
            put_function(s, step->body[b], indent + 4);
    }
}

size_t saros_function_dump(const saros_function *f, char *text, size_t bytes) {
    saros_text s = {text, bytes, 0};
    if (bytes) text[0] = '\0';
    put_function(&s, f, 0);
    return s.used;
}
