/* Rows that need a process of their own: loading, the first call, memory, a script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "processes_impl.h"
#include "operators_impl.h"
#include "pinn_impl.h"

static void print_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_maxrss);
}

void bench_child(int count, char *const *word) {
    if (!strcmp(word[0], "start")) bench_pinn_start();
    if (!strcmp(word[0], "load")) printf("0\n");
    if (!strcmp(word[0], "memory") && count == 2) {
        bench_pinn_memory(strtoll(word[1], NULL, 10));
        print_memory();
    }
    if (!strcmp(word[0], "operators") && count == 3) {
        bench_operators_memory(word[1], strtoll(word[2], NULL, 10));
        print_memory();
    }
}

static double number_of(const char *command) {
    double number;
    FILE *child = popen(command, "r");
    if (child && fscanf(child, "%lf", &number) == 1 && pclose(child) == 0) return number;
    fprintf(stderr, "no number from %s\n", command);
    exit(1);
}

/* This program as a child of itself. */
static const char *self(const char *what, char *command, size_t bytes) {
    char path[3000];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    snprintf(command, bytes, "'%s' --child %s", path, what);
    return command;
}

double bench_child_number(const char *words) {
    char command[4096];
    return number_of(self(words, command, sizeof command));
}

enum { RUNS = 7 };

static int runs(void) {
    return bench_quick() ? 1 : RUNS;
}

/* Rows of the number a command prints, or of the time it takes. */
static void command_row(const char *name, const char *command, bool timed, double goal) {
    double seconds[RUNS];
    if (!bench_wanted(name)) return;
    for (int k = 0; k < runs(); ++k) {
        const double began = bench_now(), number = number_of(command);
        seconds[k] = timed ? bench_now() - began : number;
    }
    bench_samples(&(bench_case){.name = name, .goal = goal}, runs(), seconds, 0, NULL);
}

static void memory_rows(void) {
    char what[64], name[64];
    for (int64_t points = 10000; points <= 100000; points *= 10) {
        snprintf(name, sizeof name, "pinn memory %lld points", (long long)points);
        snprintf(what, sizeof what, "memory %lld", (long long)bench_size(points));
        if (bench_wanted(name)) bench_value(name, bench_child_number(what) / 1024, "MiB");
    }
}

void bench_processes(void) {
    char command[4096];
#ifdef SAROS_BENCH_PROGRAM
    command_row("eager add from Lua",
                "'" SAROS_BENCH_PROGRAM "' run '" SAROS_BENCH_FOLDER "/eager.lua'", false, 2e-6);
#endif
    command_row("loading the library", self("load", command, sizeof command), true, 0);
    command_row("first call of a pinn step", self("start", command, sizeof command), false, 0.3);
    memory_rows();
}
