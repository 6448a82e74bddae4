/* Pictures by gnuplot, run as a child process without a shell.
 *
 * Script, data and picture live in a temporary folder under names of ours, which is the child's
 * working folder; the picture is copied to its place afterwards. So no text of the user's reaches
 * gnuplot other than inside single quotes, where only the quote itself has a meaning, and markup is
 * off. Colours: viridis for maps (perceptually uniform), Okabe and Ito's eight for lines (told
 * apart by colour-blind readers). */
#include "plot_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saros/config.h"
#include "saros/memory.h"

enum { max_series = 64 };

static const char *const where = "saros_plot";

/* ---- the temporary folder ---- */

typedef struct workshop {
    char folder[256];
    int files; /**< data files: data0, data1, … */
} workshop;

static saros_status open_workshop(workshop *shop) {
    const char *base = getenv("TMPDIR");
    shop->files = 0;
    snprintf(shop->folder, sizeof shop->folder, "%s/saros-plot-XXXXXX",
             base && *base ? base : "/tmp");
    if (mkdtemp(shop->folder)) return SAROS_OK;
    return saros_fail(SAROS_ERR_IO, where, "set TMPDIR to a folder that can be written",
                      "cannot make a temporary folder: %s", strerror(errno));
}

static const char *place(const workshop *shop, const char *name, char path[320]) {
    snprintf(path, 320, "%s/%s", shop->folder, name);
    return path;
}

static void close_workshop(const workshop *shop) {
    static const char *const fixed[] = {"script", "log", "picture.png"};
    char path[320], name[16];
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; ++k) unlink(place(shop, fixed[k], path));
    for (int k = 0; k < shop->files; ++k) {
        snprintf(name, sizeof name, "data%d", k);
        unlink(place(shop, name, path));
    }
    rmdir(shop->folder);
}

static FILE *create(const workshop *shop, const char *name) {
    char path[320];
    return fopen(place(shop, name, path), "wbe");
}

static FILE *create_data(workshop *shop) {
    char name[16];
    snprintf(name, sizeof name, "data%d", shop->files++);
    return create(shop, name);
}

/* Closes a file; an IO error if it or anything written to it failed. */
static saros_status finish(FILE *to) {
    const int bad = !to || ferror(to);
    if ((to && fclose(to) != 0) || bad)
        return saros_fail(SAROS_ERR_IO, where, NULL, "cannot write the data of a plot: %s",
                          strerror(errno));
    return SAROS_OK;
}

/* ---- gnuplot ---- */

/* A single-quoted string: quotes double, lines join. */
static void put_quoted(FILE *to, const char *text) {
    fputc('\'', to);
    for (; text && *text; ++text) {
        if (*text == '\'')
            fputs("''", to);
        else
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, to);
    }
    fputc('\'', to);
}

static void put_setting(FILE *to, const char *what, const char *text) {
    if (!text || !*text) return;
    fprintf(to, "set %s ", what);
    put_quoted(to, text);
    fputs(" noenhanced\n", to);
}

static void put_frame(FILE *to, const saros_plot_text *text) {
    fputs("set terminal pngcairo size 1000,600 font 'DejaVu Sans,13' background rgb 'white'\n"
          "set output 'picture.png'\n"
          "set border lc rgb '#444444'\nset tics textcolor rgb '#222222'\n"
          "set datafile missing 'nan'\n",
          to);
    put_setting(to, "title", text->title);
    put_setting(to, "xlabel", text->xlabel);
    put_setting(to, "ylabel", text->ylabel);
    put_setting(to, "cblabel", text->value);
}

/* The first words of gnuplot's complaint, blank lines and its marker skipped. */
static void read_complaint(const workshop *shop, char words[200]) {
    char path[320], line[200];
    FILE *from = fopen(place(shop, "log", path), "re");
    snprintf(words, 200, "no reason given");
    while (from && fgets(line, sizeof line, from)) {
        line[strcspn(line, "\n")] = '\0';
        if (strspn(line, " ^") == strlen(line)) continue;
        snprintf(words, 200, "%s", line);
    }
    if (from) fclose(from);
}

static saros_status run_gnuplot(const workshop *shop) {
    char *const argv[] = {(char *)"gnuplot", (char *)"--default-settings", (char *)"script", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int ended = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, shop->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int refused = posix_spawn(&child, SAROS_GNUPLOT, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (refused)
        return saros_fail(SAROS_ERR_IO, where, "is gnuplot still installed?", "cannot run %s: %s",
                          SAROS_GNUPLOT, strerror(refused));
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return saros_fail(SAROS_ERR_IO, where, NULL, "lost gnuplot: %s", strerror(errno));
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return SAROS_OK;
    char words[200];
    read_complaint(shop, words);
    return saros_fail(SAROS_ERR_IO, where, NULL, "gnuplot failed: %s", words);
}

static saros_status copy_picture(const workshop *shop, const char *png, bool overwrite) {
    char path[320], block[1 << 14];
    FILE *from = fopen(place(shop, "picture.png", path), "rbe");
    FILE *to = from ? fopen(png, overwrite ? "wbe" : "wbxe") : NULL;
    size_t got = 0;
    if (!to) {
        const int reason = errno;
        if (from) fclose(from);
        return saros_fail(SAROS_ERR_IO, where,
                          reason == EEXIST ? "choose another name or ask for overwriting" : NULL,
                          "cannot create %s: %s", png, strerror(reason));
    }
    while ((got = fread(block, 1, sizeof block, from)) > 0) fwrite(block, 1, got, to);
    const int bad = ferror(from) || ferror(to);
    fclose(from);
    if (fclose(to) != 0 || bad)
        return saros_fail(SAROS_ERR_IO, where, NULL, "cannot write %s: %s", png, strerror(errno));
    return SAROS_OK;
}

static saros_status check(const char *png, bool overwrite) {
    if (!SAROS_HAVE_GNUPLOT)
        return saros_fail(SAROS_ERR_UNSUPPORTED, where, "install gnuplot-nox and configure again",
                          "plots are not in this build: gnuplot was not found");
    if (!overwrite && access(png, F_OK) == 0)
        return saros_fail(SAROS_ERR_IO, where, "choose another name or ask for overwriting",
                          "%s exists already", png);
    return SAROS_OK;
}

/* ---- lines ---- */

static void put_line_style(FILE *to, const saros_plot_series *series, int k) {
    static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                         "#e69f00", "#56b4e9", "#222222", "#999999"};
    const char *rgb = colour[k % (int)(sizeof colour / sizeof *colour)];
    switch (series->style) {
    case SAROS_PLOT_POINTS: /* dark, to be seen on lines of any colour */
        fputs("with points pt 7 ps 0.6 lc rgb '#222222' ", to);
        break;
    case SAROS_PLOT_DASHES:
        fprintf(to, "with lines lw 2.5 dt 2 lc rgb '%s' ", rgb);
        break;
    case SAROS_PLOT_LINE:
        fprintf(to, "with lines lw 2.5 lc rgb '%s' ", rgb);
        break;
    }
    if (series->label && *series->label) {
        fputs("title ", to);
        put_quoted(to, series->label);
    } else {
        fputs("notitle", to);
    }
}

static saros_status write_series(workshop *shop, const saros_plot_series *series) {
    FILE *to = create_data(shop);
    for (int64_t i = 0; to && i < series->n; ++i) {
        /* A value that is not finite is a gap, whatever it is. */
        if (isfinite(series->y[i]))
            fprintf(to, "%.17g %.17g\n", series->x[i], series->y[i]);
        else
            fprintf(to, "%.17g nan\n", series->x[i]);
    }
    return finish(to);
}

saros_status saros_plot_lines(const char *png, bool overwrite, const saros_plot_text *text,
                              int count, const saros_plot_series *series) {
    saros_status status = SAROS_OK;
    workshop shop;
    if (count < 1 || count > max_series)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "got %d lines, needed 1 to %d", count,
                          max_series);
    if ((status = check(png, overwrite)) != SAROS_OK) return status;
    if ((status = open_workshop(&shop)) != SAROS_OK) return status;
    for (int k = 0; k < count; ++k) SAROS_TRY(write_series(&shop, &series[k]));
    FILE *to = create(&shop, "script");
    if (to) {
        put_frame(to, text);
        fputs("set border 3\nset tics nomirror\nset grid lc rgb '#dddddd' lt 1 lw 1\n"
              "set key noenhanced Left reverse opaque box lc rgb '#dddddd' spacing 1.2\n"
              "set autoscale noextend\nset offsets graph 0, 0, 0.06, 0.06\nplot ",
              to);
        for (int k = 0; k < count; ++k) {
            fprintf(to, "%s'data%d' using 1:2 ", k ? ", " : "", k);
            put_line_style(to, &series[k], k);
        }
        fputc('\n', to);
    }
    SAROS_TRY(finish(to));
    SAROS_TRY(run_gnuplot(&shop));
    SAROS_TRY(copy_picture(&shop, png, overwrite));
done:
    close_workshop(&shop);
    return status;
}

/* ---- maps ---- */

/* gnuplot's binary matrix: floats, first row nx, x…; then y, values… per row. */
static saros_status write_matrix(workshop *shop, int64_t nx, const double *x, int64_t ny,
                                 const double *y, const double *values) {
    float *row = saros_allocate((size_t)(nx + 1) * sizeof *row);
    if (!row) return SAROS_ERR_MEMORY;
    FILE *to = create_data(shop);
    for (int64_t j = -1; to && j < ny; ++j) {
        row[0] = (float)(j < 0 ? (double)nx : y[j]);
        for (int64_t i = 0; i < nx; ++i) row[i + 1] = (float)(j < 0 ? x[i] : values[j * nx + i]);
        fwrite(row, sizeof *row, (size_t)(nx + 1), to);
    }
    saros_release(row);
    return finish(to);
}

static bool increasing(int64_t n, const double *x) {
    for (int64_t i = 1; i < n; ++i)
        if (!(x[i] > x[i - 1])) return false;
    return true;
}

/* Equal colours at both ends would make gnuplot refuse a constant field: its range is opened by
 * hand. */
static void put_range(FILE *to, int64_t count, const double *value) {
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < count; ++i) {
        if (!isfinite(value[i])) continue;
        least = fmin(least, value[i]);
        most = fmax(most, value[i]);
    }
    if (!(least <= most)) least = 0, most = 1;
    if (most - least <= 1e-12 * fmax(fabs(least), fabs(most)) || least == most) {
        const double half = least != 0 ? 0.01 * fabs(least) : 0.5;
        least -= half;
        most += half;
    }
    fprintf(to, "set cbrange [%.17g:%.17g]\n", least, most);
}

saros_status saros_plot_map(const char *png, bool overwrite, const saros_plot_text *text,
                            int64_t nx, const double *x, int64_t ny, const double *y,
                            const double *values) {
    saros_status status = SAROS_OK;
    workshop shop;
    if (nx < 2 || ny < 2 || !increasing(nx, x) || !increasing(ny, y))
        return saros_fail(SAROS_ERR_USAGE, where, NULL,
                          "a map of %lld by %lld values needs two increasing axes", (long long)nx,
                          (long long)ny);
    if ((status = check(png, overwrite)) != SAROS_OK) return status;
    if ((status = open_workshop(&shop)) != SAROS_OK) return status;
    SAROS_TRY(write_matrix(&shop, nx, x, ny, y, values));
    FILE *to = create(&shop, "script");
    if (to) {
        put_frame(to, text);
        put_range(to, nx * ny, values);
        fprintf(to,
                "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4a89', 3 '#31688e', "
                "4 '#26828e', 5 '#1f9e89', 6 '#35b779', 7 '#6ece58', 8 '#b5de2b', 9 '#fde725')\n"
                "set xrange [%.17g:%.17g]\nset yrange [%.17g:%.17g]\n"
                "set tics out nomirror scale 0.6\nset pm3d map corners2color mean\nunset key\n"
                "set lmargin at screen 0.09\nset rmargin at screen 0.84\n"
                "set bmargin at screen 0.13\nset tmargin at screen 0.90\n"
                "splot 'data0' binary matrix with pm3d\n",
                x[0], x[nx - 1], y[0], y[ny - 1]);
    }
    SAROS_TRY(finish(to));
    SAROS_TRY(run_gnuplot(&shop));
    SAROS_TRY(copy_picture(&shop, png, overwrite));
done:
    close_workshop(&shop);
    return status;
}
