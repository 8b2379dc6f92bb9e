// What people do to the tree of the lab: each is one step of its history, and can be taken back there.

import { api, ask, refused, type Schemas } from '../api/client';
import { counted } from '../text/words';
import type { Node } from './bench.svelte';
import { deeds } from './deeds.svelte';

export type Edit = Schemas['ResourceEditView'];
export type Plan = Schemas['ResourcePlan'];

/** What is asked before the tree is edited. */
export type EditDialog =
    | { kind: 'add'; parent: string }
    | { kind: 'move'; node: Node; to?: string }
    | { kind: 'rename' | 'copy' | 'delete' | 'properties'; node: Node };

type Properties = Record<string, unknown>;

const HISTORY = { href: '/lab?view=history', text: 'History' };

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

class TreeEdits {
    /** What is asked now. */
    dialog = $state.raw<EditDialog>();

    async add(parent: string, name: string, properties: Properties): Promise<void> {
        const body = { parent, name, properties };
        const { created } = await ask(api.PUT('/api/v1/resources', { body }));
        deeds.tell(
            `${name} ${created ? 'is new' : 'was there already, and is changed'} in ${parent}.`,
            HISTORY,
        );
    }

    async rename(path: string, name: string): Promise<void> {
        await ask(api.POST('/api/v1/resources/rename', { body: { query: path, name } }));
        deeds.tell(`${path} is called ${name} now.`, HISTORY);
    }

    async move(path: string, parent: string): Promise<void> {
        await ask(api.POST('/api/v1/resources/move', { body: { query: path, parent } }));
        deeds.tell(`${path} is in ${parent} now.`, HISTORY);
    }

    async copy(path: string, parent: string, name: string): Promise<void> {
        await ask(api.POST('/api/v1/resources/copy', { body: { query: path, parent, name } }));
        deeds.tell(`${path} was copied into ${parent} as ${name}.`, HISTORY);
    }

    async delete(path: string): Promise<void> {
        await ask(api.DELETE('/api/v1/resources', { params: { query: { query: path } } }));
        deeds.tell(`${path} is deleted.`, HISTORY);
    }

    /**
     * Changes properties: null removes one. What somebody else has changed of the same since `before` was read is not written over.
     *
     * @throws Problem
     */
    async set(path: string, before: Properties, change: Properties): Promise<void> {
        const asking = api.GET('/api/v1/resources', { params: { query: { query: path } } });
        const now = (await ask(asking)) as { meta?: Properties };
        const others = Object.keys(change).filter(
            (key) => JSON.stringify(now.meta?.[key]) !== JSON.stringify(before[key]),
        );
        if (others.length > 0)
            throw refused(
                `somebody has changed ${others.join(', ')} of ${path} meanwhile; close this and look at it again`,
            );
        const version = (await asking).response.headers.get('etag') ?? '';
        const body = { parent: parentOf(path), name: nameOf(path), properties: change };
        await ask(
            api.PUT('/api/v1/resources', {
                body,
                ...(version === '' ? {} : { headers: { 'If-Match': version } }),
            }),
        );
        deeds.tell(
            `${counted(Object.keys(change).length, 'property', 'properties')} of ${path} changed.`,
            HISTORY,
        );
    }

    async undo({ version, action }: Edit): Promise<void> {
        await ask(api.POST('/api/v1/resources/undo', { body: { version } }));
        deeds.tell(`${action.replace('resource.', '')} of version ${version} is taken back.`);
    }

    plan(body: Schemas['ResourceFile']): Promise<Plan> {
        return ask(api.POST('/api/v1/resources/plan', { body }));
    }

    async apply(body: Schemas['ResourceFile'], version: number): Promise<Plan> {
        const headers = { 'If-Match': `"${version}"` };
        const done = await ask(api.POST('/api/v1/resources/apply', { body, headers }));
        deeds.tell(`${counted(done.count, 'resource')} changed.`, HISTORY);
        return done;
    }
}

export const treeEdits = new TreeEdits();
