// The mains of devices: what will happen is said before it happens, and over nobody's head without a second question.

import { api, ask, type Schemas } from '../api/client';
import { problemOf } from '../api/problem';
import { deeds } from './deeds.svelte';
import { session } from './session.svelte';

export type PowerAction = Exclude<Schemas['PowerAction'], 'status'>;

const WORDS: Record<PowerAction, { title: string; what: string; done: string }> = {
    on: { title: 'Switch on', what: 'It gets power.', done: 'is on' },
    off: {
        title: 'Switch off',
        what: 'It loses power at once; what it has not stored is gone.',
        done: 'is off',
    },
    cycle: {
        title: 'Switch off and on',
        what: 'It loses power for a moment and starts anew; what it has not stored is gone.',
        done: 'was switched off and on',
    },
};

/** Whether this person may switch devices at all. */
export function maySwitch(): boolean {
    return session.may('RUN_TESTS') || session.may('CHANGE_TESTBED');
}

/** Asks, switches, and tells how it went. `uses` are those who use the device now, in words. */
export function switchPower(resource: string, action: PowerAction, uses: readonly string[]): void {
    const { title, what, done } = WORDS[action];
    const send = async (force: boolean): Promise<void> => {
        const answer = await ask(api.POST('/api/v1/resources/power', { body: { resource, action, force } }));
        deeds.tell(`${resource} ${done}${answer.said ? `: ${answer.said}` : ''}.`);
    };
    deeds.confirm({
        title: `${title} ${resource}?`,
        what: [what, ...uses],
        yes: title,
        danger: action !== 'on',
        act: async () => {
            try {
                await send(false);
            } catch (thrown) {
                const problem = problemOf(thrown);
                if (problem.code !== 'held' || !session.may('CHANGE_TESTBED')) throw thrown;
                // Asked anew when this question has been put away.
                setTimeout(() => overHeads(problem.message));
            }
        },
    });
    const overHeads = (why: string): void =>
        deeds.confirm({
            title: `${title} ${resource} all the same?`,
            what: [
                why.replace(/; you can switch it all the same with --force$/, ''),
                'They are told in their runs and at their consoles.',
            ],
            yes: `${title} all the same`,
            danger: true,
            act: () => send(true),
        });
}

/** How the mains are, as far as the outlet tells. */
export async function askPower(resource: string): Promise<string> {
    const answer = await ask(api.GET('/api/v1/resources/power', { params: { query: { resource } } }));
    return answer.said ? `${answer.state} (${answer.said})` : answer.state;
}
