// Who is signed in, and what they may do. Buttons that would be refused are not shown: what one may do comes from the
// engine, which refuses it as well.

import { api, ask, whenSignedOut, type Schemas } from '../api/client';
import { streamsOf } from '../api/live';
import { problemOf, type Problem } from '../api/problem';

type Me = Schemas['Me'];
export type Role = Schemas['Role'];

/** Each of these opens projects and test configurations for looking. */
export const READ_PROJECTS: readonly Role[] = [
    'VIEW_REPORTS',
    'RUN_TESTS',
    'CHANGE_PROJECT',
    'CREATE_PROJECT',
    'DELETE_PROJECT',
    'EDIT_TC',
];

/** Each of these shows runs: all of them, or one's own. */
export const WATCH: readonly Role[] = ['VIEW_REPORTS', 'RUN_TESTS'];

/** What is known of the person at the browser. */
export type SignIn = 'unknown' | 'out' | 'in';

class Session {
    /** Whether somebody is signed in; not known until the engine has said so once. */
    state = $state<SignIn>('unknown');
    /** Why it is not known. */
    problem = $state.raw<Problem>();
    /** The session came to its end without the person's doing. */
    ended = $state(false);
    #me = $state.raw<Me>();

    constructor() {
        whenSignedOut(() => {
            this.ended ||= this.state === 'in';
            this.#set(undefined);
        });
    }

    /** The account; empty while nobody is signed in. */
    get user(): string {
        return this.#me?.user ?? '';
    }

    /** What the person should know of the lab's files. */
    get notices(): string[] {
        return this.#me?.notices ?? [];
    }

    /** Whether they may do what this role allows. */
    may(role: Role): boolean {
        return this.#me?.roles.includes(role) ?? false;
    }

    /** Whether they may do what one of these roles allows; no roles are everybody's. */
    mayAny(roles: readonly Role[]): boolean {
        return roles.length === 0 || roles.some((role) => this.may(role));
    }

    /** Whether they may look at projects and test configurations. */
    get mayReadProjects(): boolean {
        return this.mayAny(READ_PROJECTS);
    }

    /** Whether they may see runs. */
    get mayWatch(): boolean {
        return this.mayAny(WATCH);
    }

    /** Whether they may steer what this user started. */
    controls(owner: string): boolean {
        return this.may('RUN_TESTS') && (owner === this.user || this.may('CHANGE_SERVICES'));
    }

    /** Asks the engine who one is. */
    async look(): Promise<void> {
        try {
            this.#set(await ask(api.GET('/api/v1/me')));
        } catch (thrown) {
            const problem = problemOf(thrown);
            if (problem.code !== 'unauthenticated') this.problem = problem;
        }
    }

    /**
     * Opens a session.
     *
     * @throws Problem
     */
    async signIn(user: string, password: string): Promise<void> {
        this.#set(await ask(api.POST('/api/v1/login', { body: { user, password } })));
        this.ended = false;
    }

    /** Ends the session; also where the engine does not answer, since nobody else may go on in this browser. */
    async signOut(): Promise<void> {
        await ask(api.POST('/api/v1/logout')).catch(() => undefined);
        this.#set(undefined);
        this.ended = false;
    }

    #set(me: Me | undefined): void {
        streamsOf(me?.user ?? '');
        this.#me = me;
        this.problem = undefined;
        this.state = me ? 'in' : 'out';
    }
}

export const session = new Session();
