/** Pictures of solutions. */
#ifndef SAROS_SCRIPT_DRAW_IMPL_H
#define SAROS_SCRIPT_DRAW_IMPL_H

#include "saros/solution.h"

typedef struct script_draw_options {
    const char *variable; /**< NULL: the first unknown */
    double t;             /**< NaN: the last, or several for lines */
    const double *times;  /**< instead of t: lines at these times */
    int64_t count;
    bool map;             /**< 1-D in time: a map over x and t instead of lines */
    saros_solution *with; /**< another solution, drawn as points over the lines */
    const char *title;    /**< NULL: the problem's name */
    bool overwrite;
} script_draw_options;

/** Lines for 1-D, maps for 2-D, as PNG. */
saros_status script_draw(saros_solution *solution, const script_draw_options *options,
                         const char *png);

#endif
