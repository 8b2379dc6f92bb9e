// What went wrong, as the engine says it: scripts compare the code, people read the sentence.

import type { components } from './schema';

export type ProblemBody = components['schemas']['Problem'];

/** A request that the engine refused, or that never reached it. */
export class Problem extends Error {
    override readonly name = 'Problem';

    constructor(
        /** The engine's word for it; `unreachable` where no engine answered. */
        readonly code: ProblemBody['code'] | 'unreachable',
        title: string,
        /** The part of the request that is to blame. */
        readonly field?: string,
        /** All that is wrong with a file. */
        readonly problems: NonNullable<ProblemBody['problems']> = [],
    ) {
        super(title);
    }
}

/** What was thrown, as a problem. */
export function problemOf(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    if (thrown instanceof TypeError) return new Problem('unreachable', 'the engine does not answer');
    return new Problem('internal', thrown instanceof Error ? thrown.message : String(thrown));
}

/** Does something. Answers why it was not done. */
export async function refusalOf(act: () => Promise<unknown>): Promise<Problem | undefined> {
    try {
        await act();
        return undefined;
    } catch (thrown) {
        return problemOf(thrown);
    }
}

/** The problem in an answer; its status line where it is no problem document, as from a proxy. */
export function problemIn(status: number, body: unknown): Problem {
    if (isProblem(body))
        return new Problem(body.code, body.title, body.field ?? undefined, body.problems ?? []);
    if (status >= 502 && status <= 504)
        return new Problem('unreachable', `the engine does not answer (${status})`);
    return new Problem('internal', `the engine answered ${status} without a reason`);
}

function isProblem(body: unknown): body is ProblemBody {
    return typeof body === 'object' && body !== null && 'code' in body && 'title' in body;
}
