/** The table of a profile. */
#include <stdio.h>

#include "profile_impl.h"
#include "saros/profile.h"
#include "text_impl.h"

enum { LINES = 40 };

double saros_profile_share(const saros_profile_step *step, const saros_machine *machine) {
    if (!(step->seconds > 0)) return 0;
    const double part = step->parallel ? machine->threads : 1;
    const double moved = step->bytes / step->seconds / machine->bytes;
    const double done =
        step->operations / step->seconds / machine->operations / (step->f32 ? 2 : 1);
    return part * (moved > done ? moved : done);
}

/** A rate in units of 1e9, or a dash where there is nothing to count. */
static void put_rate(saros_text *s, double amount, double seconds) {
    if (amount > 0 && seconds > 0)
        saros_text_put(s, " %8.2f", 1e-9 * amount / seconds);
    else
        saros_text_put(s, " %8s", "-");
}

static void put_step(saros_text *s, const saros_profile_step *step, double whole,
                     const saros_machine *machine) {
    saros_text_put(s, "%9.4f %5.1f %9lld %11.2f", step->seconds,
                   whole > 0 ? 100 * step->seconds / whole : 0, (long long)step->calls,
                   1e6 * step->seconds / (double)step->calls);
    put_rate(s, step->bytes, step->seconds);
    put_rate(s, step->operations, step->seconds);
    if (machine && step->bytes + step->operations > 0)
        saros_text_put(s, " %5.0f %%", 100 * saros_profile_share(step, machine));
    else
        saros_text_put(s, " %7s", "-");
    saros_text_put(s, " %s %s  %s", step->parallel ? "*" : " ", step->function, step->name);
    if (step->file[0]) saros_text_put(s, "  %s:%d", step->file, step->line);
    saros_text_put(s, "\n");
}

size_t saros_profile_text(const saros_profile *p, char *text, size_t bytes) {
    saros_text s = {text, bytes, 0};
    saros_machine machine;
    if (bytes) text[0] = '\0';
    const bool measured = saros_machine_measure(&machine) == SAROS_OK;
    double sum = 0, rest = 0;
    for (int64_t k = 0; k < p->steps; ++k) sum += p->step[k].seconds;
    saros_text_put(&s, "profile: %.4g s, of which steps %.4g s (of all threads)\n",
                   saros_profile_seconds(p), sum);
    if (measured)
        saros_text_put(&s, "limits of the machine, %d thread%s: %.1f Gflop/s (f64), %.1f GB/s\n",
                       machine.threads, machine.threads > 1 ? "s" : "", 1e-9 * machine.operations,
                       1e-9 * machine.bytes);
    else
        saros_text_put(&s, "limits of the machine: no memory to measure them\n");
    saros_text_put(&s, "%9s %5s %9s %11s %8s %8s %7s   %s\n", "self s", "%", "calls", "us a call",
                   "GB/s", "Gflop/s", "limit", "function and step (*: on several threads at once)");
    for (int64_t k = 0; k < p->steps; ++k)
        if (k < LINES)
            put_step(&s, &p->step[k], sum, measured ? &machine : NULL);
        else
            rest += p->step[k].seconds;
    if (p->steps > LINES)
        saros_text_put(&s, "%9.4f %5.1f in %lld more steps\n", rest, sum > 0 ? 100 * rest / sum : 0,
                       (long long)(p->steps - LINES));
    return s.used;
}
