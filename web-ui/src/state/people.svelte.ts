// Accounts, groups, roles, tokens and sessions, as the pages of people show and change them.

import { api, ask, type Schemas } from '../api/client';
import { refusalOf, type Problem } from '../api/problem';
import { Asked } from './asked.svelte';
import { deeds } from './deeds.svelte';

export type User = Schemas['UserView'];
export type Token = Schemas['TokenView'];
export type Session = Schemas['SessionView'];
export type Groups = Readonly<Record<string, readonly string[]>>;

/** What can be changed of an account. */
export type UserChange = Partial<Schemas['ChangeUser']>;

class People {
    readonly users = new Asked(async () => (await ask(api.GET('/api/v1/users'))).items);
    readonly groups = new Asked(async (): Promise<Groups> => ask(api.GET('/api/v1/groups')));
    readonly roles = new Asked(async () => (await ask(api.GET('/api/v1/roles'))).items);
    readonly tokens = new Asked(async () => (await ask(api.GET('/api/v1/tokens'))).items);
    readonly sessions = new Asked(async () => (await ask(api.GET('/api/v1/sessions'))).items);

    /** What a role opens, in words. */
    opens(role: string): string {
        if (role === '*') return 'everything, also what comes later';
        if (this.roles.data === undefined) return '';
        const opens = this.roles.data.find((each) => each.role === role)?.opens;
        return opens ?? 'opens nothing here: it is kept for files of Twister';
    }

    async make(body: Schemas['NewUser']): Promise<Problem | undefined> {
        const problem = await refusalOf(() => ask(api.POST('/api/v1/users', { body })));
        await this.users.look();
        return problem;
    }

    async change(user: string, body: UserChange): Promise<Problem | undefined> {
        const problem = await refusalOf(() =>
            ask(
                api.PUT('/api/v1/users/{user}', {
                    params: { path: { user } },
                    // What is absent stays, whatever the schema says of fields with defaults.
                    body: body as Schemas['ChangeUser'],
                }),
            ),
        );
        await this.users.look();
        return problem;
    }

    async setPassword(user: string, password: string): Promise<Problem | undefined> {
        const params = { path: { user } };
        const problem = await refusalOf(() =>
            ask(api.PUT('/api/v1/users/{user}/password', { params, body: { password } })),
        );
        await this.users.look();
        return problem;
    }

    delete(user: string): void {
        deeds.confirm({
            title: `Delete the account ${user}?`,
            what: [
                'Its sessions and tokens end at once, and the EPs that came with them are let go.',
                'What it did stays recorded, and its runs stay.',
                'To keep somebody out for a while, close the account instead.',
            ],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                await ask(api.DELETE('/api/v1/users/{user}', { params: { path: { user } } }));
                await this.users.look();
            },
        });
    }

    async putGroup(group: string, roles: string[]): Promise<Problem | undefined> {
        const params = { path: { group } };
        const problem = await refusalOf(() =>
            ask(api.PUT('/api/v1/groups/{group}', { params, body: { roles } })),
        );
        await this.groups.look();
        return problem;
    }

    deleteGroup(group: string): void {
        const members = (this.users.data ?? []).filter(({ groups }) => groups.includes(group));
        deeds.confirm({
            title: `Delete the group ${group}?`,
            what: [
                members.length === 0
                    ? 'It has no members.'
                    : `Its roles are taken from ${members.map(({ name }) => name).join(', ')}.`,
            ],
            yes: 'Delete it',
            danger: true,
            act: async () => {
                await ask(api.DELETE('/api/v1/groups/{group}', { params: { path: { group } } }));
                await Promise.all([this.groups.look(), this.users.look()]);
            },
        });
    }

    /**
     * Makes a token. Answers it with its secret, which is shown this once.
     *
     * @throws Problem, where there is none
     */
    async makeToken(body: Schemas['NewToken']): Promise<Schemas['MadeToken']> {
        const made = await ask(api.POST('/api/v1/tokens', { body }));
        void this.tokens.look();
        return made;
    }

    endToken({ id, name, owner, scope }: Token): void {
        deeds.confirm({
            title: `End the token “${name}”?`,
            what: [
                `It is one of ${owner}. Whoever uses it is refused from now on.`,
                ...(scope === 'ep' ? ['EPs that came with it are let go.'] : []),
            ],
            yes: 'End it',
            danger: true,
            act: async () => {
                await ask(api.DELETE('/api/v1/tokens/{token}', { params: { path: { token: id } } }));
                await this.tokens.look();
            },
        });
    }

    async endSession({ id, user }: Session): Promise<void> {
        await deeds.try(`The browser of ${user} was not signed out`, () =>
            ask(api.DELETE('/api/v1/sessions/{session}', { params: { path: { session: id } } })),
        );
        await this.sessions.look();
    }

    /** Another password for oneself; every other browser of the account is signed out. */
    changePassword(old: string, next: string): Promise<Problem | undefined> {
        return refusalOf(() =>
            ask(api.POST('/api/v1/me/password', { body: { old, new: next } }), { proves: true }),
        );
    }
}

export const people = new People();
