// What the palette finds: what is in memory at once, and lists of the lab that it asks for when it is opened.

import { untrack } from 'svelte';

import { api, ask, type Schemas } from '../api/client';
import { ofEp, ofRun } from '../parts/verdict';
import { ENGINE_PANES, href } from '../routes';
import { Asked } from '../state/asked.svelte';
import { lab } from '../state/lab.svelte';
import { place } from '../state/place.svelte';
import { session } from '../state/session.svelte';
import type { Entry } from './find';
import { keys } from './keys.svelte';
import { lacked } from './rights';

/** Runs that are offered: the newest. */
const RUNS_MAX = 300;

class Finders {
    #sets = $state.raw<readonly (() => Entry[])[]>([]);
    readonly #projects = new Asked(async () => (await ask(api.GET('/api/v1/projects'))).items);
    readonly #resources = new Asked(async () => paths(await ask(api.GET('/api/v1/resources/tree'))));
    readonly #configs = new Asked(async () =>
        (await ask(api.GET('/api/v1/test-configs'))).items.map(({ name }) => name),
    );
    readonly #files = new Asked(async () => (await ask(api.GET('/api/v1/test-files'))).items);

    /** A page adds what it has: the tests of a run. */
    offer(entries: () => Entry[]): () => void {
        // Whoever offers does not follow what others offer.
        this.#sets = [...untrack(() => this.#sets), entries];
        return () => (this.#sets = this.#sets.filter((set) => set !== entries));
    }

    /** Asks for what is not in memory; what was had before is shown meanwhile. */
    async look(): Promise<void> {
        // What cannot be had is not offered.
        const lists = [
            ...(lacked('projects') ? [] : [this.#projects, this.#files, this.#configs]),
            ...(lacked('lab') ? [] : [this.#resources]),
        ];
        await Promise.all(lists.map((list) => list.look()));
    }

    /** Everything that can be found now. */
    entries(): Entry[] {
        return [
            ...this.#deeds(),
            ...this.#sets.flatMap((set) => set()),
            ...this.#runs(),
            ...this.#eps(),
            ...this.#places(),
            ...this.#lists(),
        ];
    }

    #deeds(): Entry[] {
        const listed = keys.deeds.filter((deed) => !deed.unlisted);
        return listed.map(
            ({ name, key, group, act }) =>
                ({ id: name, name, kind: group === 'Go' ? 'Go' : 'Do', key, act }) as Entry,
        );
    }

    #runs(): Entry[] {
        const newest = [...lab.runs.values()].sort((a, b) => b.id - a.id).slice(0, RUNS_MAX);
        return newest.map((run) => ({
            id: `run ${run.id}`,
            name: `${run.id} ${run.project}`,
            kind: 'Run',
            more: `${run.user} ${ofRun(run).word}`,
            act: () => place.go({ page: 'run', run: run.id }),
        }));
    }

    #eps(): Entry[] {
        return [...(lab.eps?.values() ?? [])].map((ep) => ({
            id: `ep ${ep.name}`,
            name: ep.name,
            kind: 'EP',
            more: ofEp(ep.state).word,
            act: () => place.go({ page: 'eps', ep: ep.name }),
        }));
    }

    #places(): Entry[] {
        if (lacked('engine')) return [];
        return ENGINE_PANES.filter((pane) => pane !== 'overview').map((pane) => ({
            id: `engine ${pane}`,
            name: `Engine: ${pane}`,
            kind: 'Go',
            act: () => place.go({ page: 'engine', pane }),
        }));
    }

    #lists(): Entry[] {
        const start = (project: string): Entry => ({
            id: `project ${project}`,
            name: `Start ${project}`,
            kind: 'Project',
            act: () => place.go({ page: 'start' }, { project }),
        });
        const show = (path: string): Entry => ({
            id: `resource ${path}`,
            name: path,
            kind: 'Resource',
            act: () => place.goTo(href({ page: 'lab', path })),
        });
        const open = (project: string): Entry => ({
            id: `open ${project}`,
            name: project,
            kind: 'Project',
            act: () => place.go({ page: 'project', project }),
        });
        const config = (name: string): Entry => ({
            id: `config ${name}`,
            name,
            kind: 'Config',
            more: 'test configuration',
            act: () => place.go({ page: 'config', config: name }),
        });
        const file = (file: string): Entry => ({
            id: `file ${file}`,
            name: file,
            kind: 'File',
            more: 'test file',
            act: () => place.go({ page: 'files', file }),
        });
        const projects = this.#projects.data ?? [];
        return [
            ...(session.may('RUN_TESTS') ? projects.map(start) : []),
            ...projects.map(open),
            ...(this.#configs.data ?? []).map(config),
            ...(this.#files.data ?? []).map(file),
            ...(this.#resources.data ?? []).map(show),
        ];
    }
}

/** The paths of a tree, depth first. */
function paths(node: Schemas['TreeNode']): string[] {
    return node.children.flatMap((child) => [child.path, ...paths(child)]);
}

export const finders = new Finders();
