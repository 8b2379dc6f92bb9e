// What can be done everywhere.

import { href, type Route } from '../routes';
import { deeds as done } from '../state/deeds.svelte';
import { place } from '../state/place.svelte';
import { session } from '../state/session.svelte';
import { theme } from '../state/theme.svelte';
import { keys, type Deed } from './keys.svelte';
import { lacked } from './rights';

/** Where one can go by `g` and a letter, in the order of the navigation. */
export const GOALS: { name: string; key: string; route: Route }[] = [
    { name: 'Runs', key: 'g r', route: { page: 'runs' } },
    { name: 'Projects', key: 'g p', route: { page: 'projects' } },
    { name: 'Lab', key: 'g l', route: { page: 'lab', path: '' } },
    { name: 'EPs', key: 'g e', route: { page: 'eps' } },
    { name: 'Reports', key: 'g o', route: { page: 'reports' } },
    { name: 'People', key: 'g u', route: { page: 'people', pane: 'me' } },
    { name: 'Engine', key: 'g n', route: { page: 'engine', pane: 'overview' } },
];

/** Pages below one of these. */
const BELOW: { name: string; key: string; route: Route }[] = [
    { name: 'test configurations', key: 'g c', route: { page: 'configs' } },
    { name: 'test files', key: 'g t', route: { page: 'files' } },
    { name: 'bindings', key: 'g i', route: { page: 'bindings' } },
    { name: 'leases', key: 'g a', route: { page: 'leases' } },
    { name: 'the calendar', key: 'g d', route: { page: 'calendar' } },
    { name: 'health', key: 'g f', route: { page: 'health' } },
    { name: 'global parameters', key: 'g b', route: { page: 'globals' } },
];

/** Offers what the frame itself does. */
export function offerFrame({ palette, help }: { palette: () => void; help: () => void }): void {
    $effect(() => keys.offer(() => deeds(palette, help)));
}

function deeds(palette: () => void, showKeys: () => void): Deed[] {
    const go = GOALS.filter(({ route }) => !lacked(route.page)).map(({ name, key, route }): Deed => ({
        name: `Go to ${name}`,
        key,
        group: 'Go',
        act: () => place.goTo(href(route)),
    }));
    const below = BELOW.filter(({ route }) => !lacked(route.page)).map(({ name, key, route }): Deed => ({
        name: `Go to ${name}`,
        key,
        group: 'Go',
        act: () => place.go(route),
    }));
    const help: Deed[] = [
        { name: 'First steps: a tour', group: 'Go', act: () => place.go({ page: 'tour' }) },
        {
            name: 'Go to the book',
            key: 'g h',
            group: 'Go',
            act: () => place.go({ page: 'book' }),
        },
    ];
    const start: Deed[] = session.may('RUN_TESTS')
        ? [{ name: 'Start a run', key: 'g s', group: 'Go', act: () => place.go({ page: 'start' }) }]
        : [];
    const undoable = done.undoable;
    const undo: Deed[] = undoable
        ? [{ name: `Undo: ${undoable.text}`, key: 'u', group: 'Everywhere', act: () => done.undo(undoable) }]
        : [];
    return [
        ...undo,
        ...go,
        ...below,
        ...help,
        ...start,
        {
            name: 'Find or do anything',
            key: 'Ctrl+k',
            group: 'Everywhere',
            act: palette,
            typing: true,
            unlisted: true,
        },
        { name: 'Keys of this page', key: '?', group: 'Everywhere', act: showKeys },
        {
            name: 'Back',
            key: 'Escape',
            group: 'Everywhere',
            act: () => leave(),
            unlisted: true,
            typing: true,
        },
        { name: `Colours: ${theme.next}`, group: 'Everywhere', act: () => theme.turn() },
        {
            name: 'Copy the address of this page',
            group: 'Everywhere',
            act: () => void done.copy('address', location.href),
        },
        { name: 'Sign out', group: 'Everywhere', act: () => void session.signOut() },
    ];
}

/** Escape leaves a field first, then what is open beside the list. */
function leave(): void {
    const active = document.activeElement;
    if (active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement) {
        active.blur();
        return;
    }
    if (place.route.page === 'run' && place.route.test !== undefined)
        place.go({ page: 'run', run: place.route.run }, place.query);
    else if (place.route.page === 'lab' && place.query['view'] === 'suts') {
        // Beside the SUTs stands no device, even where one is chosen.
        if (place.query['sut'] !== undefined) place.set({ sut: undefined });
    } else if (place.route.page === 'lab' && place.route.path !== '')
        place.go({ page: 'lab', path: '' }, place.query);
    else if (place.route.page === 'lease') place.go({ page: 'leases' });
    else if (place.route.page === 'eps' && place.route.ep !== undefined)
        place.go({ page: 'eps' }, place.query);
}
