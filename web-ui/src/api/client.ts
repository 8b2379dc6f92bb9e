// Asking the engine. Types come from its own description; a failure is thrown as a `Problem` with the engine's sentence.

import createClient from 'openapi-fetch';

import { Problem, problemIn, problemOf } from './problem';
import type { components, paths } from './schema';

/** The bodies of requests and answers, by name. */
export type Schemas = components['schemas'];

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Called when a request is answered "who are you?": the session is over. */
let onSignedOut: () => void = () => {};

/** The engine has said that nobody is signed in; a stream may learn it before a request does. */
export function signedOut(): void {
    onSignedOut();
}

/** Says what to do when the session is over. */
export function whenSignedOut(act: () => void): void {
    onSignedOut = act;
}

export const api = createClient<paths>({
    baseUrl: '',
    credentials: 'same-origin',
    // The engine takes changes from a page of its own only: those with a JSON content type, also without a body.
    headers: { 'Content-Type': 'application/json' },
});

/**
 * The data of an answer: `await ask(api.GET('/api/v1/runs/{run}', { params: { path: { run } } }))`.
 *
 * With `proves`, that a password is wrong says nothing of the session.
 *
 * @throws Problem, when the engine refuses or does not answer
 */
export async function ask<T>(answering: Promise<Answer<T>>, { proves = false } = {}): Promise<T> {
    const answer = await answering.catch((thrown: unknown): never => {
        throw problemOf(thrown);
    });
    if (answer.response.ok) return answer.data as T;
    const problem = problemIn(answer.response.status, answer.error);
    if (problem.code === 'unauthenticated' && !proves) onSignedOut();
    throw problem;
}

/** What many requests answer: one page of a list. */
type Page<T> = { items: T[]; next?: string | null };

/**
 * A whole list, page by page, at most `limit` of it.
 *
 * @throws Problem
 */
export async function askAll<T>(
    page: (after: string | undefined) => Promise<Page<T>>,
    limit = 100_000,
): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    do {
        const answer = await page(after);
        items.push(...answer.items);
        after = answer.next ?? undefined;
    } while (after !== undefined && items.length < limit);
    return items;
}

/** A problem of our own making, for requests that are not worth sending. */
export function refused(title: string, field?: string): Problem {
    return new Problem('bad_request', title, field);
}
