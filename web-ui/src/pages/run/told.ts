// What an event of a run says, in words.

import type { Schemas } from '../../api/client';
import type { Suite } from '../../state/run.svelte';

type RunEvent = Schemas['RunEvent'];

/** A sentence, and what a script printed. */
export function told(event: RunEvent, suites: readonly Suite[]): { text: string; more?: string } {
    const names = (list: readonly number[]) =>
        list.map((suite) => suites[suite]?.name ?? `suite ${suite}`).join(', ');
    switch (event.fact) {
        case 'submitted':
            return { text: `Submitted by ${event.by}: ${event.tests} tests of ${event.project}.` };
        case 'started':
            return { text: 'Started.' };
        case 'placed':
            return { text: `${names(event.suites)} goes to ${event.ep}.` };
        case 'part_waits':
            return { text: `${names(event.suites)} waits for ${event.waits_for}.` };
        case 'test_waits':
            return { text: `Test ${event.test} waits for ${event.waits_for}.` };
        case 'tests_queued':
            return { text: `${event.by} added ${event.tests.length} tests to ${names([event.suite])}.` };
        case 'ep_silent':
            return { text: `${event.ep} is not heard any more; it is given up at ${event.until}.` };
        case 'ep_returned':
            return { text: `${event.ep} is back.` };
        case 'ep_lost':
            return { text: `${event.ep} did not come back in time.` };
        case 'ep_notice':
            return {
                text: event.over
                    ? `${event.ep}: it is over that it ${event.notice.text}`
                    : `${event.ep} ${event.notice.text}`,
            };
        case 'asked':
            return { text: `Test ${event.attempt} asks: ${firstLine(event.interact.message)}` };
        case 'answered':
            return {
                text: event.by
                    ? `${event.by} answered ${JSON.stringify(event.answer)}.`
                    : `Nobody answered; ${JSON.stringify(event.answer)} was taken.`,
            };
        case 'paused':
            return { text: `Paused by ${event.by}.` };
        case 'resumed':
            return { text: `Resumed by ${event.by}.` };
        case 'stopping':
            return {
                text: `${event.at_once ? 'Ended at once' : 'Stopped'}${event.by ? ` by ${event.by}` : ''}: ${event.reason}`,
            };
        case 'hook_ended':
            return {
                text: `The ${event.hook} script ended: ${event.outcome.verdict}. ${event.outcome.reason ?? ''}`,
                ...(event.output ? { more: event.output } : {}),
            };
        case 'note':
            return { text: event.text };
        case 'ended':
            return { text: `Ended: ${event.state}.` };
        case 'test_started':
            return { text: `Test ${event.attempt} started on ${event.ep}.` };
        case 'test_ended':
            return { text: `Test ${event.test} ended: ${event.outcome.verdict}.` };
        case 'tests_ended':
            return { text: `Tests ended: ${event.outcome.verdict}. ${event.outcome.reason ?? ''}` };
    }
}

function firstLine(text: string): string {
    const end = text.indexOf('\n');
    return end < 0 ? text : `${text.slice(0, end)} …`;
}
