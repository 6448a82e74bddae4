/* Pictures: lines and maps as PNG of 1000 x 600 points, drawn by gnuplot. */
#ifndef SAROS_PLOT_IMPL_H
#define SAROS_PLOT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "saros/status.h"

/** What stands around a picture; NULL and "" leave a part out. */
typedef struct saros_plot_text {
    const char *title, *xlabel, *ylabel;
    const char *value; /**< maps: what the colours mean */
} saros_plot_text;

typedef enum saros_plot_style {
    SAROS_PLOT_LINE,
    SAROS_PLOT_DASHES,
    SAROS_PLOT_POINTS
} saros_plot_style;

typedef struct saros_plot_series {
    const char *label; /**< legend; NULL or "": none */
    int64_t n;
    const double *x, *y;
    saros_plot_style style;
} saros_plot_series;

/** Lines through (x, y) of each series, with a legend. NaN interrupts a line. Errors: UNSUPPORTED
 * without gnuplot; IO naming the file and gnuplot's words; USAGE if there is nothing to draw. An
 * existing file is an error unless `overwrite`. */
saros_status saros_plot_lines(const char *png, bool overwrite, const saros_plot_text *text,
                              int count, const saros_plot_series *series);
/** Colour map of values[j*nx + i] at (x[i], y[j]); axes increase. NaN is left white. Errors as
 * above. */
saros_status saros_plot_map(const char *png, bool overwrite, const saros_plot_text *text,
                            int64_t nx, const double *x, int64_t ny, const double *y,
                            const double *values);

#endif
