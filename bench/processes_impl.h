/* What this program does as a child of itself. */
#ifndef SAROS_PROCESSES_IMPL_H
#define SAROS_PROCESSES_IMPL_H

/** Does `what` (load, start, memory) and prints one number. */
void bench_child(const char *what, const char *argument);

#endif
