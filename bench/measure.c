/* Rounds of ours and the floor in turn, medians, the table and the CSV file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure_impl.h"

enum { MOST_ROUNDS = 31, FEW_ROUNDS = 5 };

static bench_session session;

void bench_session_begin(const bench_session *given) {
    session = *given;
    if (session.csv)
        fprintf(
            session.csv,
            "row,threads,seconds,low,high,floor_seconds,floor_low,floor_high,over_floor,rate,unit,"
            "limit,limit_rate,share,goal_seconds\n");
    printf("%-34s %10s %5s %10s %5s %7s %10s %-7s %5s\n", "", "time", "+-%", "by hand", "+-%",
           "ratio", "rate", "", "share");
}

bool bench_quick(void) {
    return session.quick;
}

int64_t bench_size(int64_t n) {
    return session.quick && n > 64 ? 64 : n;
}

bool bench_wanted(const char *name) {
    if (session.words == 0) return true;
    for (int k = 0; k < session.words; ++k)
        if (strstr(name, session.word[k])) return true;
    return false;
}

double bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- statistics ---- */
static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(int count, const double *sorted, double part) {
    const double at = part * (count - 1);
    const int low = (int)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

double bench_median(int count, double *x) {
    qsort(x, (size_t)count, sizeof *x, ascending);
    return quantile(count, x, 0.5);
}

/* Median and quartiles. */
typedef struct spread {
    double low, middle, high;
} spread;

static spread spread_of(int count, double *x) {
    if (count == 0) return (spread){NAN, NAN, NAN};
    const double middle = bench_median(count, x);
    return (spread){quantile(count, x, 0.25), middle, quantile(count, x, 0.75)};
}

/* ---- a row ---- */
static const char *time_text(double seconds, char *text, size_t bytes) {
    static const char *const unit[] = {"s", "ms", "us", "ns"};
    int k = 0;
    if (isnan(seconds)) return "-";
    while (k < 3 && seconds < 1) {
        seconds *= 1e3;
        ++k;
    }
    snprintf(text, bytes, "%.4g %s", seconds, unit[k]);
    return text;
}

/* "12", "-" for a number that is not there */
static const char *number_text(const char *format, double x, char *text, size_t bytes) {
    if (isnan(x)) return "-";
    snprintf(text, bytes, format, x);
    return text;
}

static double half_width(const spread *s) {
    return 50 * (s->high - s->low) / s->middle;
}

static void print_row(const bench_case *what, const spread *ours, const spread *floor, double rate,
                      const char *unit, double share) {
    char t[7][32];
    printf("%-34s %10s %5s %10s %5s %7s %10s %-7s %5s", what->name,
           time_text(ours->middle, t[0], sizeof t[0]),
           number_text("%.0f", half_width(ours), t[1], sizeof t[1]),
           time_text(floor->middle, t[2], sizeof t[2]),
           number_text("%.0f", half_width(floor), t[3], sizeof t[3]),
           number_text("%.2f", ours->middle / floor->middle, t[4], sizeof t[4]),
           number_text("%.4g", rate, t[5], sizeof t[5]), unit,
           number_text("%.0f %%", 100 * share, t[6], sizeof t[6]));
    if (what->goal > 0)
        printf("  goal %s", time_text(what->goal, t[0], sizeof t[0]));
    else if (what->limit)
        printf("  of %s", bench_limit_name(what->limit));
    printf("\n");
    fflush(stdout);
}

/* "1.5," or "," for a number that is not there */
static void csv_number(double x) {
    if (!isnan(x)) fprintf(session.csv, "%.6g", x);
    fputc(',', session.csv);
}

static void write_row(const bench_case *what, const spread *ours, const spread *floor, double rate,
                      const char *unit, double limit) {
    const double first[] = {ours->middle,  ours->low,  ours->high,
                            floor->middle, floor->low, floor->high};
    fprintf(session.csv, "%s,%d,", what->name, saros_threads());
    for (int k = 0; k < 6; ++k) csv_number(first[k]);
    csv_number(ours->middle / floor->middle);
    csv_number(rate);
    fprintf(session.csv, "%s,%s,", unit, what->limit ? bench_limit_name(what->limit) : "");
    csv_number(limit);
    csv_number(rate / limit);
    if (what->goal > 0) fprintf(session.csv, "%.6g", what->goal);
    fputc('\n', session.csv);
    fflush(session.csv);
}

static void report(const bench_case *what, const spread *ours, const spread *floor, double limit) {
    const bool arithmetic = what->flops > 0;
    const double work = arithmetic ? what->flops : what->bytes;
    const double rate = work > 0 ? 1e-9 * work / ours->middle : NAN;
    const char *unit = !(work > 0) ? "" : arithmetic ? "Gflop/s" : "GB/s";
    print_row(what, ours, floor, rate, unit, rate / limit);
    if (session.csv) write_row(what, ours, floor, rate, unit, limit);
}

void bench_samples(const bench_case *what, int count, double *seconds, int floor_count,
                   double *floor_seconds) {
    double limit[FEW_ROUNDS];
    const spread ours = spread_of(count, seconds), floor = spread_of(floor_count, floor_seconds);
    for (int k = 0; k < FEW_ROUNDS; ++k) limit[k] = bench_machine(what->limit);
    report(what, &ours, &floor, bench_median(FEW_ROUNDS, limit));
}

void bench_value(const char *name, double value, const char *unit) {
    printf("%-34s %46.4g %s\n", name, value, unit);
    if (session.csv)
        fprintf(session.csv, "%s,%d,,,,,,,,%.6g,%s,,,,\n", name, saros_threads(), value, unit);
}

/* ---- measurement ---- */
static double timed(bench_fn *run, void *user, int64_t calls) {
    const double began = bench_now();
    for (int64_t k = 0; k < calls; ++k) run(user);
    return (bench_now() - began) / (double)calls;
}

/* Calls that take long enough to time. The first call, which compiles and touches pages, is not
 * counted. */
static int64_t enough_calls(bench_fn *run, void *user) {
    const double least = session.quick ? 1e-5 : 5e-3;
    int64_t calls = 1;
    run(user);
    for (;;) {
        const double took = timed(run, user, calls) * (double)calls;
        if (took >= least) return calls;
        calls *= took > 0.1 * least ? 2 : 8;
    }
}

void bench_compare(const bench_case *what) {
    double ours[MOST_ROUNDS], floor[MOST_ROUNDS], limit[MOST_ROUNDS];
    if (!bench_wanted(what->name)) return;
    const double each = what->calls > 0 ? what->calls : 1, began = bench_now();
    const int64_t calls = enough_calls(what->run, what->user);
    const int64_t floor_calls = what->floor ? enough_calls(what->floor, what->user) : 0;
    int rounds = 0;
    while (rounds < MOST_ROUNDS) {
        ours[rounds] = timed(what->run, what->user, calls) / each;
        if (what->floor) floor[rounds] = timed(what->floor, what->user, floor_calls) / each;
        limit[rounds++] = bench_machine(what->limit);
        if (rounds >= FEW_ROUNDS && (session.quick || bench_now() - began > 2)) break;
    }
    const spread of_ours = spread_of(rounds, ours),
                 of_floor = spread_of(what->floor ? rounds : 0, floor);
    report(what, &of_ours, &of_floor, bench_median(rounds, limit));
}
