// Who has what something waits for, in words with the times of this browser.

import type { Schemas } from '../api/client';
import { short } from './time';
import { shown } from './unseen';

type Waiting = Schemas['Waiting'];
type Blocker = Schemas['Blocker'];

/** A piece of a sentence; one of a run leads there. */
export type Piece = { text: string; run?: number };

/** What is waited for; who has it is told beside. */
export const wanted = ({ wants, waits_for }: Waiting): string => wants ?? waits_for;

/** `EP-1, which run 7 (night) of ana has since 14:02:10`. `own` is the run that waits. */
export function piecesOf(blocker: Blocker, now: number, own?: number): Piece[] {
    const { what, how, run, lease, since, until, reason } = blocker;
    const time = (at: string | null | undefined) => (at ? short(Date.parse(at), now) : '');
    const ending = [
        how !== 'asked_before' && since ? ` ${how === 'booked' ? 'from' : 'since'} ${time(since)}` : '',
        until ? ` until ${time(until)}` : '',
        typeof run !== 'number' && typeof lease === 'number' ? ` (lease ${lease}` : '',
        reason ? `${typeof lease === 'number' ? ': ' : ' ('}${shown(reason)}` : '',
        (typeof run !== 'number' && typeof lease === 'number') || reason ? ')' : '',
    ].join('');
    const deed = { holds: 'has', booked: 'has booked', asked_before: 'asked for before' }[how];
    return [{ text: `${shown(what)}, which ` }, ...holderOf(blocker, own), { text: ` ${deed}${ending}` }];
}

function holderOf({ run, project, user }: Blocker, own?: number): Piece[] {
    if (typeof run !== 'number') return [{ text: user ? shown(user) : 'somebody' }];
    if (run === own) return [{ text: 'this run itself' }];
    const of = [project ? ` (${shown(project)})` : '', user ? ` of ${shown(user)}` : ''].join('');
    return [{ text: `run ${run}`, run }, { text: of }];
}

/** The whole of it as one line. */
export function waitText(waiting: Waiting, now: number, own?: number): string {
    const { blockers = [] } = waiting;
    const first = blockers[0];
    const what = `waits for ${shown(wanted(waiting))}`;
    if (first === undefined) return what;
    const who = piecesOf(first, now, own)
        .map(({ text }) => text)
        .join('');
    const more = blockers.length > 1 ? `, and ${blockers.length - 1} more` : '';
    return wanted(waiting) === first.what ? `waits for ${who}${more}` : `${what}: ${who}${more}`;
}
