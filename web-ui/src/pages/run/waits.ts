// When parts of a run waited, and for what, from what was told of it.

import type { Happening, Suite } from '../../state/run.svelte';
import type { Mark } from '../../timeline/layout';

/** The waits of parts as marks: each begins when its reason is told, and ends with the next reason or the place it got. */
export function waitsOf(
    happenings: readonly Happening[],
    suites: readonly Suite[],
    ended: number | undefined,
): Omit<Mark, 'lane'>[] {
    const marks: Omit<Mark, 'lane'>[] = [];
    const open = new Map<string, { from: number; reason: string; label: string }>();
    const close = (key: string, to: number | undefined) => {
        const wait = open.get(key);
        if (!wait) return;
        open.delete(key);
        marks.push({
            id: `w${key}.${wait.from}`,
            kind: 'wait',
            from: wait.from,
            to,
            tone: 'waiting',
            label: wait.label,
            reason: wait.reason,
        });
    };
    for (const { at, event } of happenings) {
        if (event.fact !== 'part_waits' && event.fact !== 'placed') continue;
        const key = event.suites.join(',');
        close(key, Date.parse(at));
        if (event.fact === 'part_waits') {
            const label = event.suites.map((suite) => suites[suite]?.name ?? '').join(', ');
            open.set(key, { from: Date.parse(at), reason: event.waits_for, label });
        }
    }
    for (const key of [...open.keys()]) close(key, ended);
    return marks;
}
