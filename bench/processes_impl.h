/* What this program does as a child of itself. */
#ifndef SAROS_PROCESSES_IMPL_H
#define SAROS_PROCESSES_IMPL_H

/** Does what the words say (load; start; memory POINTS; operators HOW WIDTH) and prints one number.
 */
void bench_child(int count, char *const *word);
/** The number that this program prints as a child with these words. */
double bench_child_number(const char *words);

#endif
