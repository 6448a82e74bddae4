/** Pictures of solutions: fields of result nodes as lines over x, or as maps over (x, y) or (x, t).
 * Three dimensions are not drawn. */
#include "script_draw_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot_impl.h"
#include "saros/memory.h"
#include "saros/problem.h"

enum { LINES = 5, MOST_LINES = 16, POINTS = 40 };

/** What is drawn: the field and its axes, all f64 row-major. */
typedef struct picture {
    saros_tensor *field;
    const char *name, *title;
    int axes;
    int64_t nodes[3], levels;
    const double *node[3], *time, *value;
} picture;

static saros_status read_picture(saros_solution *s, const script_draw_options *o, picture *p) {
    const saros_axis *axis;
    const char *const *unknown;
    saros_problem *problem = saros_solution_problem(s);
    saros_status status = SAROS_OK;
    saros_problem_unknowns(problem, &unknown);
    *p = (picture){.name = o->variable ? o->variable : unknown[0], .levels = 1};
    p->title = o->title ? o->title : saros_problem_name(problem);
    p->axes = saros_problem_space_axes(problem, &axis);
    for (int a = 0; a < p->axes; ++a) {
        saros_tensor *node = saros_solution_axis(s, axis[a].name);
        if (!node) return saros_error_last()->status;
        p->nodes[a] = saros_tensor_count(node);
        p->node[a] = saros_tensor_const_data(node);
    }
    if (saros_problem_time(problem, NULL, NULL)) {
        saros_tensor *time = saros_solution_axis(s, "t");
        if (!time) return saros_error_last()->status;
        p->levels = saros_tensor_count(time);
        p->time = saros_tensor_const_data(time);
    }
    saros_tensor *field = saros_solution_field(s, p->name);
    if (!field) return saros_error_last()->status;
    SAROS_TRY(saros_tensor_cast(field, SAROS_F64, &p->field));
    p->value = saros_tensor_const_data(p->field);
done:
    return status;
}

/** Index of the level nearest to t; the last one for NaN. */
static int64_t level_at(const picture *p, double t) {
    int64_t best = p->levels - 1;
    if (isnan(t)) return best;
    for (int64_t k = 0; k < p->levels; ++k)
        if (fabs(p->time[k] - t) < fabs(p->time[best] - t)) best = k;
    return best;
}

/** Time of line number k. */
static double line_time(const picture *p, const script_draw_options *o, int k, int lines) {
    if (o->times) return o->times[k];
    if (!isnan(o->t) || !p->time) return o->t;
    int64_t level = lines > 1 ? (p->levels - 1) * k / (lines - 1) : p->levels - 1;
    return p->time[level];
}

static int line_count(const picture *p, const script_draw_options *o) {
    if (o->times) return o->count < MOST_LINES ? (int)o->count : MOST_LINES;
    if (!isnan(o->t) || !p->time) return 1;
    return p->levels < LINES ? (int)p->levels : LINES;
}

/** Every `stride`-th value of a level, so that points stay apart; `to` has room for all. */
static int64_t thin(const picture *p, int64_t level, int64_t wanted, double *x, double *y) {
    int64_t n = p->nodes[0], stride = wanted > 0 && n > wanted ? n / wanted : 1, count = 0;
    for (int64_t i = 0; i < n; i += stride, ++count) {
        x[count] = p->node[0][i];
        y[count] = p->value[level * n + i];
    }
    return count;
}

static saros_status draw_lines(const picture *p, const picture *with, const script_draw_options *o,
                               const char *png) {
    saros_status status = SAROS_OK;
    saros_plot_series series[MOST_LINES + 1];
    char label[MOST_LINES][48];
    int lines = line_count(p, o), count = 0;
    int64_t most = with && with->nodes[0] > p->nodes[0] ? with->nodes[0] : p->nodes[0];
    double *room = saros_allocate(sizeof *room * (size_t)(4 * lines * most));
    if (!room) return SAROS_ERR_MEMORY;
    for (int k = 0; k < lines; ++k) {
        double t = line_time(p, o, k, lines), *at = room + 2 * k * most;
        int64_t level = level_at(p, t), n = thin(p, level, 0, at, at + most);
        if (p->time)
            snprintf(label[count], sizeof label[count], "t = %.4g", p->time[level]);
        else
            label[count][0] = 0;
        series[count] = (saros_plot_series){label[count], n, at, at + most, SAROS_PLOT_LINE};
        ++count;
    }
    if (with) { /* all its levels are one series, in one colour */
        const char *method = saros_solution_info(o->with)->method;
        double *x = room + 2 * lines * most, *y = x + lines * most;
        int64_t n = 0;
        for (int k = 0; k < lines; ++k)
            n += thin(with, level_at(with, line_time(p, o, k, lines)), POINTS, x + n, y + n);
        series[count++] =
            (saros_plot_series){method ? method : "the other", n, x, y, SAROS_PLOT_POINTS};
    }
    SAROS_TRY(saros_plot_lines(png, o->overwrite, &(saros_plot_text){p->title, "x", p->name, NULL},
                               count, series));
done:
    saros_release(room);
    return status;
}

saros_status script_draw(saros_solution *solution, const script_draw_options *o, const char *png) {
    picture p = {0}, with = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(read_picture(solution, o, &p));
    if (o->with) SAROS_TRY(read_picture(o->with, o, &with));
    saros_plot_text text = {p.title, "x", p.axes == 2 ? "y" : "t", p.name};
    if (p.axes == 1 && o->map && p.time) {
        SAROS_TRY(saros_plot_map(png, o->overwrite, &text, p.nodes[0], p.node[0], p.levels, p.time,
                                 p.value));
    } else if (p.axes == 1) {
        SAROS_TRY(draw_lines(&p, o->with ? &with : NULL, o, png));
    } else if (p.axes == 2) {
        int64_t level = level_at(&p, o->times && o->count ? o->times[0] : o->t);
        SAROS_TRY(saros_plot_map(png, o->overwrite, &text, p.nodes[0], p.node[0], p.nodes[1],
                                 p.node[1], p.value + level * p.nodes[0] * p.nodes[1]));
    } else {
        status = saros_fail(SAROS_ERR_UNSUPPORTED, "plot", "ParaView opens the result file",
                            "pictures of %d space axes are not in this build", p.axes);
    }
done:
    saros_tensor_release(p.field);
    saros_tensor_release(with.field);
    return status;
}
