/** Progress and stopping: one live line on a terminal, plain lines elsewhere, JSON lines into a
 * log. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "saros/stop.h"
#include "script_impl.h"

/** What the reporter remembers between calls; one run at a time per process. */
static struct {
    double start, last; /* seconds; 0: no run */
    bool live;
} run;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_json(FILE *log, double seconds, double fraction, const char *message) {
    fprintf(log, "{\"seconds\":%.3f,\"fraction\":%.6f,\"text\":\"", seconds,
            isfinite(fraction) ? fraction : 0.0);
    for (const char *c = message; *c; ++c) {
        if (*c == '"' || *c == '\\') fputc('\\', log);
        if ((unsigned char)*c >= ' ') fputc(*c, log);
    }
    fputs("\"}\n", log);
    fflush(log);
}

/** "12 s left", or nothing while too little is known. */
static const char *remaining(double seconds, double fraction, char *text, size_t bytes) {
    text[0] = 0;
    if (fraction > 0.01 && fraction < 1 && seconds > 1)
        snprintf(text, bytes, ", %.0f s left", seconds * (1 - fraction) / fraction);
    return text;
}

bool script_progress(double fraction, const char *message, void *user) {
    const script_state *state = user;
    double t = now();
    if (run.start == 0 || fraction <= 0) {
        if (run.start == 0) run.start = t;
        run.last = run.last == 0 ? t : run.last;
    }
    double seconds = t - run.start;
    char left[48];
    bool terminal = isatty(STDERR_FILENO);
    double pause = terminal ? 0.2 : 10;
    if (t - run.last >= pause) {
        if (state->settings.progress) {
            fprintf(stderr, terminal ? "\r\033[K%3.0f %% %s%s" : "%3.0f %% %s%s\n", 100 * fraction,
                    message, remaining(seconds, fraction, left, sizeof left));
            run.live = terminal;
            fflush(stderr);
        }
        if (state->settings.log) write_json(state->settings.log, seconds, fraction, message);
        run.last = t;
    }
    return !saros_stop_requested();
}

void script_progress_end(lua_State *L) {
    const script_state *state = script_state_of(L);
    if (run.live) fputs("\r\033[K", stderr);
    if (state->settings.log && run.start > 0)
        write_json(state->settings.log, now() - run.start, 1, "end");
    memset(&run, 0, sizeof run);
}
